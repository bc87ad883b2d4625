//! What only a measured report has: how it was measured, and whether that can be trusted.
//!
//! Times are in seconds, shares between 0 and 1, memory in bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::speed::Speed;

/// How the numbers of a report were measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// What the scenario was run on: `axum` or `fastapi`, or that it is the user's own.
    pub target: String,
    /// When it began: seconds since 1970, UTC.
    pub started: u64,
    /// The run was ended before its time; the numbers are those of the part that was run.
    pub interrupted: bool,
    /// Why the numbers prove nothing; empty if they stand.
    pub inconclusive: Vec<String>,
    /// Processors of the service.
    pub service_cpus: Vec<u32>,
    /// Processors of the load generator and the mock upstream.
    pub load_cpus: Vec<u32>,
    /// The service had its processors to itself, as far as rung can see to it.
    pub pinned: bool,
    /// Share of the service's processors that the hypervisor took away.
    pub steal: f64,
    /// Share of the service's processors that threads of the kernel used that are bound to
    /// them: they write the service's files to the disk, and no process is charged for it.
    #[serde(default)]
    pub kernel: f64,
    /// Share of the service's processors that other programs used.
    pub others: f64,
    /// The same of the load's processors: what the hypervisor took away.
    #[serde(default)]
    pub load_steal: f64,
    /// The same of the load's processors: what other programs used.
    #[serde(default)]
    pub load_others: f64,
    /// How fast the service's processors were; none if nothing was there to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    /// Processes of the run and what they used in the counted window.
    pub processes: Vec<Process>,
    /// The database server that ran beside the service, if `live` started one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseServer>,
    /// How late requests were sent: from the intended instant to the first byte.
    pub lateness: Spread,
    /// How late the mock upstream replied, beyond the latency that was drawn.
    pub upstream_lateness: Spread,
    /// How long a callback waits for the event loop, sampled at regular times.
    pub loop_lag: Spread,
    /// Every request of the run, the warm-up included.
    pub accounting: Accounting,
    /// The load generator's connections to the service, the warm-up included.
    #[serde(default)]
    pub connections: Connections,
    /// What the mock of each upstream counted, the warm-up included.
    #[serde(default)]
    pub upstreams: Vec<UpstreamCalls>,
    /// Connections that the mock upstream could not accept: their callers waited for it.
    #[serde(default)]
    pub unaccepted: u64,
    /// Good answers of the counted window that said what cannot be of where their time went.
    #[serde(default)]
    pub malformed: u64,
    /// Resident memory of all workers together.
    pub memory: MeasuredMemory,
    /// The machine.
    pub machine: BTreeMap<String, String>,
    /// Versions of what was run.
    pub versions: BTreeMap<String, String>,
}

/// A process of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// `worker 0`, `mock upstream`, `load generator`; `live terminal` if somebody looked on.
    pub name: String,
    /// CPU time in the counted window, seconds.
    pub cpu: f64,
    /// The same as a share of one processor.
    pub utilisation: f64,
    /// Resident memory at the end, bytes; 0 if it has none of its own.
    pub memory: u64,
}

/// A database server beside the service, in the counted window. Sessions are those of the service,
/// mean over the looks at them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseServer {
    /// Its version; empty for the database of a service of the user's own, of which only CPU time,
    /// memory and processors are seen.
    pub version: String,
    /// Its processors.
    pub cpus: Vec<u32>,
    /// CPU time of all its processes as a share of one processor.
    pub utilisation: f64,
    /// CPU time of looking at it, which is not in `utilisation`, as a share of one processor.
    pub watching: f64,
    /// Resident memory of its processes at the end, bytes. What they share is counted for each.
    pub memory: u64,
    /// How often it was looked at its sessions.
    pub looks: u64,
    /// Sessions at a statement, those that wait for a lock included.
    pub sessions_active: f64,
    /// Sessions in a transaction, with no statement under way.
    pub sessions_idle_in_transaction: f64,
    /// Sessions with nothing under way.
    pub sessions_idle: f64,
    /// Sessions that wait for a lock that another holds.
    pub lock_waits: f64,
    /// Most sessions at a look, the warm-up included.
    pub sessions_peak: u64,
    /// What it counted; none if it did not answer at one end of the window, or was killed in it.
    pub counts: Option<ServerCounts>,
    /// Its faults, as they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<MeasuredFault>,
}

/// A fault of a database server as it came, in the round where it was worst. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredFault {
    /// `down`, `killed` or `paused`.
    pub database: String,
    /// When it was to begin, from the start of the load.
    pub at: f64,
    /// How much later it began.
    pub late: f64,
    /// How long until the server took connections again, or went on; none if it did not before
    /// the window closed.
    pub lasted: Option<f64>,
}

/// What a database server counts itself, by the second of the counted window. It tells of what a
/// session did up to a second late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerCounts {
    /// Transactions that were committed, those of single statements included.
    pub commits: f64,
    /// Transactions that were rolled back.
    pub rollbacks: f64,
    /// Deadlocks.
    pub deadlocks: f64,
    /// How often the write-ahead log was written to the disk.
    pub wal_syncs: f64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: f64,
}

/// Quantiles of a time that should be short, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// How many were seen.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Half are shorter.
    pub p50: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Every request accounted for: `sent = good + errors + in_flight`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accounting {
    /// Requests sent.
    pub sent: u64,
    /// Answered well.
    pub good: u64,
    /// Ended otherwise, by kind.
    pub errors: BTreeMap<String, u64>,
    /// Neither, when the load ended.
    pub in_flight: u64,
    /// Arrivals that found every user busy, and were not sent.
    pub dropped: u64,
}

/// The load generator's connections to the service, of all rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connections {
    /// Connections that were opened.
    pub opened: u64,
    /// Requests that were sent again, on a new connection, because the server had closed or
    /// lost the old one.
    pub remade: u64,
    /// Most open at a time.
    pub peak: u64,
}

/// Calls of an upstream as its mock counted them, of all rounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpstreamCalls {
    /// The upstream's name.
    pub name: String,
    /// Calls that came.
    pub calls: u64,
    /// Those of them that failed, as drawn.
    pub failures: u64,
    /// Those that it refused because its queue was full.
    #[serde(default)]
    pub refused: u64,
    /// Those of them whose caller went away before the reply.
    pub abandoned: u64,
}

/// What parked requests cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredMemory {
    /// Before the load.
    pub idle: u64,
    /// At the end of the counted window.
    pub loaded: u64,
    /// Requests in the service then.
    pub requests: u64,
    /// Their difference per request; none with fewer than a hundred requests, or with fewer
    /// than half of the most there were: memory that those took has not been given back.
    pub per_request: Option<f64>,
}

impl Process {
    /// It is a worker of the service. All others are the load's.
    pub fn is_worker(&self) -> bool {
        self.name.starts_with("worker ")
    }
}

impl Accounting {
    /// Errors of all kinds.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Nothing is lost and nothing counted twice.
    pub fn adds_up(&self) -> bool {
        self.sent == self.good + self.failed() + self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_request_is_noticed() {
        let errors = BTreeMap::from([("timeout".to_string(), 2)]);
        let whole = Accounting { sent: 10, good: 5, errors, in_flight: 3, dropped: 4 };
        assert!(whole.adds_up());
        assert!(!Accounting { good: 4, ..whole.clone() }.adds_up());
        assert!(!Accounting { in_flight: 4, ..whole }.adds_up());
    }
}
