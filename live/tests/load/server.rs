//! A small server that does to each request what a test tells it to, and remembers it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use live::wire::Key;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) key: Key,
    /// It asked for the connection to be closed.
    pub(crate) close: bool,
    /// The number of the connection that it came on.
    pub(crate) connection: usize,
}

/// What to do with a request.
pub(crate) enum Act {
    /// Answer after this long, with these headers (each line with its end) and a short body.
    Answer(u16, &'static str, Duration),
    /// Answer with 200 and a header of where the time went, which is made last.
    Timed(fn(&Asked) -> String),
    /// Answer with 200, then close without a word.
    AnswerAndClose,
    /// Send these bytes, then close.
    Broken(&'static str),
    /// Do not answer.
    Never,
}

/// 200 at once.
pub(crate) fn good() -> Act {
    Act::Answer(200, "", Duration::ZERO)
}

/// A server with a thread per connection, for as long as the test runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn new(act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::default();
        let server = Server { address, asked: Arc::clone(&asked) };
        let act = Arc::new(act);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (act, asked) = (Arc::clone(&act), Arc::clone(&asked));
                std::thread::spawn(move || {
                    // A client that goes away ends its connection, and nothing else.
                    stream.ok().and_then(|stream| serve(&stream, connection, &*act, &asked))
                });
            }
        });
        server
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    connection: usize,
    act: &dyn Fn(&Asked) -> Act,
    log: &Mutex<Vec<Asked>>,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        let request = lines.next()?.ok()?;
        let path = request.split(' ').nth(1)?.to_string();
        let (mut key, mut close) = (None, false);
        loop {
            let line = lines.next()?.ok()?;
            match line.split_once(": ") {
                Some(("rung-key", value)) => key = Key::parse(value),
                Some(("connection", value)) => close = value == "close",
                Some(_) => {}
                None => break,
            }
        }
        let asked = Asked { path, key: key?, close, connection };
        log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        let mut answer = |status: u16, headers: &str| {
            let text = format!("HTTP/1.1 {status} Text\r\n{headers}content-length: 2\r\n\r\nok");
            stream.write_all(text.as_bytes()).ok()
        };
        match act(&asked) {
            Act::Answer(status, headers, pause) => {
                std::thread::sleep(pause);
                answer(status, headers)?;
            }
            Act::Timed(header) => answer(200, &format!("rung-time: {}\r\n", header(&asked)))?,
            Act::AnswerAndClose => return answer(200, ""),
            Act::Broken(bytes) => return stream.write_all(bytes.as_bytes()).ok(),
            Act::Never => {}
        }
    }
}
