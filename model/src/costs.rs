//! A cost profile: what things cost on a given stack and machine.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::distribution::Distribution;
use crate::scenario::{Concurrency, JournalMode, Server, Synchronous};
use crate::units::Span;

/// Costs of one stack on one machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Costs {
    /// The profile's name: the file's name without its ending.
    pub name: String,
    /// Where the numbers come from: machine, stack, date, method.
    pub about: BTreeMap<String, String>,
    /// CPU time in the worker process, by concurrency model.
    pub blocking: CpuCosts,
    /// The same for handlers on the thread pool.
    pub threadpool: CpuCosts,
    /// The same for async handlers.
    pub async_: CpuCosts,
    /// CPU of a worker process of each server relative to these costs.
    pub servers: BTreeMap<Server, f64>,
    /// Cost of a query by name; `default` stands for every name not listed.
    pub queries: BTreeMap<String, QueryCost>,
    /// The interpreter.
    pub interpreter: Interpreter,
    /// CPU time that a processor loses when it changes threads.
    pub context_switch: Span,
    /// The disk.
    pub disk: Disk,
    /// The database driver's thread hops, under async.
    pub driver: Driver,
    /// Memory, for the estimate of what parked requests cost.
    pub memory: Memory,
}

/// CPU time of the worker process for what the framework and the libraries do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CpuCosts {
    /// Parse, route, call the handler, serialise, send: once per request, before the
    /// handler's steps.
    pub request: Distribution,
    /// More CPU per request for each other request in flight in the same worker.
    pub in_flight: Span,
    /// Accept a connection.
    pub accept: Span,
    /// Refuse a request with 503.
    pub reject: Span,
    /// Client side of one attempt of an upstream call.
    pub call: Span,
    /// Hand work to another thread of the process, or take it back: each way.
    pub hop: Span,
    /// The driver's and the ORM's part of one statement.
    pub statement: Span,
    /// Open a database connection, without its pragmas.
    pub open: Span,
    /// Close a database connection.
    pub close: Span,
    /// Run one pragma on a new connection.
    pub pragma: Span,
    /// Commit a transaction, without the syncs.
    pub commit: Span,
}

/// Cost of a query in the engine itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryCost {
    /// CPU time in the engine: in the worker process but outside the interpreter lock for
    /// SQLite, in the server for Postgres.
    pub engine: Distribution,
    /// Pages that it changes, if it writes.
    pub pages: u32,
}

/// The language runtime of the workers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interpreter {
    /// One thread of a process at a time.
    pub lock: bool,
    /// How long a waiting thread lets the holder run before it asks for the lock.
    pub switch_interval: Span,
}

/// The disk under the database file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disk {
    /// One fsync.
    pub sync: Distribution,
    /// Creating or removing a file, as the rollback journal is at each commit.
    pub unlink: Span,
    /// Copying one page from the write-ahead log into the database at a checkpoint.
    pub checkpoint_page: Span,
}

/// The async driver: a thread per connection, and hops to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Driver {
    /// Round trips between loop and connection thread of one statement.
    pub statement_hops: u32,
    /// The same for opening a connection.
    pub open_hops: u32,
    /// The same for closing it.
    pub close_hops: u32,
}

/// Resident memory, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// A worker process at rest.
    pub worker: u64,
    /// A request in flight.
    pub request: u64,
    /// An open client connection.
    pub connection: u64,
    /// A thread of the pool.
    pub thread: u64,
}

impl Costs {
    /// CPU costs under a concurrency model.
    pub fn cpu(&self, concurrency: Concurrency) -> &CpuCosts {
        match concurrency {
            Concurrency::Blocking => &self.blocking,
            Concurrency::Threadpool => &self.threadpool,
            Concurrency::Async => &self.async_,
        }
    }

    /// CPU of a worker process of `server`, relative to the costs as written.
    pub fn cpu_scale(&self, server: Server) -> f64 {
        self.servers.get(&server).copied().unwrap_or(1.0)
    }

    /// The cost of the query `name`.
    pub fn query(&self, name: &str) -> Option<&QueryCost> {
        self.queries.get(name).or_else(|| self.queries.get("default"))
    }
}

/// Syncs that one commit waits for in the middle of a load, other connections open.
///
/// Counted with strace on SQLite 3.40 for DELETE, TRUNCATE and WAL at their levels;
/// PERSIST counts as TRUNCATE. Levels that were not counted follow SQLite's pager: NORMAL
/// leaves out one journal sync, EXTRA adds one of the directory, OFF syncs nothing.
pub fn syncs_per_commit(mode: JournalMode, level: Synchronous) -> u32 {
    match (mode, level) {
        (_, Synchronous::Off) => 0,
        (JournalMode::Wal, Synchronous::Normal) => 0,
        (JournalMode::Wal, _) => 1,
        (JournalMode::Delete, Synchronous::Normal) => 3,
        (JournalMode::Delete, Synchronous::Full) => 4,
        (JournalMode::Delete, Synchronous::Extra) => 5,
        (_, Synchronous::Normal) => 4,
        (_, Synchronous::Full) => 5,
        (_, Synchronous::Extra) => 6,
    }
}

/// Syncs of one checkpoint cycle: log, database, log header at the restart. None at OFF.
pub fn syncs_per_checkpoint(level: Synchronous) -> u32 {
    if level == Synchronous::Off { 0 } else { 3 }
}
