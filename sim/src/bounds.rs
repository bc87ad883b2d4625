//! Operational laws: what throughput can at most be, whatever the queues do.
//!
//! `X <= m/D` for a station of m servers with demand D per request, and `X <= N/(D+Z)` for
//! N closed users (Lazowska et al., Quantitative System Performance, 1984).

use model::report::Bound;
use model::scenario::{Concurrency, Scenario, Source};
use model::statistics::round_significant;

use crate::plan::{Op, Pc, Plan};
use model::place::{self, Place};

/// Mean demand of one request by place, and how long it holds what it holds.
#[derive(Clone, Debug, Default)]
struct Demand {
    /// Seconds by place, without any waiting.
    places: Vec<f64>,
    /// Seconds on the loop's thread.
    on_loop: f64,
    /// Seconds on a pool thread.
    on_pool: f64,
    /// Seconds that a database connection is held.
    connection: f64,
    /// Seconds that SQLite's write lock is held.
    writer: f64,
    /// Seconds at the database server's processors.
    server: f64,
    /// Seconds of CPU that hold the interpreter lock.
    interpreter: f64,
    /// Seconds in each upstream's semaphore, and on its client connections.
    semaphores: Vec<f64>,
    clients: Vec<f64>,
}

/// What is held at an instruction.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    pool_thread: bool,
    driver: bool,
    connection: bool,
    writer: bool,
    semaphore: Option<u32>,
    client: Option<u32>,
}

impl Demand {
    fn new(plan: &Plan) -> Demand {
        Demand {
            places: vec![0.0; plan.place_count()],
            semaphores: vec![0.0; plan.upstreams.len()],
            clients: vec![0.0; plan.upstreams.len()],
            ..Demand::default()
        }
    }

    fn spend(&mut self, place: Place, seconds: f64, on_loop: bool, held: Held) {
        self.places[place.index()] += seconds;
        if on_loop {
            self.on_loop += seconds;
        }
        if held.pool_thread {
            self.on_pool += seconds;
        }
        if held.connection {
            self.connection += seconds;
        }
        if held.writer {
            self.writer += seconds;
        }
        if let Some(upstream) = held.semaphore {
            self.semaphores[upstream as usize] += seconds;
        }
        if let Some(upstream) = held.client {
            self.clients[upstream as usize] += seconds;
        }
    }

    fn add(&mut self, other: &Demand, factor: f64) {
        let sum = |into: &mut Vec<f64>, from: &[f64]| {
            into.iter_mut().zip(from).for_each(|(a, b)| *a += factor * b);
        };
        sum(&mut self.places, &other.places);
        sum(&mut self.semaphores, &other.semaphores);
        sum(&mut self.clients, &other.clients);
        self.on_loop += factor * other.on_loop;
        self.on_pool += factor * other.on_pool;
        self.connection += factor * other.connection;
        self.writer += factor * other.writer;
        self.server += factor * other.server;
        self.interpreter += factor * other.interpreter;
    }
}

/// Walks the program of a class along its success path and adds up mean times.
struct Walk<'p> {
    plan: &'p Plan,
    concurrency: Concurrency,
    /// Connections are opened anew for each use.
    reopens: bool,
    demand: Demand,
    held: Held,
    /// Longest mean of each group of parallel branches is what a request waits for;
    /// the sum is what the stations do.
    elapsed: f64,
}

