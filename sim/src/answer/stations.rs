//! What requests queue for, over the counted window.

use model::place::{self, Place};
use model::report::Station;
use model::scenario::{Connections, Engine};
use model::station::StationId;
use model::statistics::round_significant;

use super::Builder;
use crate::observe::{Gauge, Observations};

/// Where a station's numbers come from.
struct Source {
    id: StationId,
    /// How many it serves at a time; none if unlimited.
    capacity: Option<u64>,
    /// Servers at work.
    busy: fn(&Observations, usize) -> &Gauge,
    /// Requests that wait; none where nobody ever does.
    queue: Option<fn(&Observations, usize) -> &Gauge>,
    /// Requests in service, where that is not the number of servers at work.
    served: Option<fn(&Observations, usize) -> &Gauge>,
    /// Times that a request came here in the window.
    visits: fn(&Observations, usize) -> u64,
    /// Which upstream, for those that have one.
    index: usize,
}

impl Source {
    fn new(
        id: StationId,
        capacity: Option<u64>,
        busy: fn(&Observations, usize) -> &Gauge,
    ) -> Source {
        Source { id, capacity, busy, queue: None, served: None, visits: |_, _| 0, index: 0 }
    }

    fn queue(mut self, queue: fn(&Observations, usize) -> &Gauge) -> Source {
        self.queue = Some(queue);
        self
    }

    fn served(mut self, served: fn(&Observations, usize) -> &Gauge) -> Source {
        self.served = Some(served);
        self
    }

    fn visits(mut self, visits: fn(&Observations, usize) -> u64) -> Source {
        self.visits = visits;
        self
    }

    fn of(mut self, index: usize) -> Source {
        self.index = index;
        self
    }
}

fn at(observations: &Observations, place: Place) -> &Gauge {
    &observations.places[place.index()]
}

impl Builder<'_> {
    pub(super) fn stations(&self) -> Vec<Station> {
        let mut sources = self.service_sources();
        self.database_sources(&mut sources);
        self.upstream_sources(&mut sources);
        let mut all: Vec<Station> = sources.iter().map(|source| self.station(source)).collect();
        // What nothing visited says nothing.
        all.retain(|station| station.visits > 0.0 || station.id == StationId::Cpu);
        all
    }

    fn service_sources(&self) -> Vec<Source> {
        let workers = u64::from(self.scenario.service.workers);
        let cores = u64::from(self.scenario.cpu.cores);
        let threads = workers * u64::from(self.scenario.service.threads);
        let mut sources = vec![
            // A visit is a stretch of work, however many turns it takes.
            Source::new(StationId::Cpu, Some(cores), |o, _| &o.cores)
                .queue(|o, _| at(o, place::CPU_WAIT))
                .served(|o, _| at(o, place::CPU))
                .visits(|o, _| o.bursts),
            // Every callback queues, if only for no time.
            Source::new(StationId::Loop, Some(workers), |o, _| &o.loops)
                .queue(|o, _| at(o, place::LOOP))
                .visits(|o, _| at(o, place::LOOP).entries()),
            Source::new(StationId::Threads, Some(threads), |o, _| &o.threads)
                .queue(|o, _| at(o, place::THREADS))
                .visits(|o, _| o.threads.entries() + at(o, place::THREADS).entries()),
        ];
        if self.plan.interpreter.is_some() {
            // Who waited takes the lock when it runs, and is counted then.
            let lock =
                Source::new(StationId::InterpreterLock, Some(workers), |o, _| &o.interpreter)
                    .queue(|o, _| at(o, place::INTERPRETER))
                    .visits(|o, _| o.interpreter.entries());
            sources.insert(2, lock);
        }
        sources
    }

    fn database_sources(&self, sources: &mut Vec<Source>) {
        let Some(database) = &self.scenario.database else { return };
        let workers = u64::from(self.scenario.service.workers);
        let capacity = match database.connections {
            Connections::PerOperation => None,
            Connections::Pool { size, overflow, .. } => {
                Some(workers * (u64::from(size) + u64::from(overflow)))
            }
        };
        // A connection is handed over without coming free: those who waited count there.
        sources.push(
            Source::new(StationId::DatabasePool, capacity, |o, _| &o.connections)
                .queue(|o, _| at(o, place::POOL))
                .visits(|o, _| o.connections.entries() + at(o, place::POOL).entries()),
        );
        match &database.engine {
            Engine::Sqlite(_) => {
                sources.push(
                    Source::new(StationId::DatabaseLock, Some(1), |o, _| &o.writer)
                        .queue(|o, _| at(o, place::LOCK))
                        .visits(|o, _| o.locks),
                );
                sources.push(
                    Source::new(StationId::Disk, None, |o, _| at(o, place::DISK))
                        .visits(|o, _| at(o, place::DISK).entries()),
                );
            }
            Engine::Postgres(postgres) => sources.push(
                Source::new(StationId::DatabaseServer, Some(u64::from(postgres.cores)), |o, _| {
                    &o.server
                })
                .queue(|o, _| &o.server_queue)
                .visits(|o, _| o.server.entries() + o.server_queue.entries()),
            ),
        }
    }

    fn upstream_sources(&self, sources: &mut Vec<Source>) {
        let workers = u64::from(self.scenario.service.workers);
        let slots = |limit: u32| Some(workers * u64::from(limit));
        for (index, upstream) in self.scenario.upstreams.iter().enumerate() {
            let name = || upstream.name.clone();
            if let Some(limit) = upstream.max_in_flight {
                let source = Source::new(StationId::Semaphore(name()), slots(limit), |o, i| {
                    &o.semaphores[i]
                })
                .queue(|o, i| at(o, place::semaphore(i as u32)))
                .visits(|o, i| {
                    o.semaphores[i].entries() + at(o, place::semaphore(i as u32)).entries()
                });
                sources.push(source.of(index));
            }
            if let Some(limit) = upstream.max_connections {
                let source = Source::new(StationId::Connections(name()), slots(limit), |o, i| {
                    &o.upstream_connections[i]
                })
                .queue(|o, i| at(o, place::connections(i as u32)))
                .visits(|o, i| {
                    o.upstream_connections[i].entries()
                        + at(o, place::connections(i as u32)).entries()
                });
                sources.push(source.of(index));
            }
            let source = Source::new(StationId::Upstream(name()), None, |o, i| {
                at(o, place::upstream(i as u32))
            })
            .visits(|o, i| at(o, place::upstream(i as u32)).entries());
            sources.push(source.of(index));
        }
    }

    fn station(&self, source: &Source) -> Station {
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
