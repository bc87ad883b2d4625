//! What requests queued for, over the counted window, from the workers' gauges.

use model::place::{self, Place};
use model::report::{AfterWork, InFlight, Station};
use model::scenario::{Connections, Engine, LockScope, Postgres, Scenario};
use model::station::StationId;
use model::statistics::{Estimate, round_significant};

use crate::postgres;
use crate::stack::{GaugeReading, Snapshot, StationReadings};

/// A worker at the beginning and at the end of the counted window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    open: Snapshot,
    close: Snapshot,
}

impl Span {
    /// What a worker counted between `open` and `close`. If another process has taken its
    /// place meanwhile, that one counts from its own beginning, and what the first had
    /// counted in the window is lost with it. Of one that says nothing at the end nothing is
    /// known.
    pub(super) fn new(open: &Snapshot, close: &Snapshot) -> Option<Span> {
        if close.at == 0 {
            return None;
        }
        let open = if open.born == close.born {
            open.clone()
        } else {
            Snapshot { at: close.born, ..Snapshot::default() }
        };
        Some(Span { open, close: close.clone() })
    }

    /// All workers whose counts are `open` and `close`, but for those of whom nothing is
    /// known.
    pub(super) fn all(open: &[Snapshot], close: &[Snapshot]) -> Vec<Span> {
        open.iter().zip(close).filter_map(|(open, close)| Span::new(open, close)).collect()
    }

    /// Its length in nanoseconds.
    pub(super) fn length(&self) -> u64 {
        self.close.at.saturating_sub(self.open.at)
    }

    /// CPU time of the worker, in nanoseconds.
    pub(super) fn cpu(&self) -> u64 {
        self.close.cpu.saturating_sub(self.open.cpu)
    }

    /// How much what `pick` counts has grown. Gauges take back what turns out to have been
    /// over already, and so may shrink a little.
    fn growth(&self, pick: impl Fn(&Snapshot) -> f64) -> f64 {
        (pick(&self.close) - pick(&self.open)).max(0.0)
    }
}

/// Gauges of all workers over the window.
pub(super) struct Window<'a> {
    scenario: &'a Scenario,
    workers: &'a [Span],
    seconds: f64,
    in_service: f64,
    /// Share of the processors on which threads of the kernel worked for the workers.
    kernel: f64,
    /// Pools and semaphores that each worker has of a kind.
    sets: u32,
    /// CPU nanoseconds of the database server, and its processors.
    server: Option<(u64, usize)>,
    /// Connections of a pooler in use, and clients that wait for one, on average.
    pooler: Option<(f64, f64)>,
}

/// Work after replies is short beside a window of which it takes less than this share.
const SHORT: f64 = 0.2;

/// What passed through a gauge: nanoseconds of one, and how often it was entered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Flow {
    area: f64,
    entries: f64,
}

