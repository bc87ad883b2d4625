//! A client and a server of a few lines each, for HTTP as tests want it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The whole reply to a plain request with further `headers`, each with its line end.
///
/// # Errors
/// Nothing listens there, or the connection breaks.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{headers}\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// A port on which nothing listens, and that the system gives to no connection by itself: below
/// its range for those.
pub fn free_port() -> u16 {
    const RANGE: u32 = 20_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = process::id() * 97;
    let next = || (first + TRIED.fetch_add(1, Ordering::Relaxed)) % RANGE;
    let ports = (0..RANGE).map(|_| 10_000 + next() as u16);
    ports.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a port")
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, as it was written.
    pub path: String,
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; empty if there is none.
    pub body: String,
    /// The number of the connection that it came on.
    pub connection: usize,
}

/// How to reply to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answer with a status, headers (each line with its end) and a short body, after a pause.
    Answer(u16, String, Duration),
    /// Answer with 200, then close the connection without saying so.
    AnswerAndClose,
    /// Send these bytes, then close.
    Broken(&'static str),
    /// Do not answer.
    Never,
}

impl Reply {
    /// 200 at once.
    pub fn good() -> Reply {
        Reply::Answer(200, String::new(), Duration::ZERO)
    }
}

/// A server with a thread per connection, for as long as the test program runs.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server that replies as `reply` says.
    pub fn new(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let requests = Arc::default();
        let server = Server { address, requests: Arc::clone(&requests) };
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (reply, requests) = (Arc::clone(&reply), Arc::clone(&requests));
                thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    // A client that goes away ends its connection, and nothing else.
                    let _ = serve(&stream, connection, &*reply, &requests);
                });
            }
        });
        server
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Replies to the requests on one connection; none when it has ended.
fn serve(
    mut stream: &TcpStream,
    connection: usize,
    reply: &dyn Fn(&Request) -> Reply,
    log: &Mutex<Vec<Request>>,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let first = reader.by_ref().lines().next()?.ok()?;
        let (method, rest) = first.split_once(' ')?;
        let (method, path) = (method.to_string(), rest.split(' ').next()?.to_string());
        let mut headers = BTreeMap::new();
        while let Some((name, value)) = reader.by_ref().lines().next()?.ok()?.split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_string());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or_default()];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let request = Request { method, path, headers, body, connection };
        log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let mut answer = |status: u16, headers: &str| {
            let body = if request.method == "HEAD" { "" } else { "ok" };
            let text =
                format!("HTTP/1.1 {status} Text\r\n{headers}content-length: 2\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).ok()
        };
        match reply(&request) {
            Reply::Answer(status, headers, pause) => {
                thread::sleep(pause);
                answer(status, &headers)?;
            }
            Reply::AnswerAndClose => return answer(200, ""),
            Reply::Broken(bytes) => return stream.write_all(bytes.as_bytes()).ok(),
            Reply::Never => {}
        }
    }
}
