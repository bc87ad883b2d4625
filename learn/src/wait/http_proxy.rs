//! A proxy in front of one upstream: each call that passes is timed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Empty, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::background::{Background, Seen, accepted, now};
use super::spans::{Span, Work};

/// Forwards what it gets on HTTP/1.1 to one upstream, a connection for each of the service's, so
/// that the limits of its client stay what they are.
#[derive(Debug)]
pub struct HttpProxy {
    background: Background,
    seen: Arc<Seen>,
}

/// What every connection needs to know.
struct Route {
    name: String,
    target: String,
    host: HeaderValue,
    seen: Arc<Seen>,
}

type Sent = Either<Incoming, Empty<Bytes>>;
type Upstream = Mutex<Option<SendRequest<Sent>>>;
type Reply = Response<Either<Watched, Full<Bytes>>>;

impl HttpProxy {
    /// Listens at `listen` for calls of the upstream `name`, which is at `target`, host and port.
    ///
    /// # Errors
    /// The port is taken, or the target is no host.
    pub fn start(name: &str, listen: SocketAddr, target: &str) -> io::Result<HttpProxy> {
        let host = HeaderValue::from_str(target).map_err(io::Error::other)?;
        let seen = Arc::<Seen>::default();
        let (name, target) = (name.to_owned(), target.to_owned());
        let route = Arc::new(Route { name, target, host, seen: seen.clone() });
        let background = Background::listen(listen, async move |socket| {
            loop {
                let stream = TokioIo::new(accepted(&socket).await);
                let (route, upstream) = (route.clone(), Arc::<Upstream>::default());
                let service = service_fn(move |request| {
                    let (route, upstream) = (route.clone(), upstream.clone());
                    async move { Ok::<Reply, Infallible>(route.forward(request, &upstream).await) }
                });
                let mut server = hyper::server::conn::http1::Builder::new();
                server.preserve_header_case(true).timer(TokioTimer::new());
                tokio::spawn(server.serve_connection(stream, service));
            }
        })?;
        Ok(HttpProxy { background, seen })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// The calls that ended since the last call of this.
    pub fn take(&self) -> Vec<Span> {
        self.seen.take()
    }
}

impl Route {
    async fn forward(self: &Arc<Route>, request: Request<Incoming>, upstream: &Upstream) -> Reply {
        let call = Call {
            route: self.clone(),
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            start: now(),
            failed: true,
        };
        match self.send(request, upstream).await {
            Ok(reply) => {
                let failed = reply.status().is_server_error();
                reply.map(|body| {
                    let mut watched = Watched { body, call: Some(call), failed };
                    watched.end_if_whole();
                    Either::Left(watched)
                })
            }
            Err(problem) => {
                let text = format!("{} at {}: {problem}\n", self.name, self.target);
                let mut reply = Response::new(Either::Right(Full::new(Bytes::from(text))));
                *reply.status_mut() = StatusCode::BAD_GATEWAY;
                let plain = HeaderValue::from_static("text/plain");
                reply.headers_mut().insert(CONTENT_TYPE, plain);
                reply
            }
        }
    }

    /// Sends it on the connection that is open, or on a new one if the upstream has closed that. A
    /// request that may have reached the upstream is sent again only if that changes nothing (RFC 9110,
    /// 9.2.2) and it has no body.
    async fn send(
        &self,
        request: Request<Incoming>,
        upstream: &Upstream,
    ) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let (mut head, body) = request.into_parts();
        head.headers.insert(HOST, self.host.clone());
        let again = (head.method.is_idempotent() && body.is_end_stream()).then(|| head.clone());
        let mut request = Request::from_parts(head, Either::Left(body));
        let mut open = upstream.lock().await;
        if let Some(sender) = open.as_mut().filter(|sender| !sender.is_closed()) {
            match sender.try_send_request(request).await {
                Ok(reply) => return Ok(reply),
                Err(mut problem) => {
                    let anew = || Some(Request::from_parts(again?, Either::Right(Empty::new())));
                    request = match problem.take_message().or_else(anew) {
                        Some(request) => request,
                        None => return Err(problem.into_error().into()),
                    };
                }
            }
        }
        let sender = open.insert(self.connect().await?);
        Ok(sender.send_request(request).await?)
    }

    async fn connect(&self) -> Result<SendRequest<Sent>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.target).await?;
        stream.set_nodelay(true)?;
        let mut client = http1::Builder::new();
        client.preserve_header_case(true);
        let (sender, connection) = client.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A call under way. It ends when it is dropped: with the last byte of its reply, or without, and then
/// it has failed.
struct Call {
    route: Arc<Route>,
    method: String,
    path: String,
    start: u64,
    failed: bool,
}

impl Drop for Call {
    fn drop(&mut self) {
        let (method, path) = (std::mem::take(&mut self.method), std::mem::take(&mut self.path));
        let work = Work::Call { peer: self.route.name.clone(), method, path };
        self.route.seen.passed(0, "call", work, [self.start, now()], self.failed);
    }
}

