//! The words that scenarios and cost profiles share: servers, concurrency models, modes of the
//! database.

words! {
    /// Which server runs the workers.
    pub enum Server {
        /// uvicorn with its own worker processes
        Uvicorn = "uvicorn",
        /// gunicorn that supervises the workers of its `worker_class`
        Gunicorn = "gunicorn",
        /// axum on tokio
        Axum = "axum",
    }
}

words! {
    /// gunicorn's `worker_class`: how each of its workers serves.
    pub enum WorkerClass {
        /// UvicornWorker: an event loop, as uvicorn has it
        Uvicorn = "uvicorn",
        /// accepts one connection, serves one request, closes; other connections wait for a worker in
        /// the one queue that all share
        Sync = "sync",
        /// a loop accepts, and threads of a pool serve
        Gthread = "gthread",
    }
}

words! {
    /// How a worker serves several requests at once.
    pub enum Concurrency {
        /// the loop holds a request through all its waits: one at a time
        Blocking = "blocking",
        /// a thread from a bounded pool holds a request through all its waits
        Threadpool = "threadpool",
        /// waits are parked; the loop serves others meanwhile
        Async = "async",
    }
}

words! {
    /// SQLite's journal mode.
    pub enum JournalMode {
        /// rollback journal, deleted at commit
        Delete = "delete",
        /// rollback journal, cut to zero length at commit
        Truncate = "truncate",
        /// rollback journal, its header overwritten at commit
        Persist = "persist",
        /// write-ahead log
        Wal = "wal",
    }
}

words! {
    /// SQLite's synchronous level.
    pub enum Synchronous {
        /// no syncs
        Off = "off",
        /// syncs at the most critical moments
        Normal = "normal",
        /// a commit survives power loss
        Full = "full",
        /// also syncs the directory after the journal is gone
        Extra = "extra",
    }
}

words! {
    /// How a transaction begins.
    pub enum Begin {
        /// takes locks when they are first needed; an upgrade fails at once under contention
        Deferred = "deferred",
        /// takes the write lock at the start, and polls for it
        Immediate = "immediate",
    }
}

/// One statement for the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// It writes; if not, it reads.
    pub writes: bool,
    /// Its query, whose name selects its cost.
    pub query: String,
    /// The row that it locks until its transaction ends.
    pub locks: Option<RowLock>,
}

/// A row of the database that a statement locks.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLock {
    /// The name of the rows of which it is one.
    pub rows: String,
    /// Which of the request's rows of that name, from 1.
    pub nth: u32,
}

impl Statement {
    /// A query that reads.
    pub fn read(query: impl Into<String>) -> Statement {
        Statement { writes: false, query: query.into(), locks: None }
    }

    /// A query that writes.
    pub fn write(query: impl Into<String>) -> Statement {
        Statement { writes: true, query: query.into(), locks: None }
    }

    /// `read` or `write`, as in a scenario.
    pub fn kind(&self) -> &'static str {
        if self.writes { "write" } else { "read" }
    }
}