impl Walk<'_> {
    fn walk(&mut self, mut pc: Pc) {
        loop {
            let op = self.plan.ops[pc as usize];
            pc += 1;
            match op {
                Op::Respond | Op::BranchEnd => return,
                Op::Jump { to } => pc = to,
                Op::Fork { fork } => self.branches(fork),
                Op::SkipIfOpen { open } if !self.reopens => pc = open,
                Op::SkipIfKept { keep } if !self.reopens => pc = keep,
                other => self.visit(other),
            }
        }
    }

    fn branches(&mut self, fork: u32) {
        let before = self.elapsed;
        let mut longest: f64 = 0.0;
        for &start in &self.plan.forks[fork as usize] {
            self.elapsed = 0.0;
            let held = self.held;
            // A branch takes a connection of its own. What the parent holds meanwhile, it
            // holds for as long as the longest branch, not for all of them in a row.
            self.held.connection = false;
            self.walk(start);
            self.held = held;
            longest = longest.max(self.elapsed);
        }
        if self.held.connection {
            self.demand.connection += longest;
        }
        self.elapsed = before + longest;
    }

    fn visit(&mut self, op: Op) {
        let mean = |draw: u32| self.plan.draws[draw as usize].distribution.mean();
        match op {
            Op::Request { draw, .. } | Op::Cpu { draw } => self.compute(mean(draw)),
            Op::Native { draw } => self.spend(place::CPU, mean(draw), true),
            Op::Burn { span } => self.compute(span.secs_f64()),
            Op::BeginWrite => self.held.writer = true,
            Op::CommitEnd => self.held.writer = false,
            Op::Block { draw } => self.spend(place::BLOCK, mean(draw), true),
            Op::Sleep { draw } => self.spend(place::SLEEP, mean(draw), false),
            Op::TokenAcquire => self.held.pool_thread = true,
            Op::TokenRelease => self.held.pool_thread = false,
            Op::ToDriver => self.held.driver = true,
            Op::ToLoop => self.held.driver = false,
            Op::Checkout => self.held.connection = true,
            Op::Checkin => self.held.connection = false,
            Op::CommitSync { sync } => {
                let database = self.plan.database.as_ref();
                if let Some(sqlite) = database.and_then(|d| d.sqlite.as_ref()) {
                    let seconds = f64::from(sqlite.commit_syncs) * mean(sync);
                    self.spend(place::DISK, seconds + sqlite.unlink.secs_f64(), self.blocks());
                }
            }
            Op::Server { engine, round_trip } => {
                self.demand.server += mean(engine);
                self.spend(place::SERVER, mean(engine) + mean(round_trip), self.blocks());
            }
            Op::SemaphoreAcquire { upstream } => self.held.semaphore = Some(upstream),
            Op::SemaphoreRelease { .. } => self.held.semaphore = None,
            Op::ConnectionAcquire { upstream, .. } => self.held.client = Some(upstream),
            Op::ConnectionRelease { .. } => self.held.client = None,
            Op::Exchange { upstream, latency, .. } => {
                let spec = &self.plan.upstreams[upstream as usize];
                let latency = &self.plan.draws[latency as usize].distribution;
                let mean = spec.timeout.map_or(latency.mean(), |cap| latency.mean_capped(cap));
                self.spend(place::upstream(upstream), mean, false);
            }
            _ => {}
        }
    }

    /// CPU time that holds the interpreter lock.
    fn compute(&mut self, seconds: f64) {
        self.demand.interpreter += seconds;
        self.spend(place::CPU, seconds, true);
    }

    /// A driver that is not awaited holds its thread while it waits.
    fn blocks(&self) -> bool {
        self.plan.database.as_ref().is_some_and(|database| !database.awaited)
    }

    /// Time at `place`. What holds the thread it runs on holds the loop, unless it runs on
    /// a pool or driver thread; other waits hold it only where nothing parks.
    fn spend(&mut self, place: Place, seconds: f64, holds_thread: bool) {
        let elsewhere = self.held.pool_thread || self.held.driver;
        let on_loop = !elsewhere && (holds_thread || self.concurrency == Concurrency::Blocking);
        self.demand.spend(place, seconds, on_loop, self.held);
        self.elapsed += seconds;
    }
}

