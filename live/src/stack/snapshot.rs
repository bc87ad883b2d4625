//! What a worker has counted, whatever its stack.

use serde::{Deserialize, Serialize};

/// What a worker has counted up to a moment. Times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the process that counted; 0 if none did.
    pub process: u32,
    /// What a report calls the process; by its number among the workers if this is empty.
    #[serde(skip)]
    pub name: String,
    /// When the process began: tells it from the one that replaced it.
    pub born: u64,
    /// When this was counted, on the machine's monotonic clock.
    pub at: u64,
    /// CPU time of all its threads.
    pub cpu: u64,
    /// Time that its loop slept because nothing was to be done.
    pub loop_idle: u64,
    /// Waits for the loop since the last snapshot: how long, and how many.
    pub lag: Vec<(u64, u64)>,
    /// Its gauges.
    pub stations: StationReadings,
}

/// The gauges of a worker at one moment. What a service does not count is zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StationReadings {
    /// Requests at each place, by number.
    pub places: Vec<GaugeReading>,
    /// Requests that were admitted and are not answered.
    pub requests: GaugeReading,
    /// Work after replies.
    pub after: GaugeReading,
    /// Such work that failed.
    pub after_failed: GaugeReading,
    /// Open client connections.
    pub connections: GaugeReading,
    /// Threads of the pool in use.
    pub threads: GaugeReading,
    /// SQLite's write lock held by this worker.
    pub writer: GaugeReading,
    /// Calls that hold the semaphore, by upstream.
    pub semaphores: Vec<GaugeReading>,
    /// Client connections in use, by upstream.
    pub upstream_connections: Vec<GaugeReading>,
    /// Holders of each lock.
    pub locks: Vec<GaugeReading>,
    /// Rows of a database server that are locked, by name.
    pub rows: Vec<GaugeReading>,
    /// Database connections in use.
    pub pool: GaugeReading,
    /// Requests that wait for one.
    pub pool_waiting: GaugeReading,
}

/// A gauge at one moment. The difference of two readings is what happened between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaugeReading {
    /// The value.
    pub value: u64,
    /// Integral of the value over time up to now, in nanoseconds.
    pub area: u64,
    /// The largest value so far.
    pub peak: u64,
    /// How often it was entered so far.
    pub entries: u64,
}
