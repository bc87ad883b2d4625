//! A cost profile: what things cost on a given stack and machine.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::distribution::Distribution;
use crate::scenario::{Begin, Concurrency, JournalMode, Server, Statement, Synchronous};
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
    /// What differs between servers.
    pub servers: BTreeMap<Server, ServerCosts>,
    /// Cost of a query by name; `default` stands for every name not listed.
    pub queries: BTreeMap<String, QueryCost>,
    /// The interpreter.
    pub interpreter: Interpreter,
    /// CPU time that a processor loses when it changes threads.
    pub context_switch: Span,
    /// How long an idle processor takes until it runs a thread that has become ready. The
    /// processor is not in use meanwhile.
    pub idle_exit: Span,
    /// What work costs more that has not been done for long.
    pub cache: Cache,
    /// Time between processes on the network.
    pub network: Network,
    /// CPU time of the engine and the kernel for a commit, the lock held, by journal mode
    /// and synchronous level; nothing where not listed.
    pub commits: BTreeMap<JournalMode, BTreeMap<Synchronous, Span>>,
    /// The disk.
    pub disk: Disk,
    /// The database driver's thread hops, under async.
    pub driver: Driver,
    /// The HTTP client of the workers.
    pub client: Client,
    /// Memory, for the estimate of what parked requests cost.
    pub memory: Memory,
}

/// CPU time to bring back into the processor's caches what a kind of work needs, when all of
/// it has gone.
///
/// What is used again after a time t finds a share of 1 - exp(-(t / `decay`)^`shape`) gone
/// (Weibull). With a shape of 1 a line of the cache is as likely to be replaced in any moment as
/// in the one before; with a greater one what was used last is replaced last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cache {
    /// Time in which all but 1/e of what is not used is lost.
    pub decay: Span,
    /// How much more likely it is lost the longer it has not been used: 1 is not at all.
    pub shape: f64,
    /// So many other requests in flight on a processor displace all but 1/e of what a request
    /// has in its caches.
    pub crowd: f64,
    /// What handlers that block need.
    pub blocking: Cold,
    /// What handlers on the thread pool need.
    pub threadpool: Cold,
    /// What handlers that await need.
    #[serde(rename = "async")]
    pub async_: Cold,
}

/// What each kind of work costs more when nothing of it is left in the caches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cold {
    /// For a request: server, framework, handler.
    pub request: Span,
    /// For a statement: driver, engine, pages.
    pub statement: Span,
    /// For an upstream call: the HTTP client.
    pub call: Span,
    /// For opening a database connection.
    pub open: Span,
    /// For a commit.
    pub commit: Span,
}

/// A kind of work that has its own part of the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A request.
    Request,
    /// A statement on the database.
    Statement,
    /// A call of an upstream.
    Call,
    /// Opening a database connection.
    Open,
    /// A commit.
    Commit,
}

impl Work {
    /// How many kinds there are.
    pub const COUNT: usize = 5;
}

impl Cache {
    /// CPU time that `work` costs more when nothing of it is left in the caches.
    pub fn cold(&self, concurrency: Concurrency, work: Work) -> Span {
        let cold = match concurrency {
            Concurrency::Blocking => &self.blocking,
            Concurrency::Threadpool => &self.threadpool,
            Concurrency::Async => &self.async_,
        };
        match work {
            Work::Request => cold.request,
            Work::Statement => cold.statement,
            Work::Call => cold.call,
            Work::Open => cold.open,
            Work::Commit => cold.commit,
        }
    }

    /// Share of what was used `elapsed` ago that has gone.
    pub fn lost(&self, elapsed: Span) -> f64 {
        -(-(elapsed.secs_f64() / self.decay.secs_f64()).powf(self.shape)).exp_m1()
    }

    /// Share of what a request has in the caches of its processor that `others` displace.
    pub fn displaced(&self, others: f64) -> f64 {
        -(-others / self.crowd).exp_m1()
    }

    /// The same with every CPU time as `own` has it.
    fn each(&self, own: impl Fn(Span) -> Span) -> Cache {
        let of = |cold: &Cold| Cold {
            request: own(cold.request),
            statement: own(cold.statement),
            call: own(cold.call),
            open: own(cold.open),
            commit: own(cold.commit),
        };
        Cache {
            decay: self.decay,
            shape: self.shape,
            crowd: self.crowd,
            blocking: of(&self.blocking),
            threadpool: of(&self.threadpool),
            async_: of(&self.async_),
        }
    }
}

