//! A learned service: its endpoints with their steps, what it waits for, its load.
//!
//! Probes and readers of records fill it in; a writer makes a scenario and a cost profile of it.

mod figure;
mod save;
mod write;

use std::collections::BTreeMap;

use live::machine::Turns;
use model::scenario::{Concurrency, Server, ServerCpu, WorkerClass};

pub use figure::{Figure, Origin};
pub use model::scenario::Hold;
pub(crate) use save::replace;
pub use save::save;
pub use write::write;

/// All that is known of a service.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The name of the scenario: that of the file that is written.
    pub name: String,
    /// When, where, of what and how it was learned: `date`, `machine`, `stack`, `method`.
    pub about: BTreeMap<String, String>,
    /// The server and its processes.
    pub service: Service,
    /// The request classes; at least one.
    pub endpoints: Vec<Endpoint>,
    /// What it calls, by the name that [`Step::Call`] uses.
    pub upstreams: Vec<Upstream>,
    /// Its database, if a step uses one.
    pub database: Option<Database>,
    /// The load.
    pub load: Load,
    /// Observations that a scenario cannot express, in whole sentences.
    pub notes: Vec<String>,
}

/// The server and its processes.
#[derive(Clone, Debug)]
pub struct Service {
    /// Whose loop and processes it has.
    pub server: Figure<Server>,
    /// gunicorn's class of workers, if it is one of its own.
    pub worker_class: Option<Figure<WorkerClass>>,
    /// How a handler runs where its endpoint says nothing else.
    pub concurrency: Figure<Concurrency>,
    /// Worker processes.
    pub workers: Figure<u32>,
    /// Threads of each worker's pool; none where the default of the server holds.
    pub threads: Option<Figure<u32>>,
    /// How long an idle connection is kept, seconds; none where the default of the server holds.
    pub keep_alive: Option<Figure>,
    /// CPU time that the first request of each worker takes beside its own, seconds; none if that
    /// was not seen.
    pub first_request: Option<Figure>,
    /// Processors that all workers share.
    pub cores: Figure<u32>,
    /// How threads take turns on them; none if that is not known.
    pub turns: Option<Figure<Turns>>,
    /// CPU time that a processor loses when it changes from one worker process to another, seconds;
    /// none if the CPU time of the steps holds it already, or nothing is known of it.
    pub process_switch: Option<Figure>,
    /// CPU time to open a connection to the database, seconds; none if the CPU time of the steps holds it
    /// already, or nothing is known of it.
    pub open: Option<Figure>,
}

/// A class of requests.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name: `GET /items/{id}`, or what the user calls it.
    pub name: String,
    /// How it is asked for, as `[[endpoint]] request` has it; none if that is not known.
    pub request: Option<Request>,
    /// Its share of the requests, relative to the other weights.
    pub weight: Figure,
    /// How its handler runs; none if as the service's.
    pub concurrency: Option<Figure<Concurrency>>,
    /// How long it keeps a connection to the database; none if as [`Database::hold`].
    pub hold: Option<Figure<Hold>>,
    /// What its handler does, in order.
    pub steps: Vec<Step>,
}

/// A request that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method in capitals.
    pub method: String,
    /// The path with its query; `{1..5000}` is a random whole number in that range.
    pub path: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body; none where nothing is sent.
    pub body: Option<String>,
}

/// One step of a handler. Times are seconds.
#[derive(Clone, Debug)]
pub enum Step {
    /// Computes: CPU seconds of the service's own processes.
    Cpu(Latency),
    /// Waits for something of unknown kind, as its endpoint's concurrency waits: parked in async,
    /// on its thread elsewhere.
    Wait(Latency),
    /// Waits in a call that holds its thread whatever the concurrency: in async the loop stands.
    Block(Latency),
    /// A query of the database, by the name in [`Database::queries`].
    Query(String),
    /// A call of the upstream of this name.
    Call(String),
    /// Steps at the same time.
    Parallel(Vec<Step>),
}

