//! A scenario made ready to run: names become dense ids, steps a flat program.

mod compile;
mod op;

use model::costs::{Cache, Network};
use model::distribution::Distribution;
use model::scenario::{
    Concurrency, Connections, Cpu, DriverMode, Engine, JournalMode, Load, Scenario, Service,
    Synchronous, Upstream,
};
use model::stream::Purpose;
use model::units::Span;
use model::workload::Workload;

pub use op::{ClientId, DrawId, LookCost, Op, Pc, UpstreamId};

/// Everything that a run needs to know, for one seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of every draw.
    pub seed: u64,
    /// Who sends what.
    pub load: Load,
    /// Draws of classes and think times.
    pub workload: Workload,
    /// Request classes, in the scenario's order.
    pub classes: Vec<Class>,
    /// The program of all classes.
    pub ops: Vec<Op>,
    /// Where each instruction continues if it fails.
    pub unwind: Vec<Pc>,
    /// Start addresses of the branches of each fork.
    pub forks: Vec<Vec<Pc>>,
    /// What is drawn, and from which stream.
    pub draws: Vec<Draw>,
    /// Where a refused request continues.
    pub rejected: Pc,
    /// Processors.
    pub cpu: Cpu,
    /// When the first tick comes, as a share of the time between two: of 2^64.
    pub phase: u64,
    /// CPU lost at each change of threads.
    pub context_switch: Span,
    /// How long an idle processor takes until it runs a thread that has become ready.
    pub idle_exit: Span,
    /// How quickly the caches lose what is not used.
    pub cache: Cache,
    /// Round trips between processes.
    pub network: Network,
    /// One thread of a process at a time, and how long a waiter is patient.
    pub interpreter: Option<Span>,
    /// The interpreter has a lock, and some instructions run outside it.
    pub native: bool,
    /// The server: its processes, threads and limits.
    pub service: Service,
    /// CPU to accept a connection.
    pub accept: Span,
    /// CPU to close a connection.
    pub hang_up: Span,
    /// The database.
    pub database: Option<DatabasePlan>,
    /// Upstreams, in the scenario's order.
    pub upstreams: Vec<Upstream>,
    /// With more connections to an upstream one that falls idle is closed.
    pub kept: Option<u32>,
    /// An HTTP client closes connections that have been idle for so long.
    pub kept_for: Option<Span>,
    /// Where a request's time goes, by number.
    pub places: Vec<PlaceId>,
}

/// A request class.
#[derive(Clone, Debug)]
pub struct Class {
    /// The endpoint's name.
    pub name: String,
    /// First instruction.
    pub start: Pc,
    /// Whether waits are parked when the task is on the loop.
    pub concurrency: Concurrency,
}

/// A distribution and the stream that it is sampled from.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The stream.
    pub purpose: Purpose,
    /// The distribution.
    pub distribution: Distribution,
}

/// The database as the engine needs it.
#[derive(Clone, Debug)]
pub struct DatabasePlan {
    /// How connections are shared.
    pub connections: Connections,
    /// A connection that comes back is for whoever asks first.
    pub overtaking: bool,
    /// SQLite's locking, or none for a server.
    pub sqlite: Option<SqlitePlan>,
    /// Processors of the database server.
    pub server_cores: u32,
    /// Connections have a thread of their own where handlers are async.
    pub connection_threads: bool,
    /// Async handlers await the database; if not, they block their loop in it.
    pub awaited: bool,
}

/// SQLite as the engine needs it.
#[derive(Clone, Debug)]
pub struct SqlitePlan {
    /// Journal mode.
    pub journal_mode: JournalMode,
    /// Synchronous level.
    pub synchronous: Synchronous,
    /// Longest polling for a lock.
    pub busy_timeout: Span,
    /// Frames that trigger a checkpoint; zero never does.
    pub wal_autocheckpoint: u32,
    /// Syncs of a commit.
    pub commit_syncs: u32,
    /// Syncs of a checkpoint.
    pub checkpoint_syncs: u32,
    /// File removal or truncation of a commit.
    pub unlink: Span,
    /// Removing one of the log's files at the last close.
    pub log_unlink: Span,
    /// Copying one page at a checkpoint.
    pub checkpoint_page: Span,
}

use model::place::{self, PlaceId};

