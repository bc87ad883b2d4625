//! A scenario: what is run. Checked, complete, every default filled in.
//!
//! Nothing downstream of this module sees a file. The layers are:
//! files -> one tree of keys (`read`) -> checked keys (`keys`, `check`) -> [`Scenario`].

use serde::Serialize;

use crate::costs::Costs;
use crate::distribution::Distribution;
use crate::units::Span;

/// One service under one load, and what its stack costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// The file's name without its ending: `v6`.
    pub name: String,
    /// The question that the scenario asks, in words.
    pub question: Option<String>,
    /// Root of every random draw.
    pub seed: u64,
    /// Who sends what, when.
    pub load: Load,
    /// The processors that all worker processes share.
    pub cpu: Cpu,
    /// The server and its concurrency.
    pub service: Service,
    /// The database, if a step uses one.
    pub database: Option<Database>,
    /// The third-party services that are called.
    pub upstreams: Vec<Upstream>,
    /// The request classes and their shares; at least one has a weight above zero.
    pub endpoints: Vec<Endpoint>,
    /// What others measured for this rung.
    pub published: Option<Published>,
    /// What things cost on this stack and machine.
    pub costs: Costs,
}

/// The load: who sends requests, and for how long they are counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Closed users or open arrivals.
    pub source: Source,
    /// Time at the start that is run but not counted.
    pub warmup: Span,
    /// Time that is counted, after the warm-up.
    pub duration: Span,
    /// A client gives up after this long; none waits forever.
    pub timeout: Option<Span>,
    /// Connections are kept between requests of the same user.
    pub keep_alive: bool,
}

/// Where requests come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Each user sends, waits for the reply, thinks, repeats.
    Closed {
        /// How many users there are, over time.
        users: Profile,
        /// Pause between a reply and the next request (Z).
        think_time: Distribution,
    },
    /// Requests come whether or not earlier ones are answered.
    Open {
        /// Arrivals per second, over time.
        rate: Profile,
        /// How they are spaced.
        spacing: Spacing,
        /// Most requests in flight; an arrival beyond it is dropped and counted.
        max_users: Option<u32>,
    },
}

/// How open arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// Independent: exponential gaps.
    Poisson,
    /// Arrival i at i/rate, as k6 does it.
    Even,
}

/// A quantity over time: a start value, then straight lines to the target of each stage.
/// After the last stage the last value holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// Value at the start of the run, the warm-up included.
    pub start: f64,
    /// Straight lines, one after the other.
    pub stages: Vec<Stage>,
}

/// One straight line of a [`Profile`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// How long the line is.
    pub duration: Span,
    /// Value at its end.
    pub target: f64,
}

/// The processors of the service, shared by all threads of all its processes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cpu {
    /// How many threads run at a time.
    pub cores: u32,
    /// Speed relative to the machine of the cost profile: 2 halves every CPU time.
    pub speed: f64,
    /// How long a thread runs before another ready one may take its place.
    pub slice: Span,
    /// A slice that is over ends with the kernel's next tick; with none it ends at once.
    pub tick: Span,
    /// CPU bandwidth limit, as `docker --cpus` sets it.
    pub quota: Option<Quota>,
}

/// How long a thread runs on Linux before another ready one may take its place, on a machine
/// with so many processors, whether the thread may use them all or not.
///
/// Linux 6.12's base slice (EEVDF): 0.7 ms, scaled by the processors up to eight
/// (`kernel/sched/fair.c`: `sysctl_sched_base_slice`, `get_update_sysctl_factor`).
pub fn base_slice(processors: u32) -> Span {
    Span::from_micros(700) * u64::from(1 + processors.clamp(1, 8).ilog2())
}

/// CPU time that all threads together may use in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// CPU time per period.
    pub budget: Span,
    /// Length of a period.
    pub period: Span,
}

