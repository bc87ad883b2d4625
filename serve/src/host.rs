//! Whether a request is meant for a server of this machine.
//!
//! A browser sends requests for any page that it has open. A page of a foreign origin is refused, and so
//! is a name that only resolves to this machine: that is how a page can get around the rules of browsers
//! (DNS rebinding).

use axum::http::{HeaderMap, HeaderName, header};

/// True if the request names one of `hosts`, which are names with ports, and no page of another origin
/// has sent it.
pub fn is_from_here(headers: &HeaderMap, is_own: impl Fn(&str) -> bool) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).is_some_and(&is_own);
    let origin = text(header::ORIGIN).is_none_or(|origin| {
        let host = origin.strip_prefix("http://");
        host.is_some_and(|host| is_own(host) && text(header::HOST) == Some(host))
    });
    // What the browser itself says of the page that asks; a typed address has `none`.
    let site = text(HeaderName::from_static("sec-fetch-site"));
    host && origin && site.is_none_or(|site| site == "same-origin" || site == "none")
}
