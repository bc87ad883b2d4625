//! The address of the service, and requests to it.

use std::net::{SocketAddr, ToSocketAddrs as _};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use live::clock;
use tokio::net::TcpStream;

/// Most bytes of a body that are kept to be read.
const BODY_MOST: usize = 64 << 20;

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port as the user gave them.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its address.
    pub address: SocketAddr,
    /// What stands before every path; no `/` at its end.
    pub prefix: String,
}

/// An address that cannot be asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No address of a service.
    #[error("`{0}` is no address of a service; write it as http://127.0.0.1:8000")]
    NoUrl(String),
    /// TLS.
    #[error(
        "`{0}` asks for TLS, which is not spoken here; give the address behind the proxy that \
         ends it, as http://127.0.0.1:8000"
    )]
    Tls(String),
    /// It has no address.
    #[error("{host} has no address: {why}")]
    Unknown {
        /// The host.
        host: String,
        /// What the system says.
        why: String,
    },
    /// Another machine.
    #[error(
        "{0} is not this machine; hundreds of requests go to it, many at once: write \
         --allow-host {0} if it is yours to load"
    )]
    Elsewhere(String),
}

impl Target {
    /// Reads an address such as `http://127.0.0.1:8000`. Hosts other than this one must be
    /// among those `allowed`.
    ///
    /// # Errors
    /// It cannot be asked, or may not.
    pub fn new(url: &str, allowed: &[String]) -> Result<Target, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError::NoUrl(url.into()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(TargetError::Tls(url.into())),
            _ => return Err(TargetError::NoUrl(url.into())),
        }
        let name = uri.host().filter(|host| !host.is_empty());
        let name = name.ok_or_else(|| TargetError::NoUrl(url.into()))?;
        let port = uri.port_u16().unwrap_or(80);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let unknown = |why: String| TargetError::Unknown { host: bare.into(), why };
        let addresses: Vec<SocketAddr> =
            (bare, port).to_socket_addrs().map_err(|error| unknown(error.to_string()))?.collect();
        let here = addresses.iter().all(|address| address.ip().is_loopback());
        if !here && !allowed.iter().any(|host| host == bare) {
            return Err(TargetError::Elsewhere(bare.into()));
        }
        // Servers listen on the older kind of address more often than on the newer.
        let best = addresses.iter().find(|it| it.is_ipv4()).or(addresses.first());
        let address = *best.ok_or_else(|| unknown("none was found".into()))?;
        let prefix = uri.path().trim_end_matches('/').to_string();
        Ok(Target { host: format!("{name}:{port}"), port, address, prefix })
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// From the moment at which it was sent to the last byte of the reply, in seconds.
    pub seconds: f64,
    /// The reply's status, or why there is none.
    pub outcome: Result<u16, String>,
    /// Headers that say when one may ask again, or how often.
    pub limits: Option<String>,
    /// The service closes the connection with its reply.
    pub closes: bool,
    /// The body, if it was asked for.
    pub body: Bytes,
}

impl Answer {
    /// It is a good reply.
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, Ok(200..=399))
    }
}

/// A connection to the service that is kept as long as the service keeps it.
#[derive(Debug, Default)]
pub struct Connection(Option<SendRequest<Full<Bytes>>>);

impl Connection {
    /// Opens it, if it is not open.
    ///
    /// # Errors
    /// The service does not take it.
    pub async fn open(&mut self, target: &Target) -> Result<(), String> {
        if let Some(sender) = &mut self.0
            && sender.ready().await.is_ok()
        {
            return Ok(());
        }
        let refused = |error: std::io::Error| format!("no connection: {error}");
        let stream = TcpStream::connect(target.address).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // Its end is seen by the sender.
        tokio::spawn(async move { drop(connection.await) });
        self.0 = Some(sender);
        Ok(())
    }