/// The body of a reply, whose last byte ends the call before the service gets it.
struct Watched {
    body: Incoming,
    /// None once the reply is whole.
    call: Option<Call>,
    /// The reply says that the upstream failed.
    failed: bool,
}

impl Watched {
    /// Ends the call if nothing is left of the body.
    fn end_if_whole(&mut self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.failed = self.failed;
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => self.end_if_whole(),
            Some(Err(_)) => self.call = None,
            None => self.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
    use std::thread;

    use super::HttpProxy;
    use crate::wait::spans::Work;

    fn loopback() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    fn head(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("open") == 1 {
            text.push(byte[0]);
        }
        String::from_utf8(text).expect("text")
    }

    /// Two calls on one connection: a reply in chunks, and one without a body; then it closes as a third
    /// call comes, and takes that on a new connection.
    fn upstream() -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
        let socket = TcpListener::bind(loopback()).expect("a port");
        let address = socket.local_addr().expect("bound");
        let thread = thread::spawn(move || {
            let (mut stream, _) = socket.accept().expect("a connection");
            let mut heads = vec![head(&mut stream)];
            let chunks =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
            stream.write_all(chunks.as_bytes()).expect("open");
            heads.push(head(&mut stream));
            stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").expect("open");
            head(&mut stream);
            drop(stream);
            let (mut stream, _) = socket.accept().expect("a connection");
            heads.push(head(&mut stream));
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("open");
            heads
        });
        (address, thread)
    }

    #[test]
    fn calls_pass_and_are_timed() {
        let (address, thread) = upstream();
        let target = address.to_string();
        let proxy = HttpProxy::start("partner", loopback(), &target).expect("a port");
        let mut client = TcpStream::connect(proxy.address()).expect("it listens");
        let mut ask = |path: &str| {
            client
                .write_all(
                    format!("GET {path} HTTP/1.1\r\nX-Case: 1\r\nhost: x\r\n\r\n").as_bytes(),
                )
                .expect("open");
            head(&mut client)
        };
        assert!(ask("/quote/1?x=y").starts_with("HTTP/1.1 200 OK"));
        let mut body = [0; 12];
        client.read_exact(&mut body).expect("two chunks");
        assert_eq!(&body, b"2\r\nab\r\n0\r\n\r\n");
        let mut ask = |path: &str| {
            client
                .write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
                .expect("open");
            head(&mut client)
        };
        assert!(ask("/busy").starts_with("HTTP/1.1 503"));
        assert!(ask("/again").starts_with("HTTP/1.1 204"));
        let heads = thread.join().expect("it has answered");
        assert!(heads[0].starts_with("GET /quote/1?x=y HTTP/1.1\r\n"), "{}", heads[0]);
        assert!(heads[0].contains("X-Case: 1\r\n"), "{}", heads[0]);
        assert!(heads[0].to_lowercase().contains(&format!("host: {target}\r\n")), "{}", heads[0]);
        let calls = proxy.take();
        let told: Vec<_> = calls.iter().map(|call| (call.work.clone(), call.failed)).collect();
        let call = |path: &str| Work::Call {
            peer: "partner".into(),
            method: "GET".into(),
            path: path.into(),
        };
        let wanted = [(call("/quote/1"), false), (call("/busy"), true), (call("/again"), false)];
        assert_eq!(told, wanted);
        assert!(calls.windows(2).all(|two| two[0].end <= two[1].start));
    }

    #[test]
    fn a_reply_that_the_service_does_not_read_to_its_end_has_failed() {
        let socket = TcpListener::bind(loopback()).expect("a port");
        let target = socket.local_addr().expect("bound").to_string();
        let proxy = HttpProxy::start("partner", loopback(), &target).expect("a port");
        let mut client = TcpStream::connect(proxy.address()).expect("it listens");
        client.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").expect("open");
        let (mut upstream, _) = socket.accept().expect("a connection");
        head(&mut upstream);
        upstream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").expect("open");
        assert!(head(&mut client).starts_with("HTTP/1.1 200 OK"));
        drop(client);
        // The connection to the upstream ends when the proxy has given the reply up.
        upstream.read_to_end(&mut Vec::new()).expect("the end");
        let calls: Vec<_> = std::iter::repeat_with(|| proxy.take()).flatten().take(1).collect();
        assert!(calls[0].failed, "{calls:?}");
    }

    #[test]
    fn an_upstream_that_is_not_there_is_a_bad_gateway() {
        let free = TcpListener::bind(loopback()).expect("a port").local_addr().expect("bound");
        let proxy = HttpProxy::start("partner", loopback(), &free.to_string()).expect("a port");
        let mut client = TcpStream::connect(proxy.address()).expect("it listens");
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").expect("open");
        assert!(head(&mut client).starts_with("HTTP/1.1 502"));
        let calls = proxy.take();
        assert_eq!((calls.len(), calls[0].failed), (1, true));
    }
}
