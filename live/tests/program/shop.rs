//! A service with everything that could be left behind: workers, upstream, database, port.

use std::fs;
use std::net::SocketAddr;

use testkit::{Running, free_port, get};

use crate::support::Lab;

/// Users of [`SHOP`].
const USERS: usize = 6;

/// Its users always wait for something, and its run lasts until it is interrupted.
const SHOP: &str = r#"
    load = { users = 6, duration = "1h" }
    service = { concurrency = "async", workers = 1 }
    database = { journal_mode = "wal", connections = { kind = "pool" } }
    upstream.partner.latency = "50ms"
    endpoint = [
        { name = "quote", weight = 3, steps = [{ read = "item" }, { call = "partner" }] },
        { name = "order", weight = 1, steps = [{ write = "order" }, { call = "partner" }] },
    ]
"#;

/// A service on a port of its own.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) lab: Lab,
    pub(crate) port: u16,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        Shop { lab: Lab::new(SHOP), port: free_port() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Starts a run with further `options`.
    pub(crate) fn start(&self, options: &str) -> Running {
        self.lab.start(&format!("run shop.toml --port {} {options}", self.port))
    }

    /// True if all users of the load are connected.
    pub(crate) fn is_loaded(&self) -> bool {
        connections(self.port) >= USERS
    }

    /// Waits until some requests of the load have been answered.
    pub(crate) fn is_busy(&self) {
        self.lab.wait_for("the load", || self.is_loaded().then_some(()));
        self.answers_with(200);
    }

    /// Waits until it answers with `status`, several times: requests that came before have
    /// been answered by then.
    pub(crate) fn answers_with(&self, status: u16) {
        let start = format!("HTTP/1.1 {status} ");
        for _ in 0..5 {
            self.lab.wait_for("an answer", || {
                let reply = get(self.address(), "/quote", "").ok()?;
                reply.starts_with(&start).then_some(())
            });
        }
    }

    /// No process and no temporary file is left, the port is free, and `kept` runs are kept.
    pub(crate) fn is_gone(&self, kept: usize) {
        self.lab.only_runs_are_left(kept);
        self.lab.is_free(self.address());
    }
}

/// Connections to `port` on this machine.
pub(crate) fn connections(port: u16) -> usize {
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