/// Round trips, apart from the CPU time of the service. One half passes on the way there, one
/// on the way back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Between client and service: connection handshakes not included.
    pub client: Span,
    /// Between service and upstream.
    pub upstream: Span,
    /// What the client needs to open a connection. It has one thread: it opens those that are
    /// due together one after the other, and sends on them afterwards.
    pub connect: Span,
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
    /// See the end of a connection, and close it.
    pub hang_up: Span,
    /// Refuse a request with 503.
    pub reject: Span,
    /// Client side of one attempt of an upstream call.
    pub call: Span,
    /// Client side of opening and closing a connection to an upstream.
    pub connect: Span,
    /// For each idle connection of the client, whenever one is chosen or given back.
    pub look: Span,
    /// The same for each that is in use.
    pub glance: Span,
    /// To find that another call has taken the connection that was chosen.
    pub miss: Span,
    /// More to open a database connection, and for all that is done on it, when what its
    /// request has in the caches is displaced by others ([`Cache::displaced`]).
    pub crowded_open: Span,
    /// More to open and close a connection to a write-ahead log than one without a log.
    pub log_open: Span,
    /// A connection to a write-ahead log that is the only one: it creates the log's files when
    /// it opens, and removes them when it closes.
    pub last_close: Span,
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

/// What differs for one server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerCosts {
    /// CPU of a worker process relative to the costs as written.
    pub cpu_scale: f64,
    /// More of it per request, such as for an access log.
    pub request: Span,
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

/// The database driver. Its hops are those under async: a thread per connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Driver {
    /// A write by itself is one call that takes the lock, writes and commits. Without, it is a
    /// transaction: what the loop or the interpreter lock does between the calls holds up
    /// everyone else who writes.
    pub autocommit: bool,
    /// A connection that comes back to the pool is for whoever asks first. Who waits is told
    /// only, and queues anew if it comes too late.
    pub overtaking: bool,
    /// Round trips between loop and connection thread of one statement, the last of which
    /// executes it.
    pub statement_hops: u32,
    /// More of them for the rows of a read.
    pub fetch_hops: u32,
    /// More of them to end any statement.
    pub finish_hops: u32,
    /// Those of a commit.
    pub commit_hops: u32,
    /// Those at the end of a read that is no part of a transaction.
    pub rollback_hops: u32,
    /// Those of a connection that goes back.
    pub release_hops: u32,
    /// The same for opening a connection.
    pub open_hops: u32,
    /// The same for closing it.
    pub close_hops: u32,
}

impl Driver {
    /// How the transaction of an operation begins that says `begin`; none if it is a read, or a
    /// write that commits by itself.
    pub fn begin(&self, statements: &[Statement], begin: Option<Begin>) -> Option<Begin> {
        let alone = matches!(statements, [Statement::Write(_)]);
        begin.or_else(|| (alone && !self.autocommit).then_some(Begin::Deferred))
    }
}

/// The HTTP client of a worker process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// With more connections to an upstream than so many, in use and idle, one that falls idle
    /// is closed. None keeps them all.
    pub kept: Option<u32>,
    /// One that is idle for so long is closed. None keeps it.
    pub expiry: Option<Span>,
    /// Locks of a connection that a call takes one after the other, each for a turn of the
    /// event loop, before it has it: who has chosen the same one waits for them, and then has
    /// to choose again. The last is also taken to give the connection back.
    pub locks: u32,
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
        self.servers.get(&server).map_or(1.0, |costs| costs.cpu_scale)
    }

    /// CPU per request that `server` costs more than another.
    pub fn server_request(&self, server: Server) -> Span {
        self.servers.get(&server).map_or(Span::ZERO, |costs| costs.request)
    }

    /// The engine's and the kernel's CPU time for a commit.
    pub fn commit(&self, mode: JournalMode, level: Synchronous) -> Span {
        self.commits.get(&mode).and_then(|levels| levels.get(&level)).copied().unwrap_or(Span::ZERO)
    }

    /// The cost of the query `name`.
    pub fn query(&self, name: &str) -> Option<&QueryCost> {
        self.queries.get(name).or_else(|| self.queries.get("default"))
    }
}

