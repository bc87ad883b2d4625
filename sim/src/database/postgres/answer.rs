//! The database server in answers: its processors.

use model::keys;
use model::place;
use model::report::Bound;
use model::scenario::{Connections, Engine, Postgres, Scenario, SynchronousCommit};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::pooler::Pooler;
use super::{Command, Op};
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit};
use crate::plan::Pc;

/// What is counted of the database server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Processors at work.
    pub busy: Gauge,
    /// Commands that wait for one.
    pub queue: Gauge,
    /// Connections that are open.
    pub sessions: Gauge,
    /// Connections of the pooler to it that clients use.
    pub pooler: Gauge,
    /// Commands that wait for one.
    pub pooler_queue: Gauge,
    /// Commands that have reached it.
    pub commands: u64,
    /// Syncs of the log.
    pub syncs: u64,
    /// Rows that statements lock, by their number in the scenario.
    pub rows: Vec<OfRows>,
}

/// What is counted of rows of one name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OfRows {
    /// Those that are locked.
    pub held: Gauge,
    /// Statements that wait for one.
    pub waiting: Gauge,
}

impl Observed {
    /// Nothing seen yet of a server with so many names of rows.
    pub(crate) fn new(rows: usize) -> Observed {
        Observed { rows: vec![OfRows::default(); rows], ..Default::default() }
    }

    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        let pooler = [&mut self.pooler, &mut self.pooler_queue];
        let rows = self.rows.iter_mut().flat_map(|rows| [&mut rows.held, &mut rows.waiting]);
        [&mut self.busy, &mut self.queue, &mut self.sessions].into_iter().chain(pooler).chain(rows)
    }

    pub(crate) fn reset(&mut self) {
        (self.commands, self.syncs) = (0, 0);
    }
}

