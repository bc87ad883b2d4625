//! The thread pool in answers: its station, its bound, and the knob of its size.

use model::place;
use model::report::Bound;
use model::scenario::{Concurrency, Scenario};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::Op;
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, double};
use crate::observe::{Gauge, Limit};

/// What is counted of all thread pools.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    pub in_use: Gauge,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.in_use].into_iter()
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let service = &scenario.service;
    let threads = u64::from(service.workers) * u64::from(service.threads);
    // A token is handed over without coming free: visits with a wait are counted at the place.
    all.push(
        StationSource::new(StationId::Threads, Some(threads), |o, _| &o.threads.in_use)
            .queue(|o, _| o.at(place::THREADS))
            .visits(|o, _| o.threads.in_use.entries() + o.at(place::THREADS).entries()),
    );
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let service = &scenario.service;
    let pooled = |e: &model::scenario::Endpoint| {
        e.concurrency(service) == Concurrency::Threadpool || e.dependencies(scenario) > 0
    };
    if scenario.endpoints.iter().any(pooled) {
        let (from, to) = (service.threads.to_string(), double(service.threads));
        all.push(Candidate::of("service.threads", from, to).at(Limit::Threads));
    }
}

pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) {
    match op {
        Op::TokenAcquire | Op::Dependency | Op::Validation => walk.hold(Holding::PoolThread),
        // Like a connection's own thread: neither the loop's nor one of the pool's tokens.
        Op::Exit => walk.hold(Holding::Driver),
        Op::TokenRelease => walk.release(Holding::PoolThread),
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let held = mean.held(Holding::PoolThread);
    if held > 0.0 {
        let service = &scenario.service;
        let tokens = f64::from(service.workers) * f64::from(service.threads);
        all.push(bound("service.threads", tokens, held));
    }
}
