//! Stations over the counted window, from what the resources counted.

use model::report::{Station, WorkerShare};
use model::scenario::Scenario;
use model::station::StationId;
use model::statistics::round_significant;

use super::Builder;
use crate::event_loop::Worker;
use crate::observe::{Gauge, Observations};
use crate::{cpu, database, event_loop, interpreter, lock, threads, upstream};

/// Where a station's numbers come from.
pub(crate) struct StationSource {
    id: StationId,
    /// How many it serves at a time; none if unlimited.
    capacity: Option<u64>,
    /// Servers at work.
    busy: fn(&Observations, usize) -> &Gauge,
    /// Requests that wait; none where no request ever does.
    queue: Option<fn(&Observations, usize) -> &Gauge>,
    /// Requests in service, where that is not the number of servers at work.
    served: Option<fn(&Observations, usize) -> &Gauge>,
    /// Times that a request came here in the window.
    visits: fn(&Observations, usize) -> u64,
    /// Which upstream, for those that have one.
    index: usize,
}

impl StationSource {
    pub(crate) fn new(
        id: StationId,
        capacity: Option<u64>,
        busy: fn(&Observations, usize) -> &Gauge,
    ) -> StationSource {
        StationSource { id, capacity, busy, queue: None, served: None, visits: |_, _| 0, index: 0 }
    }

    pub(crate) fn queue(mut self, queue: fn(&Observations, usize) -> &Gauge) -> StationSource {
        self.queue = Some(queue);
        self
    }

    pub(crate) fn served(mut self, served: fn(&Observations, usize) -> &Gauge) -> StationSource {
        self.served = Some(served);
        self
    }

    pub(crate) fn visits(mut self, visits: fn(&Observations, usize) -> u64) -> StationSource {
        self.visits = visits;
        self
    }

    pub(crate) fn of(mut self, index: usize) -> StationSource {
        self.index = index;
        self
    }
}

/// The stations of all resources.
fn sources(scenario: &Scenario) -> Vec<StationSource> {
    let mut all = Vec::new();
    for of in [
        cpu::stations,
        event_loop::stations,
        interpreter::stations,
        threads::stations,
        database::stations,
        upstream::stations,
        lock::stations,
    ] {
        of(scenario, &mut all);
    }
    all
}

impl Builder<'_> {
    /// Each worker of a service that has several. Which one has most is chance: in each run they are
    /// put in order first.
    pub(super) fn workers(&self) -> Vec<WorkerShare> {
        let count = self.scenario.service.workers as usize;
        if count < 2 {
            return Vec::new();
        }
        let mut order: Vec<Vec<usize>> = Vec::with_capacity(self.seen.len());
        for seen in self.seen {
            let answered = |worker: &usize| seen.event_loop.workers[*worker].answered;
            let mut workers: Vec<usize> = (0..count).collect();
            workers.sort_by_key(|worker| std::cmp::Reverse(answered(worker)));
            order.push(workers);
        }
        let mean = |rank: usize, pick: &dyn Fn(&Observations, &Worker) -> f64| {
            let each = self.seen.iter().zip(&order);
            let sum: f64 =
                each.map(|(seen, order)| pick(seen, &seen.event_loop.workers[order[rank]])).sum();
            round_significant(sum / self.seen.len() as f64)
        };
        let share = |rank: usize| WorkerShare {
            answers: mean(rank, &|seen, worker| {
                worker.answered as f64 / (seen.good().max(1)) as f64
            }),
            connections: mean(rank, &|_, worker| self.mean(&worker.connections)),
            cpu: mean(rank, &|seen, worker| worker.cpu.secs_f64() / seen.window.secs_f64()),
            busy: mean(rank, &|_, worker| self.mean(&worker.busy)),
            lag: mean(rank, &|_, worker| worker.waited.secs_f64() / worker.callbacks.max(1) as f64),
        };
        (0..count).map(share).collect()
    }

    /// The stations that something visited, and the processors.
    pub(super) fn stations(&self) -> Vec<Station> {
        let all = sources(self.scenario);
        let mut all: Vec<Station> = all.iter().map(|source| self.station(source)).collect();
        all.retain(|station| station.visits > 0.0 || station.id == StationId::Cpu);
        all
    }

    fn station(&self, source: &StationSource) -> Station {
        let busy = |o: &Observations| self.mean((source.busy)(o, source.index));
        let queue = |o: &Observations| source.queue.map_or(0.0, |q| self.mean(q(o, source.index)));
        let served = |o: &Observations| match source.served {
            Some(served) => self.mean(served(o, source.index)),
            None => busy(o),
        };
        let utilisation = self.estimate(|o| match source.capacity {
            Some(size) => busy(o) / size as f64,
            None => 0.0,
        });
        let visits =
            self.average(|o| (source.visits)(o, source.index) as f64 / o.window.secs_f64());
        let waiting = self.average(queue);
        Station {
            id: source.id.clone(),
            capacity: source.capacity,
            utilisation: utilisation.value,
            utilisation_interval: utilisation,
            in_flight_mean: self.average(|o| queue(o) + served(o)),
            waiting_time_mean: if visits > 0.0 { round_significant(waiting / visits) } else { 0.0 },
            visits,
        }
    }
}
