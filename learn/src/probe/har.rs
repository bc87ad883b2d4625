//! Requests that a browser recorded: an HTTP archive (HAR 1.2).

use std::collections::BTreeMap;

use model::request::{Listed, Method};
use serde::Deserialize;

use super::openapi::Found;

/// Headers that belong to the connection or to the browser.
const NOT_SENT: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "transfer-encoding",
    "user-agent",
    "upgrade-insecure-requests",
    "if-none-match",
    "if-modified-since",
];

#[derive(Debug, Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Debug, Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    request: Recorded,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<Posted>,
}

#[derive(Debug, Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Deserialize)]
struct Posted {
    text: Option<String>,
}

/// The requests of the archive in `text` that went to `host`: those that only read, and with
/// `writes` all others. What came several times has so much weight.
///
/// # Errors
/// It is no archive.
pub fn requests(text: &str, host: &str, writes: bool) -> Result<Found, String> {
    let archive: Archive =
        serde_json::from_str(text).map_err(|error| format!("it is no HTTP archive: {error}"))?;
    let mut found = Found::default();
    let (mut elsewhere, mut left_out) = (0, 0);
    for Entry { request } in archive.log.entries {
        let Some((there, path)) = request.url.split_once("://").map(|(_, rest)| split(rest)) else {
            continue;
        };
        if there != host {
            elsewhere += 1;
            continue;
        }
        let method = Method::from_name(&request.method);
        let Some(method) = method.filter(|method| method.is_safe() || writes) else {
            left_out += 1;
            continue;
        };
        let name = format!("{} {path}", method.as_str());
        if let Some(again) = found.requests.iter_mut().find(|it| it.title() == name) {
            again.weight += 1.0;
            continue;
        }
        let sent = |header: &Header| {
            let name = header.name.to_lowercase();
            !name.starts_with(':') && !name.starts_with("sec-") && !NOT_SENT.contains(&&*name)
        };
        let headers = request.headers.into_iter().filter(sent);
        let headers: BTreeMap<String, String> =
            headers.map(|header| (header.name.to_lowercase(), header.value)).collect();
        let body = request.post_data.and_then(|posted| posted.text).filter(|_| !method.is_safe());
        // Braces of a recorded path are none of a template.
        let path = path.replace('{', "{{").replace('}', "}}");
        let safe = !method.is_safe();
        found.requests.push(Listed {
            name: Some(name),
            weight: 1.0,
            method,
            path,
            headers,
            body,
            safe,
        });
    }
    if elsewhere > 0 {
        found.notes.push(format!("{elsewhere} recorded requests went to other hosts than {host}."));
    }
    if left_out > 0 {
        found.notes.push(format!("{left_out} recorded requests may change something: left out."));
    }
    Ok(found)
}

/// Host, and path with query, without a fragment.
fn split(url: &str) -> (&str, String) {
    let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let path = path.split('#').next().filter(|path| !path.is_empty()).unwrap_or("/");
    (host, path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_often_has_more_weight() {
        let entry = |method: &str, url: &str| {
            format!(
                r#"{{"request": {{"method": "{method}", "url": "{url}", "headers": [
                    {{"name": "Accept", "value": "*/*"}}, {{"name": "Host", "value": "x"}}]}}}}"#
            )
        };
        let entries = [
            entry("GET", "http://localhost:8000/items?page=1#top"),
            entry("GET", "http://localhost:8000/items?page=1"),
            entry("POST", "http://localhost:8000/orders"),
            entry("GET", "https://fonts.example.com/a.woff"),
        ];
        let text = format!(r#"{{"log": {{"entries": [{}]}}}}"#, entries.join(","));
        let found = requests(&text, "localhost:8000", false).expect("an archive");
        assert_eq!(found.requests.len(), 1);
        assert_eq!((&*found.requests[0].path, found.requests[0].weight), ("/items?page=1", 2.0));
        assert_eq!(found.requests[0].headers.len(), 1);
        assert_eq!(found.notes.len(), 2);
        assert_eq!(requests(&text, "localhost:8000", true).expect("it").requests.len(), 2);
        assert!(requests("[]", "x", false).is_err());
    }
}