impl Plan {
    /// The plan of `scenario` under `seed`.
    ///
    /// # Panics
    /// If the scenario was not checked: a query without a cost, an unknown upstream.
    pub fn new(scenario: &Scenario, seed: u64) -> Plan {
        let program = compile::program(scenario, seed);
        let service = &scenario.service;
        let costs = &scenario.costs;
        let scale = costs.cpu_scale(service.server) / scenario.cpu.speed;
        let cpu_costs = costs.cpu(service.concurrency);
        Plan {
            seed,
            load: scenario.load.clone(),
            workload: Workload::new(seed, &scenario.load.source, &scenario.endpoints),
            classes: program.classes,
            native: costs.interpreter.lock && program.ops.iter().any(Op::is_native),
            ops: program.ops,
            unwind: program.unwind,
            forks: program.forks,
            draws: program.draws,
            rejected: program.rejected,
            cpu: scenario.cpu.clone(),
            phase: phase(scenario.seed, seed),
            context_switch: costs.machine.context_switch.scale(1.0 / scenario.cpu.speed),
            idle_exit: costs.machine.idle_exit,
            cache: costs.cache.clone(),
            network: costs.network.clone(),
            kept: costs.client.kept,
            kept_for: costs.client.expiry,
            interpreter: costs.interpreter.lock.then_some(costs.interpreter.switch_interval),
            service: service.clone(),
            accept: cpu_costs.accept.scale(scale),
            hang_up: cpu_costs.hang_up.scale(scale),
            database: scenario.database.as_ref().map(|database| DatabasePlan {
                connections: database.connections,
                sqlite: match &database.engine {
                    Engine::Sqlite(sqlite) => Some(sqlite_plan(scenario, sqlite)),
                    Engine::Postgres(_) => None,
                },
                server_cores: match &database.engine {
                    Engine::Sqlite(_) => 0,
                    Engine::Postgres(postgres) => postgres.cores,
                },
                overtaking: costs.driver.overtaking,
                connection_threads: matches!(database.engine, Engine::Sqlite(_))
                    && database.driver == DriverMode::Async,
                awaited: database.driver == DriverMode::Async,
            }),
            upstreams: scenario.upstreams.clone(),
            places: place::ids(scenario),
        }
    }

    /// How many places there are.
    pub fn place_count(&self) -> usize {
        self.places.len()
    }
}

/// When the first tick comes under `seed`, one of those of the scenario's replications. The first
/// of them draws it. The seed of the next is greater by 2^64 over the golden ratio
/// ([`model::stream::replication_seed`]), and so is its phase: such a sequence (Weyl's) is spread
/// evenly from its beginning, so that the mean of three replications is not that of three throws.
fn phase(first: u64, seed: u64) -> u64 {
    Purpose::new(first, "tick").draw(0, 0).wrapping_add(seed.wrapping_sub(first))
}

fn sqlite_plan(scenario: &Scenario, sqlite: &model::scenario::Sqlite) -> SqlitePlan {
    let disk = &scenario.costs.disk;
    // The other modes keep the journal file, cut or overwritten.
    let unlinks = sqlite.journal_mode == JournalMode::Delete;
    SqlitePlan {
        journal_mode: sqlite.journal_mode,
        synchronous: sqlite.synchronous,
        busy_timeout: sqlite.busy_timeout,
        wal_autocheckpoint: sqlite.wal_autocheckpoint,
        commit_syncs: model::costs::syncs_per_commit(sqlite.journal_mode, sqlite.synchronous),
        checkpoint_syncs: model::costs::syncs_per_checkpoint(sqlite.synchronous),
        unlink: if unlinks { disk.unlink } else { Span::ZERO },
        log_unlink: disk.unlink,
        checkpoint_page: disk.checkpoint_page,
    }
}

#[cfg(test)]
mod tests {
    use model::stream::replication_seed;

    use super::*;

    #[test]
    fn the_ticks_of_replications_are_spread_evenly() {
        // Whatever the first draws, three are never within a third of the time between two.
        for first in 0..200 {
            let phase = |index| phase(first, replication_seed(first, index)) as f64 / 2f64.powi(64);
            let mut few: Vec<f64> = (0..3).map(phase).collect();
            few.sort_by(f64::total_cmp);
            let gaps = [few[1] - few[0], few[2] - few[1], 1.0 + few[0] - few[2]];
            assert!(gaps.iter().all(|gap| *gap < 0.63), "{few:?}");
            let mean = (0..40).map(phase).sum::<f64>() / 40.0;
            assert!((mean - 0.5).abs() < 0.03, "{mean}");
        }
        let early = (0..400).filter(|&first| phase(first, first) < 1 << 63).count();
        assert!(early.abs_diff(200) < 50, "scenarios with other seeds draw others: {early}");
    }
}
