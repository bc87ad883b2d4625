//! The database in answers: stations, bounds, and the knobs of its connections.

use model::place;
use model::report::Bound;
use model::scenario::{Connections, Hold, Scenario};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::{Op, postgres, sqlite};
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit};
use crate::plan::Pc;

/// What is counted of the connections of all workers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Connections in use.
    pub connections: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.connections].into_iter()
    }
}

/// Connections of all workers, if they are limited.
fn capacity(scenario: &Scenario) -> Option<u64> {
    match scenario.database.as_ref()?.connections {
        Connections::PerOperation => None,
        Connections::Pool { size, overflow, .. } => {
            let workers = u64::from(scenario.service.workers);
            Some(workers * (u64::from(size) + u64::from(overflow)))
        }
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    if scenario.database.is_none() {
        return;
    }
    // A connection is handed over without coming free: visits with a wait are counted at the
    // place.
    all.push(
        StationSource::new(StationId::DatabasePool, capacity(scenario), |o, _| {
            &o.database.connections
        })
        .queue(|o, _| o.at(place::POOL))
        .visits(|o, _| o.database.connections.entries() + o.at(place::POOL).entries()),
    );
    sqlite::stations(scenario, all);
    postgres::stations(scenario, all);
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let Some(database) = &scenario.database else { return };
    match database.connections {
        Connections::Pool { size, overflow, timeout, .. } => {
            let key = "database.connections.size";
            all.push(Candidate::of(key, size.to_string(), double(size)).at(Limit::Pool));
            if overflow > 0 {
                let key = "database.connections.overflow";
                let knob = Candidate::of(key, overflow.to_string(), double(overflow));
                all.push(knob.at(Limit::Pool));
            }
            if let Some(span) = timeout {
                let key = "database.connections.timeout";
                let knob = Candidate::of(key, span.to_string(), twice(span));
                all.push(knob.at(Limit::PoolTimeout).price(Price::Patience));
            }
        }
        Connections::PerOperation => {
            let pool = "{ kind = \"pool\" }";
            all.push(Candidate::of("database.connections", "per-operation".into(), pool.into()));
        }
    }
    if database.hold == Hold::Request {
        let hold = Candidate::of("database.hold", "request".into(), "operation".into());
        all.push(hold.price(Price::Code));
    }
    sqlite::candidates(scenario, all);
    postgres::candidates(scenario, all);
}

/// Where the walk goes on, if not at the next instruction.
pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) -> Option<Pc> {
    let database = walk.plan.scenario.database.as_ref();
    let reopens = database.is_some_and(|d| d.connections == Connections::PerOperation);
    match op {
        Op::SkipIfOpen { open } if !reopens => return Some(open),
        Op::SkipIfKept { keep } if !reopens => return Some(keep),
        Op::ToDriver => walk.hold(Holding::Driver),
        Op::Checkout => walk.hold(Holding::Connection),
        Op::Checkin => walk.release(Holding::Connection),
        Op::SkipIfOpen { .. } | Op::SkipIfKept { .. } | Op::Opened | Op::Closed => {}
        Op::Sqlite(op) => sqlite::visit(walk, op),
        Op::Postgres(op) => return postgres::visit(walk, op),
    }
    None
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    postgres::bounds(scenario, mean, all);
    sqlite::bounds(scenario, mean, all);
    if let Some(slots) = capacity(scenario) {
        let held = mean.held(Holding::Connection);
        all.push(bound("database.connections", slots as f64, held));
    }
}