/// The server: processes, threads, loops, limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// Whose conventions and costs apply.
    pub server: Server,
    /// How a worker serves several requests, unless an endpoint says otherwise.
    pub concurrency: Concurrency,
    /// Worker processes, at least one.
    pub workers: u32,
    /// Thread-pool tokens of each worker, at least one.
    pub threads: u32,
    /// A worker refuses with 503 when its connections or its requests, the new one
    /// included, reach this number.
    pub limit_concurrency: Option<u32>,
    /// Connections that wait to be accepted; beyond it the handshake is dropped.
    pub backlog: u32,
    /// An idle connection is closed after this long.
    pub keep_alive: Span,
    /// How new connections spread over the workers.
    pub spread: Spread,
    /// In whose order callbacks run.
    pub event_loop: EventLoop,
    /// Most connections that the loop accepts before it looks after others: one under libuv,
    /// else all that wait. Where one loop stands for another it accepts as that one does.
    pub accept_most: u32,
}

/// Which server runs the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// uvicorn with its own worker processes.
    Uvicorn,
    /// gunicorn that supervises UvicornWorker.
    Gunicorn,
    /// axum on tokio.
    Axum,
}

/// How a worker serves several requests at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concurrency {
    /// The loop holds a request through all its waits: one at a time.
    Blocking,
    /// A thread from a bounded pool holds a request through all its waits.
    Threadpool,
    /// Waits are parked; the loop serves others meanwhile.
    Async,
}

/// How new connections spread over the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// One shared socket: the loop that went to sleep last is woken first. Uneven.
    Lifo,
    /// One socket per worker: connections are hashed (SO_REUSEPORT).
    Hash,
    /// Each worker in turn: perfectly even, as behind a balancer.
    RoundRobin,
}

/// The event loop's way with a readiness event of the listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventLoop {
    /// Accepts one connection per event.
    Uvloop,
    /// Accepts all that wait.
    Asyncio,
    /// Accepts all that wait; what other threads wake has a queue of its own, and a client's
    /// connection is a task of its own.
    Tokio,
}

/// The database that `read`, `write` and `transaction` steps use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Database {
    /// Which engine.
    pub engine: Engine,
    /// How connections are opened and shared.
    pub connections: Connections,
    /// How long a connection is held.
    pub hold: Hold,
    /// Whether async handlers await the database or block their loop in it.
    pub driver: DriverMode,
}

/// How async handlers call the database. Handlers of other models always block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverMode {
    /// Awaited: SQLite on a thread per connection (aiosqlite), a server over its socket.
    Async,
    /// Called on the loop, which waits with it (sqlite3 inside `async def`).
    Sync,
}

/// The engine behind the connections.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// One file, locked by whoever uses it, in the process of the worker.
    Sqlite(Sqlite),
    /// A server of its own, with its own processors.
    Postgres(Postgres),
}

/// SQLite's settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sqlite {
    /// How a commit is made atomic.
    pub journal_mode: JournalMode,
    /// How many syncs a commit waits for.
    pub synchronous: Synchronous,
    /// How long a statement polls for a lock before `database is locked`.
    pub busy_timeout: Span,
    /// Pragmas that run on every new connection.
    pub pragmas: u32,
    /// Frames in the write-ahead log after which a commit checkpoints; 0 never does.
    pub wal_autocheckpoint: u32,
}

/// SQLite's journal mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalMode {
    /// Rollback journal, deleted at commit.
    Delete,
    /// Rollback journal, cut to zero length at commit.
    Truncate,
    /// Rollback journal, its header overwritten at commit.
    Persist,
    /// Write-ahead log.
    Wal,
}

/// SQLite's synchronous level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Synchronous {
    /// No syncs.
    Off,
    /// Syncs at the most critical moments.
    Normal,
    /// The default: a commit survives power loss.
    Full,
    /// Also syncs the directory after the journal is gone.
    Extra,
}

/// A database server of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Postgres {
    /// Network round trip of each statement.
    pub round_trip: Distribution,
    /// Processors of the database server.
    pub cores: u32,
}

/// How database connections are opened and shared, per worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// Opened for each use and closed after it (SQLAlchemy's NullPool).
    PerOperation,
    /// A pool (SQLAlchemy's QueuePool).
    Pool {
        /// Connections that are kept.
        size: u32,
        /// Connections beyond `size` that are opened under pressure and closed on return.
        overflow: u32,
        /// How long a request waits for one before an error; none waits forever.
        timeout: Option<Span>,
    },
}

/// How long a database connection is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// For one statement or one transaction.
    Operation,
    /// From the first statement to the end of the request, upstream calls included.
    Request,
}

