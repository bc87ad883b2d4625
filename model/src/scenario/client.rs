//! HTTP clients of services, and what each does unless it is told otherwise.

use crate::keys::Typed;
use crate::units::Span;

words! {
    /// The HTTP client that a service calls an upstream with.
    pub enum Client {
        /// Python's httpx 0.28.1 on httpcore 1.0.9
        Httpx = "httpx",
        /// Python's aiohttp 3.14.5
        Aiohttp = "aiohttp",
        /// Python's requests 2.34.2 on urllib3 2.8.0
        Requests = "requests",
        /// Rust's reqwest 0.12.28 on hyper-util 0.1.21
        Reqwest = "reqwest",
        /// a client without limits and timeouts
        None = "none",
    }
}

/// A value that a client gives a key which is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The key, as `--set` takes it.
    pub key: String,
    /// Its value, in words.
    pub value: String,
    /// Library and version that it comes from.
    pub from: &'static str,
}

impl Client {
    /// Library and version.
    pub fn library(self) -> &'static str {
        match self {
            Client::Httpx => "httpx 0.28.1",
            Client::Aiohttp => "aiohttp 3.14.5",
            Client::Requests => "requests 2.34.2, urllib3 2.8.0",
            Client::Reqwest => "reqwest 0.12.28, hyper-util 0.1.21",
            Client::None => "none",
        }
    }

    /// It goes through its connections as httpcore does, and a call takes their locks. What that
    /// costs is measured of httpx; a client that is not named is taken as the profile's.
    pub fn is_searched(this: Option<Client>) -> bool {
        matches!(this, None | Some(Client::Httpx | Client::None))
    }

    /// What it keeps are idle connections; httpx counts those in use as well.
    pub fn counts_idle(this: Option<Client>) -> bool {
        matches!(this, Some(Client::Aiohttp | Client::Requests | Client::Reqwest))
    }

    /// Its timeout is for the whole call: it goes on while the call waits for a connection.
    pub fn includes_waiting(this: Option<Client>) -> bool {
        this == Some(Client::Aiohttp)
    }

    /// What keys are that are not written: in httpx/_config.py, aiohttp's client.py and
    /// connector.py, requests/adapters.py, and the builders of reqwest and hyper-util.
    pub(crate) fn defaults(self) -> Vec<(&'static str, Typed)> {
        let secs = |secs: u64| Typed::Span(Span::from_secs(secs));
        let (none, all, never) = (Typed::Word("none"), Typed::Word("all"), Typed::Word("never"));
        let (most, kept, expiry, pool_timeout, timeout) = match self {
            Client::Httpx => (Typed::Integer(100), Typed::Integer(20), secs(5), secs(5), secs(5)),
            Client::Aiohttp => (Typed::Integer(100), all, secs(15), secs(300), secs(300)),
            Client::Requests => (none, Typed::Integer(10), never.clone(), never.clone(), never),
            Client::Reqwest => (none, all, secs(90), never.clone(), never),
            Client::None => return Vec::new(),
        };
        vec![
            ("max_connections", most),
            ("kept", kept),
            ("expiry", expiry),
            ("pool_timeout", pool_timeout),
            ("timeout", timeout),
            ("retries", Typed::Integer(0)),
        ]
    }
}
