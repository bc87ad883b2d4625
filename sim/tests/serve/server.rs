//! The program, and a client of a few lines.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};
use testkit::{Lab, Running};

/// Runs for hours, unless it is given up.
pub(crate) const ENDLESS: &str = r#"
    costs.cpu.request = "1us"
    load = { users = 1, duration = "9000h" }
    service.concurrency = "async"
    endpoint = [{ name = "hello", weight = 1 }]
"#;

/// Done in a moment.
pub(crate) const SHOP: &str = r#"
    costs.cpu.request = "1ms"
    load = { users = 5, warmup = "1s", duration = "2s" }
    service.concurrency = "async"
    endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "1ms" }] }]
"#;

/// A server that listens.
pub(crate) struct Server {
    pub(crate) lab: Lab,
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
}

/// A reply: its status, its head in lower case, its body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It tells of a problem of this status and kind.
    pub(crate) fn is_problem(&self, status: u16, kind: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status, &problem["status"]), (status, &json!(status)), "{self:?}");
        assert_eq!(problem["type"], format!("urn:rung:{kind}"), "{self:?}");
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        problem
    }
}

impl Server {
    /// The program with these words, in a folder of its own.
    pub(crate) fn with(words: &str) -> Server {
        Server::in_lab(Lab::new(env!("CARGO_BIN_EXE_sim")), words)
    }

    pub(crate) fn in_lab(lab: Lab, words: &str) -> Server {
        let mut running = lab.start(&format!("serve --listen 127.0.0.1:0 {words}"));
        let address = running.address();
        Server { lab, running, address }
    }

    pub(crate) fn host(&self) -> String {
        format!("host: {}\r\n", self.address)
    }

    /// The reply to a request with these headers.
    pub(crate) fn reply(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        reply(self.address, method, path, headers, body).expect("a reply")
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.reply("GET", path, &self.host(), "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_as(path, "", body)
    }

    /// The same with the token of a client; the test server's own address is its host.
    pub(crate) fn post_as(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.reply("POST", path, &self.headers(token), &body.to_string())
    }

    /// The same, waited for on a thread of its own. An error if the connection breaks.
    pub(crate) fn post_meanwhile(
        &self,
        path: &'static str,
        token: &str,
        body: &Value,
    ) -> JoinHandle<std::io::Result<Reply>> {
        let (address, headers, body) = (self.address, self.headers(token), body.to_string());
        thread::spawn(move || reply(address, "POST", path, &headers, &body))
    }

    fn headers(&self, token: &str) -> String {
        let shown = match token {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        format!("{}{shown}content-type: application/json\r\n", self.host())
    }

    /// A number among the metrics.
    pub(crate) fn metric(&self, name: &str, token: &str) -> f64 {
        let text = self.reply("GET", "/metrics", &self.headers(token), "").body;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}: {text}")).parse().expect("a number")
    }

    /// Waits until so many questions are worked on, and so many wait.
    pub(crate) fn wait_for_work(&self, working: f64, waiting: f64, token: &str) {
        self.lab.wait_for("work", || {
            let now = |name| self.metric(name, token);
            let found = (now("rung_serve_working"), now("rung_serve_waiting"));
            (found == (working, waiting)).then_some(())
        });
    }
}

fn reply(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    read(&reply).ok_or(std::io::ErrorKind::UnexpectedEof.into())
}

/// A whole reply; none if the connection has ended before it did.
pub(crate) fn read(reply: &str) -> Option<Reply> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = length.is_none_or(|length| length.parse() == Ok(body.len()));
    whole.then(|| Reply { status, head, body: body.to_string() })
}
