//! The event loops in answers: their station, their bound, and the knobs of the workers.

use model::keys;
use model::place;
use model::report::Bound;
use model::scenario::{Concurrency, Scenario, Spread, WorkerClass};
use model::station::StationId;
use model::units::{Instant, Span};
use serde::{Deserialize, Serialize};

use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, bound};
use crate::knob::{Candidate, Price, blocks, double};
use crate::observe::{Gauge, Limit};

/// Threads that a `gthread` worker is tried with: gunicorn's documentation advises two to four for
/// each processor.
const FEW_THREADS: u32 = 4;

/// What is counted of all event loops.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// Loops at work.
    pub busy: Gauge,
    /// Client connections that are open.
    pub connections: Gauge,
    /// Each worker by itself; empty if there is only one.
    pub workers: Vec<Worker>,
}

/// Counts of one worker.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Worker {
    /// Its loop is at work.
    pub busy: Gauge,
    /// Client connections that it has.
    pub connections: Gauge,
    /// Good answers that it gave.
    pub answered: u64,
    /// CPU time of all of its threads.
    pub cpu: Span,
    /// Time that callbacks waited for its loop.
    pub waited: Span,
    /// How many.
    pub callbacks: u64,
}

impl Observed {
    pub(crate) fn new(workers: u32) -> Observed {
        let several = if workers > 1 { workers } else { 0 };
        let workers = (0..several).map(|_| Worker::default()).collect();
        Observed { workers, ..Observed::default() }
    }

    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        let workers = self.workers.iter_mut();
        let each = workers.flat_map(|worker| [&mut worker.busy, &mut worker.connections]);
        [&mut self.busy, &mut self.connections].into_iter().chain(each)
    }

    pub(crate) fn reset(&mut self) {
        for worker in &mut self.workers {
            (worker.answered, worker.cpu) = (0, Span::ZERO);
            (worker.waited, worker.callbacks) = (Span::ZERO, 0);
        }
    }

    pub(crate) fn wakes(&mut self, worker: u32, now: Instant) {
        self.busy.enter(now);
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.busy.enter(now);
        }
    }

    pub(crate) fn sleeps(&mut self, worker: u32, now: Instant) {
        self.busy.leave(now);
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.busy.leave(now);
        }
    }

    pub(crate) fn connected(&mut self, worker: u32, now: Instant) {
        self.connections.enter(now);
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.connections.enter(now);
        }
    }

    pub(crate) fn disconnected(&mut self, worker: u32, now: Instant) {
        self.connections.leave(now);
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.connections.leave(now);
        }
    }

    pub(crate) fn answered(&mut self, worker: u32) {
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.answered += 1;
        }
    }

    /// A callback waited for the loop of `worker`.
    pub(crate) fn waited(&mut self, worker: u32, span: Span) {
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.waited += span;
            worker.callbacks += 1;
        }
    }

    pub(crate) fn spent(&mut self, worker: u32, cpu: Span) {
        if let Some(worker) = self.workers.get_mut(worker as usize) {
            worker.cpu += cpu;
        }
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    let workers = u64::from(scenario.service.workers);
    if scenario.service.worker_class == WorkerClass::Sync {
        // Who finds no free worker waits in the queue of the listening socket.
        all.push(
            StationSource::new(StationId::Worker, Some(workers), |o, _| &o.event_loop.busy)
                .queue(|o, _| o.at(place::CONNECT))
                .visits(|o, _| o.at(place::CONNECT).entries()),
        );
        return;
    }
    // Every callback queues, if only for no time.
    all.push(
        StationSource::new(StationId::Loop, Some(workers), |o, _| &o.event_loop.busy)
            .queue(|o, _| o.at(place::LOOP))
            .visits(|o, _| o.at(place::LOOP).entries()),
    );
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let service = &scenario.service;
    if let Some(n) = service.limit_concurrency {
        let knob = Candidate::of("service.limit_concurrency", n.to_string(), double(n));
        all.push(knob.at(Limit::Concurrency));
    }
    let (from, to) = (service.backlog.to_string(), double(service.backlog));
    all.push(Candidate::of("service.backlog", from, to).at(Limit::Backlog));
    crate::threads::candidates(scenario, all);
    if service.worker_class == WorkerClass::Uvicorn {
        other_concurrency(scenario, all);
    }
    if service.worker_class == WorkerClass::Sync {
        all.push(to_threads(scenario));
    }
    // A worker that serves one connection at a time takes the next when it is free: there is
    // nothing to spread.
    if service.workers > 1 && service.worker_class != WorkerClass::Sync {
        let to = match service.spread {
            Spread::Lifo => Some(Spread::Hash),
            Spread::Hash => Some(Spread::RoundRobin),
            Spread::RoundRobin => None,
        };
        let from = service.spread.as_str();
        let spread = |to: Spread| Candidate::of("service.spread", from.into(), to.as_str().into());
        all.extend(to.map(spread));
    }
    let (from, to) = (service.workers.to_string(), double(service.workers));
    all.push(Candidate::of("service.workers", from, to).price(Price::Process));
}

/// gunicorn's `sync` workers with threads, which makes them `gthread` workers.
fn to_threads(scenario: &Scenario) -> Candidate {
    let threaded = |key: &str| Candidate::of(key, "blocking".into(), "threadpool".into());
    let (from, to) = (scenario.service.threads.to_string(), FEW_THREADS.to_string());
    let change = Candidate::of("service.worker_class", "sync".into(), "gthread".into())
        .and(&threaded("service.concurrency"))
        .and(&Candidate::of("service.threads", from, to));
    // What an endpoint says for itself has to follow.
    let own = scenario.endpoints.iter().filter(|endpoint| endpoint.concurrency.is_some());
    own.fold(change, |change, endpoint| {
        change.and(&threaded(&keys::path(&["endpoint", &endpoint.name, "concurrency"])))
    })
}

fn other_concurrency(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let service = &scenario.service;
    if service.concurrency != Concurrency::Async {
        let from = service.concurrency.as_str().into();
        all.push(Candidate::of("service.concurrency", from, "async".into()).price(Price::Code));
    }
    // A blocking call on the loop stops all other requests of the worker.
    let blocks = scenario.endpoints.iter().any(|endpoint| endpoint.all_steps().any(blocks));
    if service.concurrency == Concurrency::Async && blocks {
        let to_threads = Candidate::of("service.concurrency", "async".into(), "threadpool".into());
        all.push(to_threads.price(Price::Code));
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    let workers = f64::from(scenario.service.workers);
    let name = match scenario.service.worker_class {
        WorkerClass::Sync => "service.workers",
        WorkerClass::Uvicorn | WorkerClass::Gthread => "service.workers (loop)",
    };
    all.push(bound(name, workers, mean.held(Holding::Loop)));
}