/// 99 % of a normal distribution lie below so many standard deviations.
pub(crate) const Z99: f64 = 2.326_347_874_040_841;

/// How long something takes, in seconds.
#[derive(Clone, Debug)]
pub enum Latency {
    /// Lognormal through two points.
    Lognormal {
        /// Half of them take less.
        p50: Figure,
        /// One in a hundred takes longer.
        p99: Figure,
    },
    /// Pairs of share (0 to 1, ascending) and seconds (ascending); how it is known of all.
    Quantiles(Vec<(f64, f64)>, Figure),
    /// Always the same.
    Constant(Figure),
}

impl Latency {
    /// Its mean in seconds, and its 95 % interval; of a lognormal that of its median, in proportion.
    pub fn mean(&self) -> [f64; 3] {
        let (figure, factor) = match self {
            Latency::Constant(mean) | Latency::Quantiles(_, mean) => (mean, 1.0),
            Latency::Lognormal { p50, p99 } => {
                let sigma = libm::log(p99.value / p50.value) / Z99;
                (p50, libm::exp(sigma * sigma / 2.0))
            }
        };
        let ends = [figure.low, figure.high].map(|end| end.unwrap_or(figure.value));
        [figure.value, ends[0], ends[1]].map(|seconds| seconds * factor)
    }

    /// So many times it, for the reason that is given.
    #[must_use]
    pub fn scaled(&self, factor: f64, why: &str) -> Latency {
        let of = |figure: &Figure| Figure {
            how: format!("{}; {why}", figure.how),
            ..figure.times(factor)
        };
        match self {
            Latency::Constant(mean) => Latency::Constant(of(mean)),
            Latency::Lognormal { p50, p99 } => Latency::Lognormal { p50: of(p50), p99: of(p99) },
            Latency::Quantiles(points, mean) => {
                let points = points.iter().map(|(share, seconds)| (*share, factor * seconds));
                Latency::Quantiles(points.collect(), of(mean))
            }
        }
    }
}

/// A service that it calls.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name: `partner`, or its address.
    pub name: String,
    /// How long a call takes, from outside.
    pub latency: Latency,
    /// Connections of the client at most; none if unlimited or not known.
    pub max_connections: Option<Figure<u32>>,
}

/// A database behind the service.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which one.
    pub engine: model::scenario::Engine,
    /// Processors of its server; none of a database in the service's process.
    pub cores: Option<Figure<u32>>,
    /// Whose they are; its own if none.
    pub cpu: Option<Figure<ServerCpu>>,
    /// Where connections come from, in each worker.
    pub connections: Connections,
    /// How long most endpoints keep a connection; none if that was not seen.
    pub hold: Option<Figure<Hold>>,
    /// Its queries.
    pub queries: Vec<Query>,
    /// There and back on the network, seconds.
    pub round_trip: Option<Figure>,
    /// What a commit takes beside the round trip, seconds; none if no commit was seen.
    pub commit: Option<Figure>,
    /// CPU time of the server to open a connection, seconds; none if that was not seen.
    pub connect: Option<Figure>,
}

/// Where connections to a database come from.
#[derive(Clone, Debug)]
pub enum Connections {
    /// From a pool.
    Pool(Pool),
    /// Each use opens one and closes it: so many for each request.
    Own(Figure),
}

/// Connections to a database that are shared.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Those that are kept.
    pub size: Figure<u32>,
    /// Those that are opened beyond, and closed when they are given back.
    pub overflow: Figure<u32>,
}

/// A query of the database.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its name: `select_items`.
    pub name: String,
    /// It writes.
    pub writes: bool,
    /// How long the server works on it, seconds.
    pub time: Figure,
}

/// The load: users who wait for their replies, or a rate of requests.
#[derive(Clone, Debug)]
pub enum Load {
    /// A number of users, each of which waits for its reply and then thinks.
    Closed {
        /// Users.
        users: Figure<u32>,
        /// Seconds between a reply and the next request.
        think_time: Figure,
    },
    /// Requests that come whatever the service does.
    Open {
        /// Requests per second.
        rate: Figure,
    },
}