impl Costs {
    /// What a service costs that burns these costs on top of a stack that costs `platform`
    /// by itself.
    ///
    /// CPU times add up. What is not burned is the platform's: disk, network, runtime,
    /// memory. `scale` is the factor on the burned CPU times (the server's share and the
    /// processor's speed); the stack itself is as quick as it is, so that its own costs are
    /// divided by it.
    pub fn burned_on(&self, platform: &Costs, scale: f64) -> Costs {
        let own = |span: Span| span.scale(1.0 / scale);
        let model = |of: fn(&Costs) -> &CpuCosts| of(self).and(of(platform), own);
        let names = self.queries.keys().chain(platform.queries.keys());
        let query = |name: &String| {
            let (burned, by_itself) = (self.query(name), platform.query(name));
            let engine = match (burned.map(|q| &q.engine), by_itself.map(|q| &q.engine)) {
                (Some(burned), Some(by_itself)) => {
                    burned.later(own(Span::from_secs_f64(by_itself.mean())))
                }
                (Some(one), None) => one.clone(),
                (None, Some(one)) => one.scale(1.0 / scale),
                (None, None) => Distribution::Constant(Span::ZERO),
            };
            // What a query changes is said by the scenario's own profile.
            let pages = burned.or(by_itself).map_or(0, |query| query.pages);
            (name.clone(), QueryCost { engine, pages })
        };
        let commits = platform.commits.iter().map(|(mode, levels)| {
            (*mode, levels.iter().map(|(level, span)| (*level, own(*span))).collect())
        });
        Costs {
            name: format!("{} burned on {}", self.name, platform.name),
            about: platform.about.clone(),
            blocking: model(|costs| &costs.blocking),
            threadpool: model(|costs| &costs.threadpool),
            async_: model(|costs| &costs.async_),
            servers: self.servers.clone(),
            queries: names.map(query).collect(),
            commits: commits.collect(),
            cache: platform.cache.each(own),
            ..platform.clone()
        }
    }
}

impl Costs {
    /// These costs without the CPU times of framework, libraries and engine: what a stack has
    /// to burn that they describe already. The factor on a handler's own CPU stays.
    pub fn nothing_burned(&self) -> Costs {
        let queries = self.queries.iter().map(|(name, query)| {
            let engine = Distribution::Constant(Span::ZERO);
            (name.clone(), QueryCost { engine, pages: query.pages })
        });
        let servers = self
            .servers
            .iter()
            .map(|(server, costs)| (*server, ServerCosts { request: Span::ZERO, ..*costs }));
        Costs {
            blocking: CpuCosts::default(),
            threadpool: CpuCosts::default(),
            async_: CpuCosts::default(),
            queries: queries.collect(),
            servers: servers.collect(),
            ..self.clone()
        }
    }
}

impl Default for CpuCosts {
    /// Nothing costs anything.
    fn default() -> CpuCosts {
        let nothing = Span::ZERO;
        CpuCosts {
            request: Distribution::Constant(nothing),
            in_flight: nothing,
            accept: nothing,
            hang_up: nothing,
            reject: nothing,
            call: nothing,
            connect: nothing,
            look: nothing,
            glance: nothing,
            miss: nothing,
            crowded_open: nothing,
            log_open: nothing,
            last_close: nothing,
            hop: nothing,
            statement: nothing,
            open: nothing,
            close: nothing,
            pragma: nothing,
            commit: nothing,
        }
    }
}

impl CpuCosts {
    /// These and what `other` comes to when each of its spans is taken as `own` has it.
    fn and(&self, other: &CpuCosts, own: impl Fn(Span) -> Span) -> CpuCosts {
        let sum = |pick: fn(&CpuCosts) -> Span| pick(self) + own(pick(other));
        CpuCosts {
            request: self.request.later(own(Span::from_secs_f64(other.request.mean()))),
            in_flight: sum(|cpu| cpu.in_flight),
            accept: sum(|cpu| cpu.accept),
            hang_up: sum(|cpu| cpu.hang_up),
            reject: sum(|cpu| cpu.reject),
            call: sum(|cpu| cpu.call),
            connect: sum(|cpu| cpu.connect),
            look: sum(|cpu| cpu.look),
            glance: sum(|cpu| cpu.glance),
            miss: sum(|cpu| cpu.miss),
            crowded_open: sum(|cpu| cpu.crowded_open),
            log_open: sum(|cpu| cpu.log_open),
            last_close: sum(|cpu| cpu.last_close),
            hop: sum(|cpu| cpu.hop),
            statement: sum(|cpu| cpu.statement),
            open: sum(|cpu| cpu.open),
            close: sum(|cpu| cpu.close),
            pragma: sum(|cpu| cpu.pragma),
            commit: sum(|cpu| cpu.commit),
        }
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
