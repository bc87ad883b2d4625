//! How an endpoint of a service of one's own is asked for.

use std::collections::BTreeMap;

section! {
    /// How an endpoint of a service of your own is asked for. Only `live load`, a measurement with
    /// `--target URL` and an exported script for k6 send it: it changes nothing in what the endpoint
    /// costs.
    #[section("request")]
    #[derive(Eq)]
    pub struct Request {
        /// The method, in capitals.
        pub method: String = "GET",
        /// The path with its query. Parts in braces are drawn for each request: `{1..5000}` is a
        /// whole number, `{uuid}` a UUID, `{a|b|c}` one of these words.
        pub path: String,
        /// Headers beside `host` and `content-length`; values have the same drawn parts.
        pub headers: BTreeMap<String, String> = {},
        /// The body, with the same drawn parts; none is sent if it is left out. An object or array
        /// of JSON is sent as `application/json` unless a header says otherwise.
        pub body: Option<String>,
    }
}

/// Headers that are sent unless the request has its own.
const USUAL: [(&str, &str); 2] = [("accept", "*/*"), ("user-agent", "rung")];

impl Request {
    /// Headers that are sent beside its own.
    pub fn usual_headers(&self) -> Vec<(&'static str, &'static str)> {
        let json = self.body.as_deref().is_some_and(is_json);
        let json = json.then_some(("content-type", "application/json"));
        let has = |name: &str| self.headers.keys().any(|key| key.eq_ignore_ascii_case(name));
        USUAL.into_iter().chain(json).filter(|(name, _)| !has(name)).collect()
    }

    /// Sending it twice does what sending it once does (RFC 9110, 9.2.2).
    pub fn is_idempotent(&self) -> bool {
        !matches!(self.method.as_str(), "POST" | "PATCH")
    }
}

/// The text looks like an object or an array of JSON.
fn is_json(body: &str) -> bool {
    body.trim_start().starts_with(['{', '['])
}
