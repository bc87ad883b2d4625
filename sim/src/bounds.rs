//! Operational laws: what throughput can at most be, whatever the queues do.
//!
//! `X <= m/D` for a station of m servers with demand D per request, and `X <= N/(D+Z)` for
//! N closed users (Lazowska et al., Quantitative System Performance, 1984).

use std::collections::BTreeMap;

use model::place::{self, Place};
use model::report::Bound;
use model::scenario::{Concurrency, Group, Scenario, Source};
use model::statistics::round_significant;

use crate::plan::{Basic, DrawId, Op, Pc, Plan};
use crate::{client, cpu, database, event_loop, interpreter, lock, threads, upstream};

/// A thing of which a request holds one for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holding {
    /// The event loop's thread.
    Loop,
    /// A thread of the pool.
    PoolThread,
    /// The thread of a database connection.
    Driver,
    /// The interpreter lock.
    Interpreter,
    /// A database connection.
    Connection,
    /// SQLite's write lock.
    Writer,
    /// A processor of the database server.
    DatabaseServer,
    /// An open transaction there.
    Transaction,
    /// One of these rows: the request's first of that name, its second and so on.
    Row(u32, u32),
    /// The semaphore of an upstream.
    Semaphore(u32),
    /// A limited client connection to an upstream.
    Connections(u32),
    /// One of what an upstream works on at a time.
    Upstream(u32),
    /// A lock of the application.
    Lock(u32),
}

/// Mean demand of one request in seconds: at each place, and of what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    places: Vec<f64>,
    held: BTreeMap<Holding, f64>,
}

impl Demand {
    fn new(plan: &Plan) -> Demand {
        Demand { places: vec![0.0; plan.place_count()], held: BTreeMap::new() }
    }

    /// Seconds at `place`, without any waiting.
    pub(crate) fn at(&self, place: Place) -> f64 {
        self.places[place.index()]
    }

    /// Seconds for which `what` is held.
    pub(crate) fn held(&self, what: Holding) -> f64 {
        self.held.get(&what).copied().unwrap_or(0.0)
    }

    /// Seconds for which rows of this number are held, each row by itself.
    pub(crate) fn held_rows(&self, rows: u32) -> f64 {
        let of = self.held.range(Holding::Row(rows, 0)..=Holding::Row(rows, u32::MAX));
        of.map(|(_, seconds)| seconds).sum()
    }

    /// Adds to the seconds for which `what` is held.
    pub(crate) fn add_held(&mut self, what: Holding, seconds: f64) {
        *self.held.entry(what).or_default() += seconds;
    }

    fn add(&mut self, other: &Demand, factor: f64) {
        self.places.iter_mut().zip(&other.places).for_each(|(a, b)| *a += factor * b);
        for (what, seconds) in &other.held {
            self.add_held(*what, factor * seconds);
        }
    }
}

/// Walks the program of a class along its success path and adds up mean times.
pub(crate) struct Walk<'p> {
    pub(crate) plan: &'p Plan,
    concurrency: Concurrency,
    pub(crate) demand: Demand,
    held: Vec<Holding>,
    /// Longest mean of each group of parallel branches is what a request waits for;
    /// the sum is what the stations do.
    elapsed: f64,
    replied: bool,
    /// What comes is done beside the request, which does not wait for it.
    pub(crate) beside: bool,
}

