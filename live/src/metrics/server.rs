//! `/metrics` over HTTP.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::prometheus;

/// Where the metrics are.
const PATH: &str = "/metrics";
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);

/// Answers on `stream` until it is closed. `text` has the metrics.
pub(super) async fn connection(stream: TcpStream, text: impl Fn() -> Option<String>) {
    let service = service_fn(|request: Request<_>| {
        std::future::ready(Ok::<_, Infallible>(reply(
            request.method(),
            request.uri().path(),
            &text,
        )))
    });
    let mut server = http1::Builder::new();
    let server = server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    // A client that goes away is no failure.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

fn reply(method: &Method, path: &str, text: &impl Fn() -> Option<String>) -> Response<Full<Bytes>> {
    if path != PATH {
        return plain(StatusCode::NOT_FOUND, format!("The metrics are at {PATH}.\n"));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "GET is allowed.\n".into());
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match text() {
        Some(text) => {
            let mut found = plain(StatusCode::OK, text);
            let of = HeaderValue::from_static(prometheus::CONTENT_TYPE);
            found.headers_mut().insert(CONTENT_TYPE, of);
            found
        }
        None => plain(StatusCode::INTERNAL_SERVER_ERROR, "The metrics cannot be written.\n".into()),
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let of = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, of);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_metrics_are_there_and_can_only_be_read() {
        let status =
            |method, path| reply(&method, path, &|| Some("up 1\n".into())).status().as_u16();
        assert_eq!(status(Method::GET, "/metrics"), 200);
        assert_eq!(status(Method::HEAD, "/metrics"), 200);
        assert_eq!(status(Method::GET, "/"), 404);
        assert_eq!(status(Method::POST, "/metrics"), 405);
        let found = reply(&Method::GET, "/metrics", &|| Some(String::new()));
        assert_eq!(found.headers()[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    }
}
