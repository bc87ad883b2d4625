//! A receiver of traces by OTLP over HTTP, for a service that runs here.

use std::convert::Infallible;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::background::{Background, Seen, accepted};
use super::spans::{Span, otlp_json_line, otlp_protobuf};

/// No message is longer, compressed or not.
const LONGEST: usize = 32 << 20;
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// Listens for `/v1/traces` on loopback, in protobuf or JSON, compressed by gzip, deflate or not.
/// Metrics and logs are taken too, so that an exporter does not repeat them, and thrown away.
#[derive(Debug)]
pub struct Listener {
    background: Background,
    seen: Arc<Seen>,
}

impl Listener {
    /// Listens at this port of loopback; 0 is any that is free.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(port: u16) -> io::Result<Listener> {
        let seen = Arc::<Seen>::default();
        let spans = seen.clone();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let background = Background::listen(address, async move |socket| {
            loop {
                let stream = TokioIo::new(accepted(&socket).await);
                let spans = spans.clone();
                let service = service_fn(move |request| answer(request, spans.clone()));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(stream, service);
                tokio::spawn(connection);
            }
        })?;
        Ok(Listener { background, seen })
    }

    /// Where it listens: what `OTEL_EXPORTER_OTLP_ENDPOINT` is set to, after `http://`.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// The spans that came in since the last call.
    pub fn take(&self) -> Vec<Span> {
        self.seen.take()
    }

    /// Spans that are waiting to be taken.
    pub fn count(&self) -> usize {
        self.seen.count()
    }

    /// Spans that there was no room for.
    pub fn left_out(&self) -> usize {
        self.seen.left_out()
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Seen>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let reply = match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/traces") => traces(request, &seen).await,
        (&Method::POST, "/v1/metrics" | "/v1/logs") => {
            let kind = content_type(&request);
            // The whole body is read, so that the connection can be used again.
            match Limited::new(request.into_body(), LONGEST).collect().await {
                Ok(_) => reply(StatusCode::OK, kind, ""),
                Err(_) => reply(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", ""),
            }
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "traces go to POST /v1/traces"),
    };
    Ok(reply)
}

async fn traces(request: Request<Incoming>, seen: &Seen) -> Response<Full<Bytes>> {
    let kind = content_type(&request);
    let encoding = request.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_vec());
    let Ok(body) = Limited::new(request.into_body(), LONGEST).collect().await else {
        return reply(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "at most 32 MiB");
    };
    match spans(body.to_bytes(), encoding.as_deref(), kind) {
        Ok(spans) => {
            seen.add(spans);
            reply(StatusCode::OK, kind, "")
        }
        Err(problem) => reply(StatusCode::BAD_REQUEST, "text/plain", &problem),
    }
}

fn content_type(request: &Request<Incoming>) -> &'static str {
    let kind = request.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    if kind.starts_with(JSON.as_bytes()) { JSON } else { PROTOBUF }
}

fn spans(body: Bytes, encoding: Option<&[u8]>, kind: &str) -> Result<Vec<Span>, String> {
    let body = match encoding {
        None | Some(b"identity") => body.to_vec(),
        Some(b"gzip") => plain(GzDecoder::new(&body[..]))?,
        Some(b"deflate") => plain(ZlibDecoder::new(&body[..]))?,
        Some(_) => return Err("bodies are plain or compressed by gzip or deflate".to_owned()),
    };
    let spans = if kind == JSON {
        let text = std::str::from_utf8(&body).map_err(|problem| problem.to_string())?;
        otlp_json_line(text)
    } else {
        otlp_protobuf(&body)
    };
    spans.map_err(|problem| problem.to_string())
}

fn plain(packed: impl Read) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let read = packed.take(LONGEST as u64 + 1).read_to_end(&mut plain);
    match read {
        Ok(length) if length > LONGEST => Err("more than 32 MiB when it is unpacked".to_owned()),
        Ok(_) => Ok(plain),
        Err(problem) => Err(format!("not what its encoding says: {problem}")),
    }
}

/// The reply to a message that was taken is an empty message.
fn reply(status: StatusCode, kind: &'static str, text: &str) -> Response<Full<Bytes>> {
    let text = if text.is_empty() && kind == JSON { "{}" } else { text };
    let mut reply = Response::new(Full::new(Bytes::from(text.to_owned())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    reply
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::Listener;

    /// Posts a body and gives the status line of the reply.
    fn post(listener: &Listener, path: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(listener.address()).expect("it listens");
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\
             content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        stream.write_all(body).expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers");
        reply.lines().next().unwrap_or_default().to_owned()
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(body).expect("memory");
        packed.finish().expect("memory")
    }

    fn deflate(body: &[u8]) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(body).expect("memory");
        packed.finish().expect("memory")
    }

    #[test]
    fn it_takes_both_forms_packed_or_not() {
        let listener = Listener::start(0).expect("a free port");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/otlp");
        let protobuf = fs::read(format!("{folder}/older.pb")).expect("a golden");
        let json = fs::read(format!("{folder}/older.json")).expect("a golden");
        let (ok, packed) = ("HTTP/1.1 200 OK", "content-encoding: gzip\r\n");
        let kind = |kind: &str| format!("content-type: application/{kind}\r\n");
        assert_eq!(post(&listener, "/v1/traces", &kind("x-protobuf"), &protobuf), ok);
        let first = listener.take();
        assert_eq!(first.len(), 9);
        for (headers, body) in [
            (kind("json"), json.clone()),
            (kind("json") + packed, gzip(&json)),
            (kind("x-protobuf") + packed, gzip(&protobuf)),
            (kind("x-protobuf") + "content-encoding: deflate\r\n", deflate(&protobuf)),
        ] {
            assert_eq!(post(&listener, "/v1/traces", &headers, &body), ok);
            assert_eq!(listener.take(), first, "{headers}");
        }
        assert_eq!(post(&listener, "/v1/metrics", &kind("x-protobuf"), b"x"), ok);
        assert_eq!(listener.count(), 0);
    }

    #[test]
    fn what_it_cannot_read_is_refused() {
        let listener = Listener::start(0).expect("a free port");
        let refused = "HTTP/1.1 400 Bad Request";
        assert_eq!(post(&listener, "/v1/traces", "", b"\xff\xff"), refused);
        assert_eq!(post(&listener, "/v1/traces", "content-encoding: gzip\r\n", b"x"), refused);
        assert_eq!(post(&listener, "/v1/traces", "content-encoding: br\r\n", b"x"), refused);
        let bomb = gzip(&vec![0; super::LONGEST + 1]);
        assert_eq!(post(&listener, "/v1/traces", "content-encoding: gzip\r\n", &bomb), refused);
        assert_eq!(post(&listener, "/other", "", b""), "HTTP/1.1 404 Not Found");
        assert_eq!(listener.count() + listener.left_out(), 0);
    }

    #[test]
    fn its_port_is_free_when_it_is_dropped() {
        let listener = Listener::start(0).expect("a free port");
        let address = listener.address();
        drop(listener);
        assert!(TcpStream::connect(address).is_err());
    }
}
