//! The database and the connections to it.

use super::{DatabaseClient, PgBouncer, Pooler, Rows};
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
        /// The library that talks to the server. Keys that are not written are what it does unless
        /// it is told otherwise.
        pub client: Option<DatabaseClient>,
        /// What stands between the service's pools and the server.
        pub pooler: Pooler = "none",
        /// PgBouncer's settings.
        #[key(or("none"))]
        pub pgbouncer: Option<PgBouncer>,
        /// Network round trip of each statement.
        #[key(usually(Span::from_secs(1)))]
        pub round_trip: Distribution = "0.5ms",
        /// Whose processors the server runs on.
        pub cpu: ServerCpu = "own",
        /// Processors of the database server. They have no meaning with `cpu = "shared"`.
        #[key(within(1, 1024))]
        pub cores: u32 = 2,
        /// Connections that the server allows at a time; it keeps three of them for superusers.
        #[key(within(4, 262_143), or("none"))]
        pub max_connections: Option<u32> = 100,
        /// What becomes of a request whose connection the server refuses, as it has too many.
        pub refused: Refused = "error",
        /// Round trips to open a connection: network, authentication.
        #[key(within(0, 50))]
        pub open_trips: u32 = 0,
        /// Where transactions begin and end, and so how many round trips they take.
        pub transactions: Transactions = "commit",
        /// Whether a commit waits until the log is on the disk.
        pub synchronous_commit: SynchronousCommit = "on",
        /// Executions of a statement on a connection after which the client prepares it, with a
        /// round trip of its own.
        #[key(within(0, 1_000_000), or("never"))]
        pub prepare_after: Option<u32> = "never",
        /// Round trips of a ping, see `connections.pre_ping`.
        #[key(within(1, 50))]
        pub ping_trips: u32 = 1,
        /// Rows that statements lock, by the name that `locks` gives.
        #[key(by_name())]
        pub row: Option<Vec<Rows>>,
        /// How long a session waits for a lock until it looks for a deadlock. If it is part of one,
        /// its own transaction fails.
        #[key(at_least(LEAST_TIMEOUT), usually(Span::from_secs(60)))]
        pub deadlock_timeout: Span = "1s",
        /// How long a statement waits for a lock before it fails. Each wait for a lock counts by
        /// itself.
        #[key(or("never"), at_least(LEAST_TIMEOUT), usually(Span::from_secs(600)))]
        pub lock_timeout: Option<Span> = "never",
        /// How long a statement may take in the server, waits for locks included, before it fails.
        #[key(or("never"), at_least(LEAST_TIMEOUT), usually(Span::from_secs(600)))]
        pub statement_timeout: Option<Span> = "never",
        /// How long a session may be idle in a transaction before the server ends it.
        #[key(or("never"), at_least(LEAST_TIMEOUT), usually(Span::from_secs(600)))]
        pub idle_in_transaction_session_timeout: Option<Span> = "never",
    }
}

/// The server counts its timeouts in milliseconds.
const LEAST_TIMEOUT: Span = Span::from_millis(1);

/// Connections that a server keeps for superusers: `superuser_reserved_connections`, unless it is
/// set otherwise.
const RESERVED: u32 = 3;

impl Postgres {
    /// A server that is `round_trip` away, with so many processors and the other keys at their
    /// defaults.
    pub fn new(round_trip: Distribution, cores: u32) -> Postgres {
        Postgres {
            client: None,
            pooler: Pooler::None,
            pgbouncer: None,
            round_trip,
            cpu: ServerCpu::Own,
            cores,
            max_connections: Some(100),
            refused: Refused::Error,
            open_trips: 0,
            transactions: Transactions::Commit,
            synchronous_commit: SynchronousCommit::On,
            prepare_after: None,
            ping_trips: 1,
            row: None,
            deadlock_timeout: Span::from_secs(1),
            lock_timeout: None,
            statement_timeout: None,
            idle_in_transaction_session_timeout: None,
        }
    }

    /// The rows that statements lock.
    pub fn rows(&self) -> &[Rows] {
        self.row.as_deref().unwrap_or_default()
    }

    /// The pooler's settings, if there is one.
    pub fn pooler(&self) -> Option<PgBouncer> {
        match self.pooler {
            Pooler::None => None,
            Pooler::PgBouncer => Some(self.pgbouncer.unwrap_or_default()),
        }
    }

    /// The server runs on the service's processors.
    pub fn shares_cpu(&self) -> bool {
        self.cpu == ServerCpu::Shared
    }

    /// Connections that a service may have open at a time, if the server limits them.
    pub fn connections(&self) -> Option<u32> {
        self.max_connections.map(|most| most - RESERVED)
    }
}

words! {
    /// Whose processors a database server runs on.
    pub enum ServerCpu {
        /// on `cores` processors of its own, under the `scheduler`, `slice` and `tick` of `[cpu]`
        Own = "own",
        /// on the service's: its sessions are processes that take turns with the workers, as on a
        /// machine that has both
        Shared = "shared",
    }
}

words! {
    /// What becomes of a request whose connection the server refuses.
    pub enum Refused {
        /// it fails
        Error = "error",
        /// it tries again after 10ms, then after twice as long each time, until the pool's timeout
        Retry = "retry",
    }
}

words! {
    /// Where transactions on a server begin and end.
    pub enum Transactions {
        /// nothing begins them; a write, and each `transaction`, ends with a COMMIT
        Commit = "commit",
        /// a `transaction` has BEGIN and COMMIT; a read or a write by itself is one round trip
        Explicit = "explicit",
        /// the first statement on a connection comes after a BEGIN; a write, and each
        /// `transaction`, ends with a COMMIT, and reads with a ROLLBACK when the connection is
        /// given back
        Session = "session",
    }
}

words! {
    /// Whether a commit on a server waits until the log is on the disk.
    pub enum SynchronousCommit {
        /// it waits; commits that come while a sync is under way share the next one
        On = "on",
        /// it does not: the last commits are lost if the server falls
        Off = "off",
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
            /// Which of several idle connections is used: the one that has been idle longest, or
            /// the one that came back last.
            #[key(hint(KEPT))]
            order: Order = "fifo",
            /// A connection that was opened so long ago is opened anew when it is taken.
            #[key(or("never"), at_least(Span::from_micros(1)), hint(KEPT))]
            recycle: Option<Span> = "never",
            /// A ping to the server before a kept connection is used. Only with `engine =
            /// "postgres"`.
            #[key(hint(KEPT))]
            pre_ping: bool = false,
        } = "pool",
    }
}

table! {
    Connections, "connections", [], [],
    ["How database connections are opened and shared, per worker process."]
}

impl Connections {
    /// A pool with the other keys at their defaults.
    pub fn pool(size: u32, overflow: u32, timeout: Option<Span>) -> Connections {
        let (order, recycle, pre_ping) = (Order::Fifo, None, false);
        Connections::Pool { size, overflow, timeout, order, recycle, pre_ping }
    }

    /// Connections that each worker process may have; none if as many as it has uses for them.
    pub fn most(&self) -> Option<u32> {
        match *self {
            Connections::PerOperation => None,
            Connections::Pool { size, overflow, .. } => Some(size.saturating_add(overflow)),
        }
    }
}

words! {
    /// Which of several idle connections is used.
    pub enum Order {
        /// the one that has been idle longest
        Fifo = "fifo",
        /// the one that came back last
        Lifo = "lifo",
    }
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