impl<'a> Window<'a> {
    /// The window of `workers`, `seconds` long. In its mean there were `in_service` requests
    /// between the client's first byte and the service's last word, as the client saw it.
    pub(super) fn new(
        scenario: &'a Scenario,
        workers: &'a [Span],
        seconds: f64,
        in_service: f64,
    ) -> Window<'a> {
        let (kernel, sets, server, pooler) = (0.0, 1, None, None);
        Window { scenario, workers, seconds, in_service, kernel, sets, server, pooler }
    }

    /// With threads of the kernel that worked for the workers on this share of their
    /// processors.
    pub(super) fn with_kernel(self, kernel: f64) -> Window<'a> {
        Window { kernel, ..self }
    }

    /// With so many pools and semaphores of a kind in each worker.
    pub(super) fn with_sets(self, sets: u32) -> Window<'a> {
        Window { sets, ..self }
    }

    /// With a database server that has used so many CPU nanoseconds of so many processors.
    pub(super) fn with_server(self, server: Option<(u64, usize)>) -> Window<'a> {
        Window { server, ..self }
    }

    /// With a pooler of whose connections so many were in use on average, and clients waited.
    pub(super) fn with_pooler(self, pooler: Option<(f64, f64)>) -> Window<'a> {
        Window { pooler, ..self }
    }

    /// Pools, or semaphores, of a kind in all workers.
    fn all_sets(&self) -> u64 {
        u64::from(self.scenario.service.workers) * u64::from(self.sets)
    }

    /// CPU nanoseconds of all workers, of the kernel for them, and of a database server on the same
    /// processors.
    fn cpu(&self) -> f64 {
        let all = self.seconds * 1e9 * f64::from(self.scenario.cpu.cores);
        let shared = postgres::settings(self.scenario).is_some_and(Postgres::shares_cpu);
        let server = self.server.filter(|_| shared).map_or(0.0, |(cpu, _)| cpu as f64);
        let workers = self.workers.iter().map(|span| span.cpu() as f64).sum::<f64>();
        workers + self.kernel * all + server
    }

    fn sum(&self, pick: impl Fn(&Snapshot) -> f64) -> f64 {
        self.workers.iter().map(|span| span.growth(&pick)).sum()
    }

    /// A process that has counted nothing has no such reading.
    fn flow(&self, pick: impl Fn(&StationReadings) -> Option<&GaugeReading>) -> Flow {
        let read = |number: fn(&GaugeReading) -> u64| {
            self.sum(|snapshot| pick(&snapshot.stations).map_or(0, number) as f64)
        };
        Flow { area: read(|reading| reading.area), entries: read(|reading| reading.entries) }
    }

    fn at(&self, place: Place) -> Flow {
        self.flow(|readings| readings.places.get(place.index()))
    }

    /// The work after replies; none if no endpoint has any.
    pub(super) fn after(&self) -> Option<AfterWork> {
        if self.scenario.endpoints.iter().all(|endpoint| endpoint.after.is_empty()) {
            return None;
        }
        let flow = self.flow(|readings| Some(&readings.after));
        let last = |pick: fn(&GaugeReading) -> u64| {
            self.workers.iter().map(|span| pick(&span.close.stations.after)).sum::<u64>()
        };
        let before: u64 = self.workers.iter().map(|span| span.open.stations.after.value).sum();
        let unfinished = last(|reading| reading.value);
        let ended = (flow.entries + before as f64 - unfinished as f64).max(0.0);
        let seconds = if ended > 0.0 { flow.area / 1e9 / ended } else { 0.0 };
        let mean = Estimate::exact(round_significant(self.mean(flow)));
        Some(AfterWork {
            in_flight: InFlight { mean, peak: last(|reading| reading.peak) },
            throughput: round_significant(ended / self.seconds),
            seconds: round_significant(seconds),
            failed: self.flow(|readings| Some(&readings.after_failed)).entries,
            unfinished: unfinished as f64,
            time: Vec::new(),
        })
    }

    /// By how many the pieces of work after replies become more each second. None where that says
    /// nothing: none ended, or they take long beside the window, and are not at their number yet.
    pub(super) fn after_growth(&self) -> Option<f64> {
        let after = self.after()?;
        let before: u64 = self.workers.iter().map(|span| span.open.stations.after.value).sum();
        let settled = after.throughput > 0.0 && after.seconds < self.seconds * SHORT;
        settled.then(|| (after.unfinished - before as f64) / self.seconds)
    }

    /// Every station that was visited, in the order of a prediction's.
    pub(super) fn stations(&self) -> Vec<Station> {
        let mut all = self.service();
        self.database(&mut all);
        self.upstreams(&mut all);
        self.locks(&mut all);
        all.retain(|station| station.visits > 0.0 || station.id == StationId::Cpu);
        all
    }

    fn service(&self) -> Vec<Station> {
        let service = &self.scenario.service;
        let (workers, cores) = (u64::from(service.workers), u64::from(self.scenario.cpu.cores));
        let bursts = self.at(place::CPU);
        let computing = Flow { area: self.cpu(), entries: bursts.entries };
        let waiting = self.at(place::CPU_WAIT);
        let cpu = self.station(StationId::Cpu, Some(cores), computing, waiting);
        // Not all that a worker computes is for a request of its own.
        let on_cpu = round_significant(self.mean(bursts) + self.mean(waiting));
        let threads = workers * u64::from(service.threads);
        let tokens = self.flow(|readings| Some(&readings.threads));
        vec![
            Station { in_flight_mean: on_cpu, ..cpu },
            self.station(StationId::Loop, Some(workers), self.looping(), self.loop_queue()),
            self.station(StationId::Threads, Some(threads), tokens, self.at(place::THREADS)),
        ]
    }

    /// The loops at work. Every request comes there once at least.
    fn looping(&self) -> Flow {
        let busy = self.sum(|snapshot| snapshot.at as f64 - snapshot.loop_idle as f64);
        let requests = self.flow(|readings| Some(&readings.requests)).entries;
        Flow { area: busy, entries: self.at(place::LOOP).entries.max(requests) }
    }

    /// Requests that wait for a loop. A blocked loop does not know of those that lie unread in
    /// its sockets, only their clients do: they are the requests in the service minus those at
    /// all other places.
    ///
    /// Branches of a request are several at their places, and a handler may run on after its
    /// client has timed out: the loops' own count is a lower bound.
    fn loop_queue(&self) -> Flow {
        let elsewhere: f64 = self
            .places()
            .filter(|place| {
                ![place::CONNECT, place::LOOP, place::POOL, place::REPLY].contains(place)
            })
            .map(|place| self.at(place).area)
            .sum();
        let left = self.in_service * self.seconds * 1e9 - elsewhere - self.pool_queue().area;
        let seen = self.at(place::LOOP);
        Flow { area: seen.area.max(left), ..seen }
    }

    /// Requests that wait for a database connection now, not only those that have waited.
    fn pool_queue(&self) -> Flow {
        self.flow(|readings| Some(&readings.pool_waiting))
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        (0..place::count(self.scenario) as u16).map(Place::new)
    }

    fn database(&self, all: &mut Vec<Station>) {
        let Some(database) = &self.scenario.database else { return };
        let capacity = match database.connections {
            Connections::PerOperation => None,
            Connections::Pool { size, overflow, .. } => {
                Some(self.all_sets() * (u64::from(size) + u64::from(overflow)))
            }
        };
        let (pool, queue) = (self.flow(|readings| Some(&readings.pool)), self.pool_queue());
        // SQLite's connections go from one request to the next without being free in between:
        // requests that waited are counted by the queue.
        let waited = match database.engine {
            Engine::Sqlite(_) => queue.entries,
            Engine::Postgres(_) => 0.0,
        };
        let pool = Flow { entries: pool.entries + waited, ..pool };
        all.push(self.station(StationId::DatabasePool, capacity, pool, queue));
        if matches!(database.engine, Engine::Sqlite(_)) {
            let lock = self.at(place::LOCK);
            let writer = self.flow(|readings| Some(&readings.writer));
            let writer = Flow { entries: lock.entries, ..writer };
            all.push(self.station(StationId::DatabaseLock, Some(1), writer, lock));
            all.push(self.station(StationId::Disk, None, self.at(place::DISK), Flow::default()));
        }
        if let Some((cpu, cpus)) = self.server {
            // How long statements wait for a processor there is not seen from outside.
            let there = self.at(place::SERVER);
            let busy = Flow { area: cpu as f64, ..there };
            let station =
                self.station(StationId::DatabaseServer, Some(cpus as u64), busy, Flow::default());
            let in_flight_mean = round_significant(self.mean(there));
            all.push(Station { in_flight_mean, ..station });
        }
        let settings = postgres::settings(self.scenario).and_then(Postgres::pooler);
        if let Some(((used, waiting), settings)) = self.pooler.zip(settings) {
            // Every statement goes through it.
            let Flow { entries, .. } = self.at(place::SERVER);
            let flow = |mean: f64| Flow { area: mean * self.seconds * 1e9, entries };
            let most = postgres::settings(self.scenario).and_then(Postgres::connections);
            let size = settings.default_pool_size.min(most.unwrap_or(u32::MAX));
            let (id, size) = (StationId::DatabasePooler, Some(u64::from(size)));
            all.push(self.station(id, size, flow(used), flow(waiting)));
        }
        // The service cannot tell a wait for a row from other time that the server takes to answer.
        for (index, rows) in self.scenario.rows().iter().enumerate() {
            let held = self.flow(|readings| readings.rows.get(index));
            let (id, count) = (StationId::Row(rows.name.clone()), Some(u64::from(rows.count)));
            all.push(self.station(id, count, held, Flow::default()));
        }
    }

    fn upstreams(&self, all: &mut Vec<Station>) {
        for (index, upstream) in self.scenario.upstreams.iter().enumerate() {
            let (name, number) = (|| upstream.name.clone(), index as u32);
            let slots = |limit: u32| Some(self.all_sets() * u64::from(limit));
            if let Some(limit) = upstream.max_in_flight {
                let busy = self.flow(|readings| readings.semaphores.get(index));
                let queue = self.at(place::semaphore(number));
                all.push(self.station(StationId::Semaphore(name()), slots(limit), busy, queue));
            }
            if let Some(limit) = upstream.max_connections {
                let busy = self.flow(|readings| readings.upstream_connections.get(index));
                let queue = self.at(place::connections(number));
                all.push(self.station(StationId::Connections(name()), slots(limit), busy, queue));
            }
            let exchange = self.at(place::upstream(number));
            all.push(self.station(StationId::Upstream(name()), None, exchange, Flow::default()));
        }
    }

    fn locks(&self, all: &mut Vec<Station>) {
        for (index, lock) in self.scenario.locks.iter().enumerate() {
            let busy = self.flow(|readings| readings.locks.get(index));
            let queue = self.at(place::lock(self.scenario, index as u32));
            let id = StationId::Lock(lock.name.clone());
            let each = match lock.scope {
                LockScope::Worker => u64::from(self.scenario.service.workers),
                LockScope::Service => 1,
            };
            all.push(self.station(id, Some(each * u64::from(lock.holders)), busy, queue));
        }
    }

    /// How many there were, mean over time.
    fn mean(&self, flow: Flow) -> f64 {
        flow.area / 1e9 / self.seconds
    }

    /// A station whose visits are those of `busy`.
    fn station(&self, id: StationId, capacity: Option<u64>, busy: Flow, queue: Flow) -> Station {
        let utilisation = capacity.map_or(0.0, |size| self.mean(busy) / size as f64);
        let utilisation = round_significant(utilisation);
        let waiting = if busy.entries > 0.0 { queue.area / 1e9 / busy.entries } else { 0.0 };
        Station {
            id,
            capacity,
            utilisation,
            utilisation_interval: Estimate::exact(utilisation),
            in_flight_mean: round_significant(self.mean(busy) + self.mean(queue)),
            waiting_time_mean: round_significant(waiting),
            visits: round_significant(busy.entries / self.seconds),
        }
    }
}

