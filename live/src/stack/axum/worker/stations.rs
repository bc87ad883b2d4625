//! What the worker's requests queue for, counted as it happens.

use model::place::{self, Place};
use model::scenario::Scenario;

use super::database::Database;
use super::gauge::Gauge;
use crate::stack::StationReadings;

/// Gauges of a worker.
#[derive(Debug)]
pub(super) struct Stations {
    /// Requests at each place, by number.
    pub places: Vec<Gauge>,
    /// Requests that were admitted and are not answered.
    pub requests: Gauge,
    /// Work after replies.
    pub after: Gauge,
    /// Such work that failed.
    pub after_failed: Gauge,
    /// Open client connections.
    pub connections: Gauge,
    /// Thread-pool tokens in use.
    pub threads: Gauge,
    /// SQLite's write lock held by this worker.
    pub writer: Gauge,
    /// Calls that hold the semaphore, by upstream.
    pub semaphores: Vec<Gauge>,
    /// Holders of each lock.
    pub locks: Vec<Gauge>,
    /// Client connections in use, by upstream.
    pub upstream_connections: Vec<Gauge>,
}

impl Stations {
    /// The stations of a worker of `scenario`.
    pub(super) fn new(scenario: &Scenario) -> Stations {
        let gauges = |count: usize| (0..count).map(|_| Gauge::new()).collect();
        let upstreams = scenario.upstreams.len();
        Stations {
            places: gauges(place::count(scenario)),
            requests: Gauge::new(),
            after: Gauge::new(),
            after_failed: Gauge::new(),
            connections: Gauge::new(),
            threads: Gauge::new(),
            writer: Gauge::new(),
            locks: gauges(scenario.locks.len()),
            semaphores: gauges(upstreams),
            upstream_connections: gauges(upstreams),
        }
    }

    /// The gauge of a place.
    pub(super) fn place(&self, place: Place) -> &Gauge {
        &self.places[place.index()]
    }

    /// All gauges now; those of the database's pool and rows are its own.
    pub(super) fn read(&self, database: Option<&Database>) -> StationReadings {
        let all = |gauges: &[Gauge]| gauges.iter().map(Gauge::read).collect();
        StationReadings {
            places: all(&self.places),
            requests: self.requests.read(),
            after: self.after.read(),
            after_failed: self.after_failed.read(),
            connections: self.connections.read(),
            threads: self.threads.read(),
            writer: self.writer.read(),
            locks: all(&self.locks),
            semaphores: all(&self.semaphores),
            upstream_connections: all(&self.upstream_connections),
            rows: database.map(Database::rows).unwrap_or_default(),
            pool: database.map(Database::in_use).unwrap_or_default(),
            pool_waiting: database.map(Database::waiting).unwrap_or_default(),
        }
    }
}
