//! The collector that takes OTLP over HTTP.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::otlp;

/// What OTLP adds to the address of a collector.
const PATH: [&str; 2] = ["v1", "metrics"];
/// How long an answer is waited for: the usual time of OTLP.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of an answer that are told where it refuses.
const TOLD: usize = 200;

/// Where a collector takes OTLP over HTTP, such as `http://127.0.0.1:4318`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Url);

/// Why an address is none of a collector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCollector {
    /// It is no URL.
    #[error("it is no URL ({0}); one is such as http://127.0.0.1:4318")]
    NotUrl(String),
    /// It is a URL of another kind.
    #[error(
        "`{0}` is not supported: a URL begins with `http://`. A collector on this machine can pass \
         metrics on over TLS"
    )]
    Scheme(String),
    /// It has parts that such an address does not have.
    #[error("it has a query or a fragment; an address of a collector has neither")]
    Parts,
}

impl FromStr for Collector {
    type Err = NoCollector;

    fn from_str(text: &str) -> Result<Collector, NoCollector> {
        let mut url = Url::parse(text).map_err(|error| NoCollector::NotUrl(error.to_string()))?;
        if url.scheme() != "http" {
            return Err(NoCollector::Scheme(url.scheme().to_string()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NoCollector::Parts);
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(PATH);
        }
        Ok(Collector(url))
    }
}

/// Where metrics are sent.
impl fmt::Display for Collector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// There was no answer.
    #[error("{}", root(.0))]
    Http(#[from] reqwest::Error),
    /// The answer is a refusal.
    #[error("it answered {status}{}", said(.text))]
    Refused {
        /// Its status.
        status: StatusCode,
        /// The beginning of what it says.
        text: String,
    },
    /// Some points were not taken.
    #[error("{0}")]
    Rejected(String),
}

/// The deepest cause: the others say only that a request failed.
fn root(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Sends metrics to a collector.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    client: Client,
    url: Url,
}

impl Sender {
    /// To `collector`, directly: no proxy, no redirection.
    ///
    /// # Errors
    /// There is no client to be had.
    pub(super) fn new(collector: &Collector) -> Result<Sender, ExportError> {
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE);
        Ok(Sender { client: client.build()?, url: collector.0.clone() })
    }

    /// Sends the body of a request.
    ///
    /// # Errors
    /// It was not taken, or not all of it.
    pub(super) async fn send(&self, body: Vec<u8>) -> Result<(), ExportError> {
        let request = self.client.post(self.url.clone()).body(body);
        let response = request.header(CONTENT_TYPE, otlp::CONTENT_TYPE).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body);
            let text = text.trim().chars().filter(|c| !c.is_control()).take(TOLD).collect();
            return Err(ExportError::Refused { status, text });
        }
        otlp::rejected(&body).map_or(Ok(()), |why| Err(ExportError::Rejected(why)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_go_below_the_address_of_the_collector() {
        for (given, sent) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/metrics"),
            ("http://[::1]:9090/api/v1/otlp", "http://[::1]:9090/api/v1/otlp/v1/metrics"),
        ] {
            assert_eq!(given.parse::<Collector>().expect(given).to_string(), sent);
        }
    }

    #[test]
    fn what_is_no_address_of_a_collector_is_refused() {
        let why = |text: &str| text.parse::<Collector>().expect_err(text).to_string();
        assert!(why("127.0.0.1:4318").contains("no URL"));
        assert!(why("localhost:4318").contains("`localhost` is not supported"));
        assert!(why("https://localhost:4318").contains("begins with `http://`"));
        assert!(why("http://localhost:4318/?a=b").contains("query"));
    }
}
