//! What the worker's requests queue for, counted as it happens.

use model::place::{self, Place};
use model::scenario::Scenario;
use serde::{Deserialize, Serialize};

use super::gauge::{Gauge, Reading};

/// Gauges of a worker.
#[derive(Debug)]
pub struct Stations {
    /// Requests at each place, by number.
    pub places: Vec<Gauge>,
    /// Requests that were admitted and are not answered.
    pub requests: Gauge,
    /// Open client connections.
    pub connections: Gauge,
    /// Thread-pool tokens in use.
    pub threads: Gauge,
    /// SQLite's write lock held by this worker.
    pub writer: Gauge,
    /// Semaphore slots in use, by upstream.
    pub semaphores: Vec<Gauge>,
    /// Client connections in use, by upstream.
    pub upstream_connections: Vec<Gauge>,
}

/// The gauges at one moment. What a service does not count is zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StationReadings {
    /// As in [`Stations`].
    pub places: Vec<Reading>,
    /// As in [`Stations`].
    pub requests: Reading,
    /// As in [`Stations`].
    pub connections: Reading,
    /// As in [`Stations`].
    pub threads: Reading,
    /// As in [`Stations`].
    pub writer: Reading,
    /// As in [`Stations`].
    pub semaphores: Vec<Reading>,
    /// As in [`Stations`].
    pub upstream_connections: Vec<Reading>,
    /// Database connections in use.
    pub pool: Reading,
    /// Requests that wait for one.
    pub pool_waiting: Reading,
}

impl Stations {
    /// The stations of a worker of `scenario`.
    pub fn new(scenario: &Scenario) -> Stations {
        let gauges = |count: usize| (0..count).map(|_| Gauge::new()).collect();
        let upstreams = scenario.upstreams.len();
        Stations {
            places: gauges(place::count(scenario)),
            requests: Gauge::new(),
            connections: Gauge::new(),
            threads: Gauge::new(),
            writer: Gauge::new(),
            semaphores: gauges(upstreams),
            upstream_connections: gauges(upstreams),
        }
    }

    /// The gauge of a place.
    pub fn place(&self, place: Place) -> &Gauge {
        &self.places[place.index()]
    }

    /// All gauges now; those of the database pool are the database's own.
    pub fn read(&self, pool: Reading, pool_waiting: Reading) -> StationReadings {
        let all = |gauges: &[Gauge]| gauges.iter().map(Gauge::read).collect();
        StationReadings {
            places: all(&self.places),
            requests: self.requests.read(),
            connections: self.connections.read(),
            threads: self.threads.read(),
            writer: self.writer.read(),
            semaphores: all(&self.semaphores),
            upstream_connections: all(&self.upstream_connections),
            pool,
            pool_waiting,
        }
    }
}
