//! Locks in answers: their stations, bounds and knobs.

use model::keys;
use model::report::Bound;
use model::scenario::{Lock, LockScope, Scenario};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::Op;
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit};

/// What is counted of one lock, in all workers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Holders of it.
    pub held: Gauge,
    /// Requests that wait for it.
    pub waiting: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.held, &mut self.waiting].into_iter()
    }
}

/// Holders at a time in all workers.
fn capacity(scenario: &Scenario, lock: &Lock) -> u64 {
    let each = match lock.scope {
        LockScope::Worker => u64::from(scenario.service.workers),
        LockScope::Service => 1,
    };
    each * u64::from(lock.holders)
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    for (index, lock) in scenario.locks.iter().enumerate() {
        let id = StationId::Lock(lock.name.clone());
        // It is handed over without coming free: visits with a wait are counted at the place.
        let source =
            StationSource::new(id, Some(capacity(scenario, lock)), |o, i| &o.locks[i].held)
                .queue(|o, i| &o.locks[i].waiting)
                .visits(|o, i| o.locks[i].held.entries() + o.locks[i].waiting.entries());
        all.push(source.of(index));
    }
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    for (id, lock) in (0..).zip(&scenario.locks) {
        let key = |part: &str| keys::path(&["lock", &lock.name, part]);
        let holders =
            Candidate::of(&key("holders"), lock.holders.to_string(), double(lock.holders));
        all.push(holders.at(Limit::Lock(id)).price(Price::Code));
        if let Some(span) = lock.timeout {
            let timeout = Candidate::of(&key("timeout"), span.to_string(), twice(span));
            all.push(timeout.at(Limit::LockTimeout(id)).price(Price::Patience));
        }
    }
}

pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) {
    match op {
        Op::Acquire { lock } => walk.hold(Holding::Lock(lock)),
        Op::Release { lock } => walk.release(Holding::Lock(lock)),
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    for (id, lock) in (0..).zip(&scenario.locks) {
        let name = keys::path(&["lock", &lock.name, "holders"]);
        all.push(bound(&name, capacity(scenario, lock) as f64, mean.held(Holding::Lock(id))));
    }
}
