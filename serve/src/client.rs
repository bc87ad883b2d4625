//! Who asks: the owner of a token, or an address.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::uri::Authority;

use crate::{Problem, Tokens, is_from_here};

/// Who may ask.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) tokens: Tokens,
}

impl Gate {
    /// The name of the client that has sent a request from an address.
    ///
    /// # Errors
    /// It shows no token; or, where none are needed, the request is not meant for this machine.
    pub(crate) fn client(&self, from: SocketAddr, headers: &HeaderMap) -> Result<String, Problem> {
        if self.tokens.are_none() {
            let here = is_from_here(headers, is_loopback);
            return if here { Ok(from.ip().to_string()) } else { Err(Problem::foreign()) };
        }
        let owner = self.tokens.owner(headers).ok_or_else(Problem::no_token)?;
        Ok(owner.to_string())
    }
}

/// A name of this machine, with a port or without one.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    !host.contains('@') && (name == "localhost" || number.is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn client(tokens: &str, all: &[(&'static str, &str)]) -> Result<String, u16> {
        let pair = |&(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        let tokens = match tokens {
            "" => Tokens::none(),
            text => Tokens::read(text).expect("tokens"),
        };
        let headers = all.iter().map(pair).collect();
        let found = Gate { tokens }.client(([127, 0, 0, 7], 80).into(), &headers);
        found.map_err(|problem| problem.status)
    }

    #[test]
    fn without_tokens_it_must_be_meant_for_this_machine() {
        for host in ["127.0.0.1:8080", "localhost:80", "localhost", "[::1]:8080", "127.0.0.2"] {
            assert_eq!(client("", &[("host", host)]).as_deref(), Ok("127.0.0.7"), "{host}");
            let origin = format!("http://{host}");
            assert!(client("", &[("host", host), ("origin", &origin)]).is_ok(), "{host}");
        }
        for host in ["evil.example:8080", "", "127.0.0.1.evil.example", "a@localhost", "10.0.0.1"] {
            assert_eq!(client("", &[("host", host)]), Err(403), "{host}");
        }
        let own = ("host", "localhost:80");
        for other in [
            ("origin", "http://evil.example"),
            ("origin", "http://localhost:3000"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            assert_eq!(client("", &[own, other]), Err(403), "{other:?}");
        }
        assert_eq!(client("", &[]), Err(403));
    }

    #[test]
    fn with_tokens_one_must_be_shown() {
        let tokens = "ci 0123456789abcdef";
        let shown = ("authorization", "Bearer 0123456789abcdef");
        let any = ("host", "sim.example");
        assert_eq!(client(tokens, &[any, shown]).as_deref(), Ok("ci"));
        assert_eq!(client(tokens, &[any]), Err(401));
        let other = ("authorization", "Bearer 0123456789abcdeg");
        assert_eq!(client(tokens, &[("host", "localhost"), other]), Err(401));
    }
}
