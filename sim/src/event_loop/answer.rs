//! The event loops in answers: their station, their bound, and the knobs of the workers.

use model::place;
use model::report::Bound;
use model::scenario::{Concurrency, Scenario};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, bound};
use crate::knob::{Relaxation, double};
use crate::observe::{Gauge, Limit};

/// What is counted of all event loops.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Loops at work.
    pub busy: Gauge,
    /// Client connections that are open.
    pub connections: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.busy, &mut self.connections].into_iter()
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let workers = u64::from(scenario.service.workers);
    // Every callback queues, if only for no time.
    all.push(
        StationSource::new(StationId::Loop, Some(workers), |o, _| &o.event_loop.busy)
            .queue(|o, _| o.at(place::LOOP))
            .visits(|o, _| o.at(place::LOOP).entries()),
    );
}

pub(crate) fn relaxations(scenario: &Scenario, all: &mut Vec<Relaxation>) {
    let service = &scenario.service;
    if let Some(n) = service.limit_concurrency {
        let knob = Relaxation::of("service.limit_concurrency", n.to_string(), double(n));
        all.push(knob.at(Limit::Concurrency));
    }
    let (from, to) = (service.backlog.to_string(), double(service.backlog));
    all.push(Relaxation::of("service.backlog", from, to).at(Limit::Backlog));
    crate::threads::relaxations(scenario, all);
    if service.concurrency != Concurrency::Async {
        let from = service.concurrency.as_str().into();
        all.push(Relaxation::of("service.concurrency", from, "async".into()));
    }
    let (from, to) = (service.workers.to_string(), double(service.workers));
    all.push(Relaxation::of("service.workers", from, to));
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let workers = f64::from(scenario.service.workers);
    all.push(bound("service.workers (loop)", workers, mean.held(Holding::Loop)));
}
