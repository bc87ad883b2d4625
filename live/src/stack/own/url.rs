//! Where a service of one's own listens.

use std::fmt;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// The port where the URL has none.
const PORT: u16 = 80;

/// The URL of a service: a host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl {
    host: String,
    port: u16,
}

/// Why a service cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Its host is no name that the system knows.
    #[error("{url}: there is no host `{host}` ({why})")]
    NoHost {
        /// The service.
        url: String,
        /// Its host.
        host: String,
        /// What the system says.
        why: String,
    },
    /// It is on another machine, and the user has not said that load may be put on it.
    #[error(
        "{url} is on another machine: load is put on it with `--allow-host {host}` only. Do so if \
         it is yours and nobody else needs it meanwhile"
    )]
    Foreign {
        /// The service.
        url: String,
        /// Its host.
        host: String,
    },
    /// Nothing accepts connections there.
    #[error(
        "nothing accepts connections at {url} ({why}): start the service first, or let it be \
         started with `--start 'COMMAND'`"
    )]
    Closed {
        /// The service.
        url: String,
        /// What the system says.
        why: String,
    },
}

impl ServiceUrl {
    /// What is written into the `host` header of a request.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The addresses of its host.
    ///
    /// # Errors
    /// The host is not known, or is none of those that load may be put on: this machine itself
    /// and `allowed`.
    pub fn addresses(&self, allowed: &[String]) -> Result<Vec<SocketAddr>, Unreachable> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let (url, name) = (self.to_string(), || host.to_string());
        let unknown = |why: String| Unreachable::NoHost { url: url.clone(), host: name(), why };
        let found = (host, self.port).to_socket_addrs().map_err(|error| unknown(error.to_string()));
        let found: Vec<SocketAddr> = found?.collect();
        let own = found.iter().all(|address| address.ip().to_canonical().is_loopback());
        match found.is_empty() {
            true => Err(unknown("it has no address".into())),
            false if own || allowed.iter().any(|known| known.eq_ignore_ascii_case(host)) => {
                Ok(found)
            }
            false => Err(Unreachable::Foreign { host: name(), url }),
        }
    }

    /// The first of `addresses` that accepts a connection.
    ///
    /// # Errors
    /// None does.
    pub fn answering(&self, addresses: &[SocketAddr]) -> Result<SocketAddr, Unreachable> {
        let mut why = String::new();
        for address in addresses {
            match TcpStream::connect_timeout(address, CONNECT) {
                Ok(_) => return Ok(*address),
                Err(error) => why = error.to_string(),
            }
        }
        Err(Unreachable::Closed { url: self.to_string(), why })
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}:{}", self.host, self.port)
    }
}

impl FromStr for ServiceUrl {
    type Err = String;

    /// Reads `http://HOST:PORT`, or `HOST:PORT`.
    fn from_str(text: &str) -> Result<ServiceUrl, String> {
        let whole = if text.contains("://") { text.to_string() } else { format!("http://{text}") };
        let broken = || "it is no URL such as http://127.0.0.1:8000".to_string();
        let uri: Uri = whole.parse().map_err(|_| broken())?;
        let authority = uri.authority().ok_or_else(broken)?;
        if uri.scheme_str() != Some("http") {
            return Err("the load generator speaks plain HTTP: name an http:// address, such as \
                        that of the service behind its proxy"
                .into());
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err("it has a path: name host and port alone, paths stand in the requests of \
                        the endpoints"
                .into());
        }
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(broken());
        }
        let given = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port = match (given, authority.port_u16()) {
            ("", _) => PORT,
            (_, Some(port)) if port > 0 => port,
            _ => return Err(broken()),
        };
        Ok(ServiceUrl { host: authority.host().to_string(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_others_refused_with_a_reason() {
        let read = |text: &str| text.parse::<ServiceUrl>().map(|url| url.to_string());
        for (text, url) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://localhost/", "http://localhost:80"),
            ("http://[::1]:99", "http://[::1]:99"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(url));
        }
        for (text, why) in [
            ("https://a.example", "plain HTTP"),
            ("http://a.example/api", "has a path"),
            ("http://a.example:0", "no URL"),
            ("http://a.example:99999", "no URL"),
            ("http://me@a.example", "no URL"),
            ("http://", "no URL"),
            ("nonsense !", "no URL"),
        ] {
            assert!(read(text).is_err_and(|told| told.contains(why)), "{text}");
        }
    }

    #[test]
    fn other_machines_get_load_only_where_the_user_says_so() {
        let url: ServiceUrl = "http://192.0.2.1:80".parse().expect("a URL");
        let told = url.addresses(&[]).expect_err("it is elsewhere").to_string();
        assert!(told.contains("--allow-host 192.0.2.1"), "{told}");
        assert!(url.addresses(&["192.0.2.1".into()]).is_ok());
        let own: ServiceUrl = "http://127.0.0.9:80".parse().expect("a URL");
        assert!(own.addresses(&[]).is_ok());
    }
}
