//! Processes that ended in answers: how many, and what they left undone.

use model::report::Processes;
use model::scenario::Scenario;
use model::statistics::round_significant;
use serde::{Deserialize, Serialize};

use crate::knob::{Candidate, Price, double, twice};
use crate::observe::{Gauge, Limit, Observations};

/// What is counted of processes that end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Workers that were killed.
    pub killed: u64,
    /// Workers that ended after so many requests.
    pub recycled: u64,
    /// Workers that do not serve yet.
    pub down: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.down].into_iter()
    }

    pub(crate) fn reset(&mut self) {
        (self.killed, self.recycled) = (0, 0);
    }
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let service = &scenario.service;
    if let Some(span) = service.worker_timeout {
        // What blocks the loop for so long belongs on a thread: others wait for it, however patient the
        // supervisor is.
        let knob = Candidate::of("service.worker_timeout", span.to_string(), twice(span));
        all.push(knob.at(Limit::WorkerTimeout).price(Price::Patience));
    }
    if let Some(most) = service.max_requests {
        let knob = Candidate::of("service.max_requests", most.to_string(), double(most));
        all.push(knob.at(Limit::MaxRequests));
    }
}

/// Workers that ended; none if none did.
pub(crate) fn processes(scenario: &Scenario, seen: &[Observations]) -> Option<Processes> {
    let runs = seen.len() as f64;
    let mean = |pick: fn(&Observed) -> f64| {
        round_significant(seen.iter().map(|o| pick(&o.process)).sum::<f64>() / runs)
    };
    let time = (scenario.load.duration.nanos() * u64::from(scenario.service.workers)) as f64;
    let found = Processes {
        killed: mean(|o| o.killed as f64),
        recycled: mean(|o| o.recycled as f64),
        down: round_significant(mean(|o| o.down.area() as f64) / time),
    };
    (found.killed + found.recycled + found.down > 0.0).then_some(found)
}
