//! The words that scenarios and cost profiles share: servers, concurrency models, modes of the
//! database.

words! {
    /// Which server runs the workers.
    pub enum Server {
        /// uvicorn with its own worker processes
        Uvicorn = "uvicorn",
        /// gunicorn that supervises UvicornWorker
        Gunicorn = "gunicorn",
        /// axum on tokio
        Axum = "axum",
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

/// One statement of a transaction: the name selects its cost.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Reads.
    Read(String),
    /// Writes.
    Write(String),
}
