//! Who may ask: the page that this program has printed the address of, and nobody else.
//!
//! Any program on the machine can connect to the port, and so can any page that a browser has open.
//! The token in the address keeps them out. A page of a foreign origin is refused even with the
//! token, and so is a name that only resolves to this machine.

use std::io;

use axum::http::HeaderMap;
use serve::{is_from_here, is_same, random};

/// What requests must have.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    /// A guard with a token that cannot be guessed.
    pub(crate) fn new(port: u16) -> io::Result<Guard> {
        Ok(Guard { port, token: random()? })
    }

    /// The address of the page.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// Whether a request is one of the page.
    pub(crate) fn admits(&self, path: &str, headers: &HeaderMap) -> bool {
        let token = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let hosts = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", self.port));
        let own = |host: &str| hosts.iter().any(|own| own == host);
        is_from_here(headers, own) && is_same(token, &self.token)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &str)| {
            (header::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        all.iter().map(pair).collect()
    }

    #[test]
    fn only_the_page_itself_is_admitted() {
        let guard = Guard::new(8123).expect("random bytes");
        let path = format!("/{}/ask", guard.token);
        let admits = |path: &str, all: &[(&'static str, &str)]| guard.admits(path, &headers(all));
        let own = ("host", "127.0.0.1:8123");
        assert!(admits(&path, &[own]));
        assert!(admits(&path, &[("host", "localhost:8123")]));
        assert!(admits(&path, &[own, ("origin", "http://127.0.0.1:8123")]));
        assert!(admits(&path, &[own, ("sec-fetch-site", "same-origin")]));
        assert!(admits(&path, &[own, ("sec-fetch-site", "none")]));
        // Without the token, with a part of it, with more.
        for other in ["/", "/ask", &path[..path.len() - 8], &format!("/{}0/", guard.token), "//"] {
            assert!(!admits(other, &[own]), "{other}");
        }
        for host in ["127.0.0.1", "127.0.0.1:80", "evil.example:8123", "[::1]:8123", ""] {
            assert!(!admits(&path, &[("host", host)]), "{host}");
        }
        assert!(!admits(&path, &[]));
        for origin in ["null", "http://evil.example", "https://127.0.0.1:8123", "http://127.0.0.1"]
        {
            assert!(!admits(&path, &[own, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!admits(&path, &[own, ("sec-fetch-site", site)]), "{site}");
        }
    }
}