/// A third-party service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Upstream {
    /// Its name in `call` steps.
    pub name: String,
    /// Time from request sent to reply received.
    pub latency: Distribution,
    /// Share of attempts that fail, 0 to 1; a failure takes as long as a reply.
    pub failures: f64,
    /// Client connections per worker process; none is unlimited.
    pub max_connections: Option<u32>,
    /// How long a call waits for a client connection before an error; none waits forever.
    pub pool_timeout: Option<Span>,
    /// A semaphore around the whole call, per worker process; none is unlimited.
    pub max_in_flight: Option<u32>,
    /// An attempt is given up after this long.
    pub timeout: Option<Span>,
    /// Attempts after the first.
    pub retries: u32,
    /// Pause before the first retry; each later one is `backoff_factor` times longer.
    pub backoff: Span,
    /// Growth of the pause.
    pub backoff_factor: f64,
}

/// A class of requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Endpoint {
    /// Its name in the report.
    pub name: String,
    /// Its share of the requests, relative to the other weights.
    pub weight: f64,
    /// Overrides the service's concurrency.
    pub concurrency: Option<Concurrency>,
    /// What its handler does, in order.
    pub steps: Vec<Step>,
}

/// One step of a handler.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Computes.
    Cpu(Distribution),
    /// Waits in a call that blocks its thread, whatever the concurrency: the bug.
    Block(Distribution),
    /// Waits as the concurrency model waits: parked in async, blocking elsewhere.
    Sleep(Distribution),
    /// A query that reads; the name selects its cost.
    Read(String),
    /// A query that writes, in a transaction of its own.
    Write(String),
    /// Several statements in one transaction.
    Transaction {
        /// Statements in order.
        statements: Vec<Statement>,
        /// How the transaction begins.
        begin: Begin,
    },
    /// A call of the upstream with this index in [`Scenario::upstreams`].
    Call(usize),
    /// Steps at the same time; the slowest decides. One after the other where the
    /// concurrency model blocks.
    Gather(Vec<Step>),
}

/// One statement of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statement {
    /// Reads.
    Read(String),
    /// Writes.
    Write(String),
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Begin {
    /// Takes locks when they are first needed; an upgrade fails at once under contention.
    Deferred,
    /// Takes the write lock at the start, and polls for it.
    Immediate,
}

/// A figure that others measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// Good answers per second.
    pub throughput: f64,
    /// True if a cost or a knob was chosen so that this figure comes out.
    pub fitted: bool,
    /// What was fitted to it, or why it is a prediction.
    pub note: String,
}

impl Profile {
    /// The same value for ever.
    pub fn constant(value: f64) -> Profile {
        Profile { start: value, stages: Vec::new() }
    }

    /// The value at `at` after the start of the run.
    pub fn value(&self, at: Span) -> f64 {
        let mut value = self.start;
        let mut begin = Span::ZERO;
        for stage in &self.stages {
            let end = begin + stage.duration;
            if at < end {
                let share = (at - begin).nanos() as f64 / stage.duration.nanos() as f64;
                return value + (stage.target - value) * share;
            }
            value = stage.target;
            begin = end;
        }
        value
    }

    /// The highest value it ever has.
    pub fn peak(&self) -> f64 {
        self.stages.iter().fold(self.start, |peak, stage| peak.max(stage.target))
    }
}

impl Load {
    /// Warm-up and counted time together.
    pub fn total(&self) -> Span {
        self.warmup + self.duration
    }
}

impl Endpoint {
    /// The concurrency that this endpoint runs under.
    pub fn concurrency(&self, service: &Service) -> Concurrency {
        self.concurrency.unwrap_or(service.concurrency)
    }
}

impl Concurrency {
    /// As it is written in a scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            Concurrency::Blocking => "blocking",
            Concurrency::Threadpool => "threadpool",
            Concurrency::Async => "async",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slice_grows_with_the_processors_as_linux_scales_it() {
        let micros = [1, 2, 3, 4, 7, 8, 64].map(|n| base_slice(n).nanos() / 1000);
        assert_eq!(micros, [700, 1400, 1400, 2100, 2100, 2800, 2800]);
    }
}