/// Upper bounds on the throughput of `scenario`, the lowest first.
///
/// They hold in the long run, and while good answers have the mix of the requests: not where
/// one endpoint fails or starves and leaves its share of a station to the others. A bound is
/// left out where its demand is zero. Time lost to context switches, retries,
/// checkpoints and the growth of CPU with requests in flight is left out of all, which
/// keeps them bounds.
pub fn bounds(scenario: &Scenario, plan: &Plan) -> Vec<Bound> {
    let weights: f64 = scenario.endpoints.iter().map(|e| e.weight).sum();
    let mut mean = Demand::new(plan);
    let mut elapsed = 0.0;
    for (class, endpoint) in plan.classes.iter().zip(&scenario.endpoints) {
        let reopens = plan
            .database
            .as_ref()
            .is_some_and(|d| d.connections == model::scenario::Connections::PerOperation);
        let mut walk = Walk {
            plan,
            concurrency: class.concurrency,
            reopens,
            demand: Demand::new(plan),
            held: Held::default(),
            elapsed: 0.0,
        };
        walk.walk(class.start);
        let share = endpoint.weight / weights;
        mean.add(&walk.demand, share);
        elapsed += share * walk.elapsed;
    }
    let mut bounds = station_bounds(scenario, &mean);
    bounds.extend(load_bound(&scenario.load.source, elapsed));
    bounds.retain(|bound| bound.throughput.is_finite());
    bounds.sort_by(|a, b| a.throughput.total_cmp(&b.throughput));
    bounds
}

/// `servers / demand`, in words and numbers.
fn bound(name: &str, servers: f64, demand: f64) -> Bound {
    Bound {
        name: name.to_string(),
        law: format!("{servers} / {}", seconds(demand)),
        throughput: round_significant(servers / demand),
    }
}

fn seconds(demand: f64) -> String {
    match demand {
        0.0 => "0 s".to_string(),
        _ if demand >= 1.0 => format!("{demand:.3} s"),
        _ => format!("{:.3} ms", demand * 1e3),
    }
}

fn station_bounds(scenario: &Scenario, mean: &Demand) -> Vec<Bound> {
    let workers = f64::from(scenario.service.workers);
    let mut cores = f64::from(scenario.cpu.cores);
    if let Some(quota) = scenario.cpu.quota {
        cores = cores.min(quota.budget.secs_f64() / quota.period.secs_f64());
    }
    let mut all = vec![
        bound("cpu", cores, mean.places[place::CPU.index()]),
        bound("service.workers (loop)", workers, mean.on_loop),
    ];
    if mean.on_pool > 0.0 {
        let tokens = workers * f64::from(scenario.service.threads);
        all.push(bound("service.threads", tokens, mean.on_pool));
    }
    if scenario.costs.interpreter.lock && scenario.cpu.cores > 1 {
        all.push(bound("interpreter lock", workers, mean.interpreter));
    }
    match scenario.database.as_ref().map(|database| &database.engine) {
        Some(model::scenario::Engine::Postgres(postgres)) => {
            all.push(bound("database.cores", f64::from(postgres.cores), mean.server));
        }
        Some(model::scenario::Engine::Sqlite(_)) => {
            all.push(bound("database write lock", 1.0, mean.writer));
        }
        None => {}
    }
    if let Some(database) = &scenario.database
        && let model::scenario::Connections::Pool { size, overflow, .. } = database.connections
    {
        let slots = workers * (f64::from(size) + f64::from(overflow));
        all.push(bound("database.connections", slots, mean.connection));
    }
    for (index, upstream) in scenario.upstreams.iter().enumerate() {
        if let Some(slots) = upstream.max_in_flight {
            let name = model::keys::path(&["upstream", upstream.name.as_str(), "max_in_flight"]);
            all.push(bound(&name, workers * f64::from(slots), mean.semaphores[index]));
        }
        if let Some(slots) = upstream.max_connections {
            let name = model::keys::path(&["upstream", upstream.name.as_str(), "max_connections"]);
            all.push(bound(&name, workers * f64::from(slots), mean.clients[index]));
        }
    }
    all
}

fn load_bound(source: &Source, elapsed: f64) -> Option<Bound> {
    Some(match source {
        Source::Closed { users, think_time } => {
            let (n, z) = (users.peak(), think_time.mean());
            Bound {
                name: "load.users".into(),
                law: format!("{n} / ({} + {})", seconds(elapsed), seconds(z)),
                throughput: round_significant(n / (elapsed + z)),
            }
        }
        Source::Open { rate, .. } => Bound {
            name: "load.rate".into(),
            law: "arrivals".into(),
            throughput: round_significant(rate.peak()),
        },
    })
}
