//! What the requests of one worker process share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::scenario::Scenario;

use super::database::Database;
use super::semaphore::Semaphore;
use super::stations::Stations;
use super::upstreams::Client;
use crate::alarm::Alarm;

/// The state of a worker process.
#[derive(Debug)]
pub(super) struct Worker {
    /// What it runs.
    pub scenario: Arc<Scenario>,
    /// Factor on every CPU time of the profile: the server's, and the processor's speed.
    pub scale: f64,
    /// What requests queue for.
    pub stations: Stations,
    /// Threads of the pool.
    pub threads: Semaphore,
    /// Locks of the application.
    pub locks: Vec<Semaphore>,
    /// Timers of parked requests.
    pub alarm: Alarm,
    /// Its client, if the scenario has upstreams.
    pub client: Option<Client>,
    /// Its database, if the scenario has one.
    pub database: Option<Database>,
    visitors: AtomicU64,
}

impl Worker {
    /// A worker of `scenario` whose upstreams answer at `upstream` and whose database is
    /// `database`.
    ///
    /// # Errors
    /// What keeps it from starting, in words.
    pub(super) fn new(
        scenario: Arc<Scenario>,
        upstream: Option<SocketAddr>,
        database: Option<Database>,
    ) -> Result<Worker, String> {
        let client = upstream.map(|address| Client::new(&scenario.upstreams, address)).transpose();
        Ok(Worker {
            scale: scenario.costs.cpu_scale(scenario.service.server) / scenario.cpu.speed,
            stations: Stations::new(&scenario),
            threads: Semaphore::new(scenario.service.threads),
            locks: scenario.locks.iter().map(|lock| Semaphore::new(lock.holders)).collect(),
            alarm: Alarm::new().map_err(|error| format!("no timer: {error}"))?,
            client: client.map_err(|error| format!("no HTTP client: {error}"))?,
            database,
            visitors: AtomicU64::new(0),
            scenario,
        })
    }

    /// uvicorn refuses when its connections, this one included, or its requests reach the
    /// limit.
    pub(super) fn is_full(&self) -> bool {
        self.scenario.service.limit_concurrency.is_some_and(|limit| {
            let limit = u64::from(limit);
            self.stations.connections.value() >= limit || self.stations.requests.value() >= limit
        })
    }

    /// A number for a request without a key.
    pub(super) fn next_visitor(&self) -> u64 {
        self.visitors.fetch_add(1, Ordering::Relaxed)
    }
}
