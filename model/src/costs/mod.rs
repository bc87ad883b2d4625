//! A cost profile: what things cost on a given stack and machine.

mod burned;
mod cache;
mod commit;
mod cpu;
mod database;

use std::collections::BTreeMap;

pub use cache::{CacheCosts, Work};
pub use commit::{CommitCosts, CommitLevels, syncs_per_checkpoint, syncs_per_commit};
pub use cpu::{Cold, CpuCosts, PerConcurrency, PostgresClientCosts, PostgresCosts};
pub use database::{DiskCosts, DriverCosts, QueryCost};

use crate::keys::{Section, TableType};
use crate::units::Span;
use crate::words::{Concurrency, JournalMode, Server, Synchronous};

section! {
    /// What things cost on a given stack and machine.
    #[section("profile")]
    pub struct Costs {
        /// What the profile is called.
        #[key(derived("the file's name without its ending, or `inline`"))]
        pub name: String,
        /// Where the numbers come from: machine, stack, date, method.
        #[key(about_file())]
        pub about: BTreeMap<String, String> = {},
        /// CPU time of the worker process for what the framework and the libraries do.
        pub cpu: PerConcurrency<CpuCosts> = {},
        /// What differs between servers.
        pub server: Servers = {},
        /// Cost of a query by name; `default` stands for every name not listed.
        pub query: BTreeMap<String, QueryCost>,
        /// The language runtime of the workers.
        pub interpreter: Interpreter = {},
        /// The machine.
        pub machine: MachineCosts = {},
        /// CPU time of the engine and the kernel for a commit, the lock held.
        pub commit: CommitCosts = {},
        /// More CPU time for what a worker has not done for long: the processor's caches have
        /// lost it.
        pub cache: CacheCosts = {},
        /// Round trips, apart from the CPU time of the service.
        pub network: NetworkCosts = {},
        /// The disk under the database file.
        pub disk: DiskCosts = {},
        /// The database server, where `engine` is "postgres".
        pub postgres: PerConcurrency<PostgresCosts> = {},
        /// PgBouncer before it.
        pub pgbouncer: PgBouncerCosts = {},
        /// CPU time of the worker process for a database server, instead of statement, open, close
        /// and commit of `cpu`: there a profile has what SQLite costs. Those hold if it is not
        /// written.
        pub postgres_client: Option<PerConcurrency<PostgresClientCosts>>,
        /// The async database driver: a thread per connection, and hops to it.
        pub driver: DriverCosts = {},
        /// The HTTP client of the workers.
        pub client: ClientCosts = {},
        /// Resident memory, for the estimate of what parked requests cost.
        pub memory: MemoryCosts = {},
    }
}

section! {
    /// What differs between servers.
    #[section("server")]
    pub struct Servers {
        /// uvicorn with its own worker processes.
        pub uvicorn: ServerCosts = {},
        /// gunicorn that supervises UvicornWorker.
        pub gunicorn: ServerCosts = {},
        /// axum on tokio.
        pub axum: ServerCosts = {},
    }
}

section! {
    /// What differs for one server.
    #[section("server")]
    pub struct ServerCosts {
        /// CPU of a worker process relative to these costs.
        #[key(between(0.01, 100.0))]
        pub cpu_scale: f64 = 1,
        /// More CPU time per request, such as for an access log.
        #[key(usually(Span::from_secs(1)))]
        pub request: Span = "0s",
    }
}

section! {
    /// The language runtime of the workers.
    #[section("interpreter")]
    pub struct Interpreter {
        /// One thread of a process at a time.
        pub lock: bool = true,
        /// How long a waiting thread lets the holder run before it asks for the lock.
        #[key(at_least(Span::from_micros(1)))]
        pub switch_interval: Span = "5ms",
    }
}

section! {
    /// The machine.
    #[section("machine")]
    pub struct MachineCosts {
        /// CPU time that a processor loses when it changes threads.
        #[key(usually(Span::from_millis(10)))]
        pub context_switch: Span = "0s",
        /// CPU time that it loses beside that when the next thread is one of another process: the
        /// caches and the table of addresses hold what the process before needed.
        #[key(usually(Span::from_millis(10)))]
        pub process_switch: Span = "0s",
        /// How long an idle processor takes until it runs a thread that has become ready.
        #[key(usually(Span::from_millis(100)))]
        pub idle_exit: Span = "0s",
    }
}