/// Work after the replies of several rounds, averaged.
pub(super) fn merged_after(rounds: &[AfterWork], confidence: f64) -> Option<AfterWork> {
    let all = |pick: fn(&AfterWork) -> f64| rounds.iter().map(pick).collect::<Vec<f64>>();
    let mean = |pick: fn(&AfterWork) -> f64| {
        round_significant(all(pick).iter().sum::<f64>() / rounds.len() as f64)
    };
    let peak = rounds.iter().map(|after| after.in_flight.peak).max()?;
    let under_way = Estimate::of_mean(&all(|after| after.in_flight.mean.value), confidence);
    Some(AfterWork {
        in_flight: InFlight { mean: under_way.rounded(), peak },
        throughput: mean(|after| after.throughput),
        seconds: mean(|after| after.seconds),
        failed: mean(|after| after.failed),
        unfinished: mean(|after| after.unfinished),
        time: Vec::new(),
    })
}

/// The stations of several rounds, averaged; the interval of a utilisation is that over
/// rounds.
pub(super) fn merged(rounds: &[Vec<Station>], confidence: f64) -> Vec<Station> {
    let mut all: Vec<Station> = Vec::new();
    for station in rounds.iter().flatten() {
        if all.iter().all(|known| known.id != station.id) {
            all.push(merge(&station.id, rounds, confidence));
        }
    }
    all
}