    /// Sends `request` and waits for the whole reply. Seconds count from `from` on the machine's
    /// clock, or from now.
    pub async fn ask(
        &mut self,
        target: &Target,
        request: Request<Full<Bytes>>,
        from: Option<u64>,
    ) -> Answer {
        let from = from.unwrap_or_else(clock::now);
        let since = || (clock::now() - from) as f64 / 1e9;
        let mut head = Head::default();
        let asked = self.exchange(target, request, &mut head).await;
        let seconds = since();
        let Head { limits, closes } = head;
        match asked {
            Ok((status, body)) => Answer { seconds, outcome: Ok(status), limits, closes, body },
            Err(why) => Answer { seconds, outcome: Err(why), limits, closes, body: Bytes::new() },
        }
    }

    async fn exchange(
        &mut self,
        target: &Target,
        mut request: Request<Full<Bytes>>,
        head: &mut Head,
    ) -> Result<(u16, Bytes), String> {
        // Twice: a kept connection may have been closed just now, before the request was taken.
        for _ in 0..2 {
            self.open(target).await?;
            let Some(sender) = &mut self.0 else { break };
            match sender.try_send_request(request).await {
                Ok(reply) => {
                    let status = reply.status().as_u16();
                    *head = Head {
                        limits: limit(reply.headers()),
                        closes: closes(reply.version(), reply.headers()),
                    };
                    let body = http_body_util::Limited::new(reply.into_body(), BODY_MOST);
                    let body = body.collect().await.map_err(|error| error.to_string())?;
                    return Ok((status, body.to_bytes()));
                }
                Err(mut error) => {
                    self.0 = None;
                    match error.take_message() {
                        Some(message) => request = message,
                        None => return Err(format!("no reply: {}", error.into_error())),
                    }
                }
            }
        }
        Err("the service closes its connections before it reads from them".into())
    }
}

/// What the head of a reply says.
#[derive(Debug, Default)]
struct Head {
    limits: Option<String>,
    closes: bool,
}

/// The connection ends with this reply (RFC 9112, section 9.3).
fn closes(version: http::Version, headers: &http::HeaderMap) -> bool {
    let options = headers.get_all(http::header::CONNECTION);
    let says = |option: &str| {
        let mut words = options.iter().filter_map(|value| value.to_str().ok());
        words.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(option)))
    };
    says("close") || (version == http::Version::HTTP_10 && !says("keep-alive"))
}

/// What the reply says of limits.
fn limit(headers: &http::HeaderMap) -> Option<String> {
    let names = ["retry-after", "x-ratelimit-limit", "ratelimit-limit", "ratelimit-policy"];
    let said: Vec<String> = names
        .iter()
        .filter_map(|name| Some(format!("{name}: {}", headers.get(*name)?.to_str().ok()?)))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_whether_the_connection_ends_with_it() {
        let of = |version, value: Option<&str>| {
            let value = value.and_then(|value| value.parse().ok());
            let headers = value.map(|value| (http::header::CONNECTION, value));
            closes(version, &headers.into_iter().collect())
        };
        assert!(of(http::Version::HTTP_11, Some("close")));
        assert!(of(http::Version::HTTP_11, Some("x, Close")));
        assert!(
            !of(http::Version::HTTP_11, Some("keep-alive")) && !of(http::Version::HTTP_11, None)
        );
        assert!(
            of(http::Version::HTTP_10, None) && !of(http::Version::HTTP_10, Some("Keep-Alive"))
        );
    }

    #[test]
    fn only_this_machine_is_asked_unless_another_is_allowed() {
        let target = Target::new("http://127.0.0.1:8000/api/", &[]).expect("it is here");
        assert_eq!((target.port, &*target.prefix, &*target.host), (8000, "/api", "127.0.0.1:8000"));
        assert!(Target::new("http://[::1]:80", &[]).is_ok());
        let far = TargetError::Elsewhere("192.0.2.7".into());
        assert_eq!(Target::new("http://192.0.2.7", &[]), Err(far));
        assert!(Target::new("http://192.0.2.7", &["192.0.2.7".into()]).is_ok());
        assert!(matches!(Target::new("https://127.0.0.1", &[]), Err(TargetError::Tls(_))));
        for wrong in ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", ""] {
            assert!(matches!(Target::new(wrong, &[]), Err(TargetError::NoUrl(_))), "{wrong}");
        }
    }
}
