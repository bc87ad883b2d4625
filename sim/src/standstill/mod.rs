//! Standstills: resources that are all held by requests that wait for each other. All connections of a
//! worker are held by requests that wait for a thread, say, and all threads by such as wait for a
//! connection; or two locks are held by requests that wait for the other one.

mod answer;
mod rows;
mod run;

pub(crate) use answer::standstill;

use model::scenario::{LockScope, Scenario};
use model::units::{Instant, Span};
use serde::{Deserialize, Serialize};

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A thread of the pool.
    Thread,
    /// A database connection.
    Connection,
    /// This lock of the application.
    Lock(u32),
}

/// Things of which a worker has some, beside its locks: threads and connections.
const BESIDE_LOCKS: usize = 2;

/// What waiting requests hold: of one worker, or of all where a lock or a database's rows are shared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waits {
    /// So many resources of each worker.
    of_worker: usize,
    /// So many resources.
    resources: usize,
    /// How much of each resource is held at the wait for each: a row for each that is held.
    held: Vec<u32>,
    /// Those that may stand still, while that is found out.
    standing: Vec<bool>,
    /// When the standstill began that lasts now.
    since: Option<Instant>,
}

impl Waits {
    /// How many there are, and of how many resources each.
    fn shape(scenario: &Scenario) -> (usize, usize) {
        let workers = scenario.service.workers as usize;
        let of_worker = BESIDE_LOCKS + scenario.locks.len();
        // The rows of a database are locked by requests of all workers.
        let shared = scenario.locks.iter().any(|lock| lock.scope == LockScope::Service)
            || !scenario.rows().is_empty();
        if shared { (1, workers * of_worker) } else { (workers, of_worker) }
    }

    /// Bytes of memory of all.
    pub(crate) fn bytes(scenario: &Scenario) -> u64 {
        let (count, resources) = Waits::shape(scenario);
        (count * resources * resources * size_of::<u32>()) as u64
    }

    /// None of a service, before its first request.
    pub(crate) fn of(scenario: &Scenario) -> Vec<Waits> {
        let of_worker = BESIDE_LOCKS + scenario.locks.len();
        let (count, resources) = Waits::shape(scenario);
        let (held, standing) = (vec![0; resources * resources], vec![false; resources]);
        vec![Waits { of_worker, resources, held, standing, since: None }; count]
    }

    /// As much is held.
    pub(crate) fn counts_as(&self, other: &Waits) -> bool {
        self.held == other.held
    }
}

/// The standstills of one run, its warm-up included.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// How many there were. One that the pool's timeout ended may be followed by another at once.
    pub count: u64,
    /// When the first began.
    pub first: Option<Instant>,
    /// How long they lasted together, over all workers.
    pub total: Span,
    /// How long the longest lasted.
    pub longest: Span,
    /// How many lasted to the end of the run.
    pub endless: u64,
    /// Most connections held by requests that waited for a thread.
    pub for_thread: u32,
    /// Most connections held by requests that waited for another one.
    pub for_connection: u32,
    /// Most threads held by requests that waited for a connection.
    pub threads: u32,
    /// Locks that were held by requests that waited, in order.
    pub locks: Vec<u32>,
    /// Rows of the database that requests waited for which stood still, in order.
    #[serde(default)]
    pub rows: Vec<u32>,
}