/// The station `id` over all rounds; where nothing visited it, it was idle.
fn merge(id: &StationId, rounds: &[Vec<Station>], confidence: f64) -> Station {
    let seen: Vec<Option<&Station>> =
        rounds.iter().map(|all| all.iter().find(|station| station.id == *id)).collect();
    let mean = |pick: fn(&Station) -> f64| {
        let sum: f64 = seen.iter().map(|station| station.map_or(0.0, pick)).sum();
        round_significant(sum / rounds.len() as f64)
    };
    let visits = mean(|station| station.visits);
    let waited = mean(|station| station.waiting_time_mean * station.visits);
    let used: Vec<f64> =
        seen.iter().map(|station| station.map_or(0.0, |station| station.utilisation)).collect();
    let interval = Estimate::of_mean(&used, confidence);
    Station {
        id: id.clone(),
        capacity: seen.iter().flatten().next().and_then(|station| station.capacity),
        utilisation: mean(|station| station.utilisation),
        utilisation_interval: Estimate { low: interval.low.max(0.0), ..interval }.rounded(),
        in_flight_mean: mean(|station| station.in_flight_mean),
        waiting_time_mean: if visits > 0.0 { round_significant(waited / visits) } else { 0.0 },
        visits,
    }
}

#[cfg(test)]
mod tests;
