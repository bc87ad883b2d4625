//! The interpreter lock in answers: its station and its bound.

use model::place;
use model::report::Bound;
use model::scenario::{Scenario, WorkerClass};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, bound};
use crate::observe::Gauge;

/// What is counted of all interpreter locks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    pub held: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.held].into_iter()
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    // A process with one thread shares the lock with no other thread.
    let shared = scenario.service.worker_class != WorkerClass::Sync;
    if scenario.costs.interpreter.lock && shared {
        let workers = u64::from(scenario.service.workers);
        // A thread that waited takes the lock when it runs, and is counted then.
        all.push(
            StationSource::new(StationId::InterpreterLock, Some(workers), |o, _| {
                &o.interpreter.held
            })
            .queue(|o, _| o.at(place::INTERPRETER))
            .visits(|o, _| o.interpreter.held.entries()),
        );
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    if scenario.costs.interpreter.lock && scenario.cpu.cores > 1 {
        let workers = f64::from(scenario.service.workers);
        all.push(bound("interpreter lock", workers, mean.held(Holding::Interpreter)));
    }
}