section! {
    /// Round trips, apart from the CPU time of the service.
    #[section("network")]
    pub struct NetworkCosts {
        /// Between client and service.
        #[key(usually(Span::from_secs(10)))]
        pub client: Span = "0s",
        /// Between service and upstream.
        #[key(usually(Span::from_secs(10)))]
        pub upstream: Span = "0s",
        /// Between service and database server, on top of each `database.round_trip`: the way to a
        /// process that sleeps, and back.
        #[key(usually(Span::from_secs(10)))]
        pub database: Span = "0s",
        /// What the client, which has one thread, needs to open a connection; it opens all that
        /// are due before it sends on them.
        #[key(usually(Span::from_secs(10)))]
        pub connect: Span = "0s",
        /// Until a client, told that its connection was closed, knows of it: it may be busy. Only
        /// with `load.keep_alive_timeout`.
        pub notice: Span = "0s",
    }
}

section! {
    /// PgBouncer, which has one thread.
    #[section("pgbouncer")]
    #[derive(Copy)]
    pub struct PgBouncerCosts {
        /// CPU time for a message: a command is one, and its reply another. Not measured.
        #[key(usually(Span::from_secs(1)))]
        pub message: Span = "0s",
    }
}

section! {
    /// The HTTP client of the workers.
    #[section("client")]
    pub struct ClientCosts {
        /// With more connections to an upstream than so many, in use and idle, one that falls
        /// idle is closed.
        #[key(within(1, 1_000_000), or("all"))]
        pub kept: Option<u32>,
        /// A connection to an upstream that is idle for so long is closed.
        #[key(at_least(Span::from_micros(1)), or("never"))]
        pub expiry: Option<Span>,
        /// Locks of a connection that an async call takes, each for a turn of the event loop,
        /// before it has it: 2 of httpx.
        #[key(within(0, 50))]
        pub locks: u32 = 0,
    }
}

section! {
    /// Resident memory.
    #[section("memory")]
    pub struct MemoryCosts {
        /// A worker process at rest.
        #[key(bytes())]
        pub worker: u64 = "0B",
        /// A request in flight.
        #[key(bytes())]
        pub request: u64 = "0B",
        /// An open client connection.
        #[key(bytes())]
        pub connection: u64 = "0B",
        /// A thread of the pool.
        #[key(bytes())]
        pub thread: u64 = "0B",
    }
}

/// The keys of a cost profile.
pub fn keys() -> &'static Section {
    Costs::section()
}

impl Servers {
    fn of(&self, server: Server) -> &ServerCosts {
        match server {
            Server::Uvicorn => &self.uvicorn,
            Server::Gunicorn => &self.gunicorn,
            Server::Axum => &self.axum,
        }
    }
}

impl Costs {
    /// CPU costs under a concurrency model.
    pub fn cpu(&self, concurrency: Concurrency) -> &CpuCosts {
        self.cpu.of(concurrency)
    }

    /// CPU time of a worker process for a database server under a concurrency model.
    pub fn postgres_client(&self, concurrency: Concurrency) -> PostgresClientCosts {
        match &self.postgres_client {
            Some(client) => client.of(concurrency).clone(),
            None => {
                let CpuCosts { statement, open, close, commit, .. } = *self.cpu(concurrency);
                PostgresClientCosts { statement, open, close, commit }
            }
        }
    }

    /// CPU of a worker process of `server`, relative to the costs as written.
    pub fn cpu_scale(&self, server: Server) -> f64 {
        self.server.of(server).cpu_scale
    }

    /// CPU per request that `server` costs more than another.
    pub fn server_request(&self, server: Server) -> Span {
        self.server.of(server).request
    }

    /// The engine's and the kernel's CPU time for a commit.
    pub fn commit(&self, mode: JournalMode, level: Synchronous) -> Span {
        self.commit.of(mode).of(level)
    }

    /// The cost of the query `name`.
    pub fn query(&self, name: &str) -> Option<&QueryCost> {
        self.query.get(name).or_else(|| self.query.get("default"))
    }
}