pub(super) fn settings(scenario: &Scenario) -> Option<&Postgres> {
    match &scenario.database.as_ref()?.engine {
        Engine::Postgres(postgres) => Some(postgres),
        Engine::Sqlite(_) => None,
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let Some(postgres) = settings(scenario) else { return };
    let cores = u64::from(if postgres.shares_cpu() { scenario.cpu.cores } else { postgres.cores });
    all.push(
        StationSource::new(StationId::DatabaseServer, Some(cores), |o, _| &o.postgres.busy)
            .queue(|o, _| &o.postgres.queue)
            .visits(|o, _| o.postgres.commands),
    );
    if let Some(pooler) = postgres.pooler() {
        // A connection is handed over without coming free.
        let size = u64::from(Pooler::size_of(pooler, postgres.connections()));
        all.push(
            StationSource::new(StationId::DatabasePooler, Some(size), |o, _| &o.postgres.pooler)
                .queue(|o, _| &o.postgres.pooler_queue)
                .visits(|o, _| o.postgres.pooler.entries() + o.postgres.pooler_queue.entries()),
        );
    }
    for (index, rows) in postgres.rows().iter().enumerate() {
        let (id, count) = (StationId::Row(rows.name.clone()), u64::from(rows.count));
        // A row is handed over without coming free.
        let source = StationSource::new(id, Some(count), |o, i| &o.postgres.rows[i].held)
            .queue(|o, i| &o.postgres.rows[i].waiting)
            .visits(|o, i| {
                o.postgres.rows[i].held.entries() + o.postgres.rows[i].waiting.entries()
            });
        all.push(source.of(index));
    }
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let Some(postgres) = settings(scenario) else { return };
    let hardware = match postgres.shares_cpu() {
        true => Candidate::of("database.cpu", "shared".into(), "own".into()),
        false => {
            let (from, to) = (postgres.cores.to_string(), double(postgres.cores));
            Candidate::of("database.cores", from, to)
        }
    };
    all.push(hardware.price(Price::Hardware));
    pooler_candidates(postgres, all);
    if let Some(most) = postgres.max_connections {
        let key = "database.max_connections";
        let knob = Candidate::of(key, most.to_string(), double(most));
        all.push(knob.at(Limit::MaxConnections));
    }
    all.extend(fitting_pools(scenario, postgres));
    if postgres.synchronous_commit == SynchronousCommit::On {
        let knob = Candidate::of("database.synchronous_commit", "on".into(), "off".into());
        all.push(knob.at(Limit::LogSync));
    }
    row_candidates(postgres, all);
}

/// More rows in the place of few that many lock, and more patience of the server.
fn row_candidates(postgres: &Postgres, all: &mut Vec<Candidate>) {
    for (id, rows) in (0..).zip(postgres.rows()) {
        let key = keys::path(&["database", "row", &rows.name, "count"]);
        let knob = Candidate::of(&key, rows.count.to_string(), double(rows.count));
        all.push(knob.at(Limit::Row(id)).price(Price::Code));
    }
    let idle = postgres.idle_in_transaction_session_timeout;
    for (key, span, limit) in [
        ("lock_timeout", postgres.lock_timeout, Limit::DatabaseLockTimeout),
        ("statement_timeout", postgres.statement_timeout, Limit::StatementTimeout),
        ("idle_in_transaction_session_timeout", idle, Limit::IdleInTransaction),
    ] {
        let Some(span) = span else { continue };
        let knob = Candidate::of(&format!("database.{key}"), span.to_string(), twice(span));
        all.push(knob.at(limit).price(Price::Patience));
    }
}

/// What a pooler may have more of; or one where there is none.
fn pooler_candidates(postgres: &Postgres, all: &mut Vec<Candidate>) {
    let Some(pooler) = postgres.pooler() else {
        let pooler = Candidate::of("database.pooler", "none".into(), "pgbouncer".into());
        return all.push(pooler.at(Limit::MaxConnections).price(Price::Process));
    };
    let key = |key: &str| format!("database.pgbouncer.{key}");
    let (size, clients) = (pooler.default_pool_size, pooler.max_client_conn);
    let mut knob = Candidate::of(&key("default_pool_size"), size.to_string(), double(size));
    // It opens no more than the server takes.
    if let Some(most) = postgres.max_connections.filter(|_| postgres.connections() <= Some(size)) {
        let server = Candidate::of("database.max_connections", most.to_string(), double(most));
        knob = if postgres.connections() == Some(size) { server.and(&knob) } else { server };
    }
    all.push(knob.at(Limit::Pooler));
    let knob = Candidate::of(&key("max_client_conn"), clients.to_string(), double(clients));
    all.push(knob.at(Limit::MaxClientConn));
    if let Some(span) = pooler.query_wait_timeout {
        let knob = Candidate::of(&key("query_wait_timeout"), span.to_string(), twice(span));
        all.push(knob.at(Limit::QueryWait).price(Price::Patience));
    }
}

/// Pools that do not exceed the server's connections together: requests wait for one instead.
fn fitting_pools(scenario: &Scenario, postgres: &Postgres) -> Option<Candidate> {
    let database = scenario.database.as_ref()?;
    let Connections::Pool { size, overflow, .. } = database.connections else { return None };
    let each = postgres.connections()? / scenario.service.workers;
    if each == 0 || each >= size.saturating_add(overflow) {
        return None;
    }
    let key = |part: &str| format!("database.connections.{part}");
    let fewer =
        Candidate::of(&key("overflow"), overflow.to_string(), (each - each.min(size)).to_string());
    let smaller = Candidate::of(&key("size"), size.to_string(), each.min(size).to_string());
    let fits = match (each < size, overflow > 0) {
        (false, _) => fewer,
        (true, false) => smaller,
        (true, true) => smaller.and(&fewer),
    };
    Some(fits.at(Limit::MaxConnections))
}

/// Where the walk goes on, if not at the next instruction.
pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) -> Option<Pc> {
    match op {
        Op::SkipUnlessDue { command: Command::Begin, to } if walk.holds(Holding::Transaction) => {
            return Some(to);
        }
        Op::SkipUnlessDue { command: Command::Rollback, to }
            if !walk.holds(Holding::Transaction) =>
        {
            return Some(to);
        }
        // What is done once for a connection, or seldom, is no demand of each request.
        Op::SkipUnlessDue { command: Command::Prepare { .. } | Command::Deallocate, to } => {
            return Some(to);
        }
        Op::SkipIfKnown { to } => return Some(to),
        Op::Return { .. } => walk.beside = true,
        Op::Returned => walk.beside = false,
        Op::SkipUnlessDue { .. } | Op::Known => {}
        Op::Server { command, engine, round_trip } => {
            let trips = match command {
                Command::Open { trips, .. } | Command::Login { trips, .. } => f64::from(trips),
                _ => 1.0,
            };
            let (engine, trip) = (walk.mean(engine), walk.mean(round_trip) * trips);
            let blocks = walk.database_blocks();
            walk.demand.add_held(Holding::DatabaseServer, engine);
            // A row is locked when the server has worked, and given back when the transaction ends.
            let back = if walk.plan.scenario.rows().is_empty() { 0.0 } else { trip / 2.0 };
            walk.spend(place::SERVER, engine + trip - back, blocks);
            if let Some(locks) = command.locks() {
                walk.hold(Holding::Row(locks.rows, locks.nth));
            }
            if let Some(sync) = command.sync() {
                walk.spend(place::DISK, walk.mean(sync), blocks);
            }
            match command {
                Command::Begin | Command::Statement { begins: true, .. } => {
                    walk.hold(Holding::Transaction);
                }
                Command::Commit { .. } | Command::Rollback => walk.release(Holding::Transaction),
                _ => {}
            }
            if !walk.holds(Holding::Transaction) {
                walk.release_rows();
            }
            walk.spend(place::SERVER, back, blocks);
        }
    }
    None
}

/// What a request demands of the service's processors for the server, in seconds.
pub(crate) fn cpu_of_server(scenario: &Scenario, mean: &Demand) -> f64 {
    let shares = settings(scenario).is_some_and(Postgres::shares_cpu);
    if shares { mean.held(Holding::DatabaseServer) } else { 0.0 }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    for (id, rows) in (0..).zip(scenario.rows()) {
        let key = keys::path(&["database", "row", &rows.name, "count"]);
        all.push(bound(&key, f64::from(rows.count), mean.held_rows(id)));
    }
    let Some(postgres) = settings(scenario).filter(|postgres| !postgres.shares_cpu()) else {
        return;
    };
    let demand = mean.held(Holding::DatabaseServer);
    all.push(bound("database.cores", f64::from(postgres.cores), demand));
}
