//! The database and the connections to it.

use crate::distribution::Distribution;
use crate::units::Span;
use crate::words::{JournalMode, Synchronous};

section! {
    /// The database that `read`, `write` and `transaction` steps use.
    #[section("database")]
    pub struct Database {
        /// Which engine.
        #[key(flatten)]
        pub engine: Engine,
        /// How connections are opened and shared, per worker process.
        pub connections: Connections = {},
        /// Where the session comes from, and so how long a connection is held.
        pub hold: Hold = "operation",
        /// How async handlers call the database; handlers of other models always block.
        pub driver: DriverMode = "async",
    }
}

tagged! {
    /// The engine behind the connections.
    #[tag("engine", EngineKind = "sqlite", "The engine behind the connections.")]
    pub enum Engine {
        /// one file, read and written by the worker itself, locked while it is in use
        Sqlite(Sqlite) = "sqlite",
        /// a server of its own, with its own processors
        Postgres(Postgres) = "postgres",
    }
}

section! {
    /// SQLite's settings.
    #[section("database")]
    pub struct Sqlite {
        /// How a commit is made atomic.
        pub journal_mode: JournalMode = "delete",
        /// How many syncs a commit waits for.
        pub synchronous: Synchronous = "full",
        /// How long a statement polls for a lock before `database is locked`.
        #[key(usually(Span::from_secs(600)))]
        pub busy_timeout: Span = "5s",
        /// Pragmas that run on every new connection.
        #[key(within(0, 100))]
        pub pragmas: u32 = 0,
        /// Frames in the write-ahead log after which a commit checkpoints; 0 never does.
        #[key(within(0, 1_000_000_000))]
        pub wal_autocheckpoint: u32 = 1000,
    }
}

section! {
    /// A database server of its own.
    #[section("database")]
    pub struct Postgres {
        /// Network round trip of each statement.
        #[key(usually(Span::from_secs(1)))]
        pub round_trip: Distribution = "0.5ms",
        /// Processors of the database server.
        #[key(within(1, 1024))]
        pub cores: u32 = 2,
    }
}

const KEPT: &str = "write `kind = \"pool\"` if connections are to be kept";

tagged! {
    /// How database connections are opened and shared, per worker process.
    #[tag("kind", ConnectionsKind = "per-operation", "Whether connections are kept.")]
    #[derive(Copy, Eq)]
    pub enum Connections {
        /// opened for each use and closed after it (SQLAlchemy's NullPool)
        PerOperation = "per-operation",
        /// kept and shared (SQLAlchemy's QueuePool)
        Pool {
            /// Connections that are kept.
            #[key(within(1, 100_000), hint(KEPT))]
            size: u32 = 5,
            /// Connections beyond `size` that are opened under pressure and closed on return.
            #[key(within(0, 100_000), hint(KEPT))]
            overflow: u32 = 10,
            /// How long a request waits for a connection before an error.
            #[key(or("never"), hint(KEPT), usually(Span::from_secs(600)))]
            timeout: Option<Span> = "30s",
        } = "pool",
    }
}

table! {
    Connections, "connections", [],
    ["How database connections are opened and shared, per worker process."]
}

words! {
    /// How long a database connection is held.
    pub enum Hold {
        /// for one statement or one transaction
        Operation = "operation",
        /// from the first statement to the end of the handler, upstream calls included: a session
        /// opened in the handler
        Handler = "handler",
        /// from the first statement to the end of the request: a session from a dependency with
        /// `yield`, which a `def` endpoint keeps until its response was validated and sent
        Request = "request",
    }
}

words! {
    /// How async handlers call the database. Handlers of other models always block.
    pub enum DriverMode {
        /// awaited: a thread per connection for sqlite, a socket for postgres
        Async = "async",
        /// called on the loop, which waits with it
        Sync = "sync",
    }
}