impl Walk<'_> {
    fn walk(&mut self, mut pc: Pc) {
        loop {
            let op = self.plan.ops[pc as usize];
            pc += 1;
            match op {
                Op::Basic(Basic::Respond | Basic::End | Basic::BranchEnd) => return,
                Op::Basic(Basic::Jump { to }) => pc = to,
                Op::Basic(op) => self.visit(op),
                Op::Cache(_) => {}
                Op::Threads(op) => threads::visit(self, op),
                Op::Database(op) => pc = database::visit(self, op).unwrap_or(pc),
                Op::Upstream(op) => upstream::visit(self, op),
                Op::Lock(op) => lock::visit(self, op),
            }
        }
    }

    fn branches(&mut self, fork: u32) {
        let before = self.elapsed;
        let mut longest: f64 = 0.0;
        let holds_connection = self.held.contains(&Holding::Connection);
        for &start in &self.plan.forks[fork as usize] {
            self.elapsed = 0.0;
            let held = self.held.clone();
            // A branch takes a connection of its own. What the parent holds meanwhile, it
            // holds for as long as the longest branch, not for all of them in a row.
            self.release(Holding::Connection);
            self.walk(start);
            self.held = held;
            longest = longest.max(self.elapsed);
        }
        if holds_connection {
            self.demand.add_held(Holding::Connection, longest);
        }
        self.elapsed = before + longest;
    }

    fn visit(&mut self, op: Basic) {
        match op {
            Basic::Request { draw, .. } | Basic::Cpu { draw } => self.compute(self.mean(draw)),
            Basic::Burn { span } => self.compute(span.secs_f64()),
            Basic::Block { draw } => self.spend(place::BLOCK, self.mean(draw), true),
            Basic::Sleep { draw } => self.spend(place::SLEEP, self.mean(draw), false),
            Basic::ToLoop => self.release(Holding::Driver),
            Basic::Fork { fork } => self.branches(fork),
            // What comes after it is work, but the client does not wait for it.
            Basic::Reply => self.replied = true,
            Basic::Admit
            | Basic::First { .. }
            | Basic::Turn
            | Basic::After { .. }
            | Basic::AfterEnd { .. }
            | Basic::BranchEnd
            | Basic::Jump { .. }
            | Basic::Respond
            | Basic::End
            | Basic::Drop => {}
        }
    }

    /// Mean of a draw, in seconds.
    pub(crate) fn mean(&self, draw: DrawId) -> f64 {
        self.plan.draws[draw as usize].distribution.mean()
    }

    /// From here on the request holds `what`.
    pub(crate) fn hold(&mut self, what: Holding) {
        if !self.held.contains(&what) {
            self.held.push(what);
        }
    }

    /// It holds it here.
    pub(crate) fn holds(&self, what: Holding) -> bool {
        self.held.contains(&what)
    }

    /// From here on it does not.
    pub(crate) fn release(&mut self, what: Holding) {
        self.held.retain(|held| *held != what);
    }

    /// From here on it holds no row of the database.
    pub(crate) fn release_rows(&mut self) {
        self.held.retain(|held| !matches!(held, Holding::Row(..)));
    }

    /// CPU time that holds the interpreter lock.
    fn compute(&mut self, seconds: f64) {
        self.demand.add_held(Holding::Interpreter, seconds);
        self.spend(place::CPU, seconds, true);
    }

    /// A driver that is not awaited holds its thread while it waits.
    pub(crate) fn database_blocks(&self) -> bool {
        self.plan.database.as_ref().is_some_and(|database| !database.awaited)
    }

    /// Time at `place`. What holds the thread it runs on holds the loop, unless it runs on
    /// a pool or driver thread; other waits hold it only where nothing parks.
    pub(crate) fn spend(&mut self, place: Place, seconds: f64, holds_thread: bool) {
        self.demand.places[place.index()] += seconds;
        let elsewhere =
            [Holding::PoolThread, Holding::Driver].iter().any(|thread| self.held.contains(thread));
        if !elsewhere && (holds_thread || self.concurrency == Concurrency::Blocking) {
            self.demand.add_held(Holding::Loop, seconds);
        }
        for what in &self.held {
            self.demand.add_held(*what, seconds);
        }
        if !self.replied && !self.beside {
            self.elapsed += seconds;
        }
    }
}

/// Upper bounds on the throughput of `scenario`, the lowest first.
///
/// They hold in the long run, and while good answers have the mix of the requests: not where
/// one endpoint fails or starves and leaves its share of a station to the others. A bound is
/// left out where its demand is zero. Time lost to context switches, retries,
/// checkpoints and the growth of CPU with requests in flight is left out of all, which
/// keeps them bounds.
pub(crate) fn bounds(scenario: &Scenario, plan: &Plan) -> Vec<Bound> {
    // What share of the requests an endpoint has is not known where groups of the load differ in
    // it: how often each comes round depends on the answer.
    let groups = scenario.load.groups();
    let own =
        |group: &Group| !group.mix.is_empty() || matches!(group.load.source, Source::Replay { .. });
    if groups.len() > 1 && groups.iter().any(own) {
        return Vec::new();
    }
    let weights = groups[0].shares(&scenario.endpoints);
    let sum: f64 = weights.iter().sum();
    let mut mean = Demand::new(plan);
    let mut elapsed = 0.0;
    for (class, weight) in plan.classes.iter().zip(weights) {
        let (concurrency, demand) = (class.concurrency, Demand::new(plan));
        let held = Vec::new();
        let mut walk =
            Walk { plan, concurrency, demand, held, elapsed: 0.0, replied: false, beside: false };
        walk.walk(class.start);
        let share = weight / sum;
        mean.add(&walk.demand, share);
        elapsed += share * walk.elapsed;
    }
    let mut bounds = Vec::new();
    for of in [
        cpu::bounds,
        event_loop::bounds,
        threads::bounds,
        interpreter::bounds,
        database::bounds,
        upstream::bounds,
        lock::bounds,
    ] {
        of(scenario, &mean, &mut bounds);
    }
    bounds.extend(client::bound_of_load(&scenario.load, elapsed));
    bounds.retain(|bound| bound.throughput.is_finite());
    bounds.sort_by(|a, b| a.throughput.total_cmp(&b.throughput));
    bounds
}

/// The lowest bound on the throughput of `scenario`, if more requests arrive than it allows: what is not
/// answered then becomes ever more.
pub(crate) fn overload(scenario: &Scenario) -> Option<f64> {
    let bounds = bounds(scenario, &Plan::new(scenario, scenario.seed));
    let of_arrivals = |name: &str| matches!(name, "load.rate" | "load.trace");
    let arrives = bounds.iter().find(|bound| of_arrivals(&bound.name))?;
    let least = bounds.first()?;
    (least.throughput < arrives.throughput).then_some(least.throughput)
}

/// `servers / demand`, in words and numbers.
pub(crate) fn bound(name: &str, servers: f64, demand: f64) -> Bound {
    Bound {
        name: name.to_string(),
        law: format!("{servers} / {}", seconds(demand)),
        throughput: round_significant(servers / demand),
    }
}

pub(crate) fn seconds(demand: f64) -> String {
    match demand {
        0.0 => "0 s".to_string(),
        _ if demand >= 1.0 => format!("{demand:.3} s"),
        _ => format!("{:.3} ms", demand * 1e3),
    }
}
