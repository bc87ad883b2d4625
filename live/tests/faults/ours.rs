//! Processes and sockets that belong to a test.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use rustix::process::Pid;

use crate::support::running::until;
use crate::support::{Lab, Running, get};

/// Users of [`SHOP`].
const USERS: usize = 6;

/// A service with everything that could be left behind: workers, upstream, database. Its
/// users always wait for something.
const SHOP: &str = r#"
    load = { users = 6, duration = "60s" }
    service = { concurrency = "async", workers = 1 }
    database = { journal_mode = "wal", connections = { kind = "pool" } }
    upstream.partner.latency = "50ms"
    endpoint = [
        { name = "quote", weight = 3, steps = [{ read = "item" }, { call = "partner" }] },
        { name = "order", weight = 1, steps = [{ write = "order" }, { call = "partner" }] },
    ]
"#;

/// A run of the shop on a port of its own.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) lab: Lab,
    pub(crate) port: u16,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        // Free, and most likely still so when the program asks for it.
        let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = held.local_addr().expect("it is bound").port();
        Shop { lab: Lab::new(SHOP), port }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Starts a run with further `options`.
    pub(crate) fn start(&self, options: &str) -> Running {
        let words = format!("run shop.toml --port {} {options}", self.port);
        Running::start(self.lab.command(&words))
    }

    /// Waits until the load is there and some requests have been answered.
    pub(crate) fn is_busy(&self) {
        until("the load", || (connections(self.port) >= USERS).then_some(()));
        for _ in 0..5 {
            // Whoever came before has been answered before.
            self.serves();
        }
    }

    /// Waits until a visitor is answered.
    pub(crate) fn serves(&self) {
        until("an answer", || {
            let reply = get(self.address(), "/quote", "").ok()?;
            reply.starts_with("HTTP/1.1 200 OK\r\n").then_some(())
        });
    }

    /// Its processes, the first one included, that have the word `part` in their command
    /// line; with an empty one, all of them.
    pub(crate) fn processes(&self, part: &str) -> Vec<Pid> {
        let mark = format!("LIVE_TEST={}", self.lab.mark());
        let entries = fs::read_dir("/proc").expect("Linux").flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let has = |pid: &i32| {
            // One that has just ended has neither.
            let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let contains = |name: &str, text: &str| {
                read(name).split(|byte| *byte == 0).any(|word| word == text.as_bytes())
            };
            contains("environ", &mark) && (part.is_empty() || contains("cmdline", part))
        };
        numbers.filter(has).filter_map(Pid::from_raw).collect()
    }

    /// Waits until there is a process with this `part` that is not `other`.
    pub(crate) fn process(&self, part: &str, other: Option<Pid>) -> Pid {
        until(part, || self.processes(part).into_iter().find(|pid| Some(*pid) != other))
    }

    /// No process is left, and the port is free. What nobody waits for any more may take a
    /// moment to go.
    pub(crate) fn is_left_alone(&self) {
        until("no process", || self.processes("").is_empty().then_some(()));
        until("the port", || TcpListener::bind(self.address()).ok());
    }

    /// Nothing is left of the run but `kept` folders: no process, no port, no file.
    pub(crate) fn is_gone(&self, kept: usize) {
        self.is_left_alone();
        let left = self.lab.left();
        assert_eq!(left.len(), kept, "{left:?}");
        assert!(!left.iter().any(|path| is_hidden(path)), "{left:?}");
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Connections to `port` on this machine.
fn connections(port: u16) -> usize {
    const ESTABLISHED: &str = "01";
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
    let to_port = |line: &&str| {
        let mut words = line.split_whitespace().skip(2);
        let remote = words.next().and_then(|remote| remote.rsplit_once(':'));
        let remote = remote.and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
        remote == Some(port) && words.next() == Some(ESTABLISHED)
    };
    table.lines().filter(to_port).count()
}
