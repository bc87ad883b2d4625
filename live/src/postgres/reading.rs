//! What is known of the server at a moment.

use serde::{Deserialize, Serialize};

/// What the server has done up to a moment. Times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// When, on the machine's monotonic clock.
    pub(crate) at: u64,
    /// CPU time of the server's processes, of those that have ended too, without the session that
    /// looks at it.
    pub(crate) cpu: u64,
    /// CPU time of that session.
    pub(crate) watching: u64,
    /// CPU time of the process that starts the server and is the network to it.
    pub(crate) network: u64,
    /// Resident memory of that process, in bytes.
    pub(crate) network_memory: u64,
    /// Resident memory of the server's processes, what they share counted once for each, in bytes.
    pub(crate) memory: u64,
    /// Sessions of the service, summed over the looks so far.
    pub(crate) sessions: Sessions,
    /// What the server counts; none if it does not answer.
    pub(crate) counters: Option<Counters>,
    /// The CPU time, memory and pools of PgBouncer, if the scenario has it.
    pub(crate) pooler: Option<PoolerReading>,
    /// The faults that have begun, in the order of the scenario's.
    pub(crate) faults: Vec<Happened>,
}

/// What a pooler has done up to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoolerReading {
    /// CPU time of its process, in nanoseconds.
    pub(crate) cpu: u64,
    /// Its resident memory, in bytes.
    pub(crate) memory: u64,
    /// Its pools, summed over the looks so far.
    pub(crate) pools: Pools,
}

/// A pooler's connections to the server, summed over all looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pools {
    /// How often it was looked.
    pub(crate) looks: u64,
    /// Connections that clients use.
    pub(crate) used: u64,
    /// Clients that wait for one.
    pub(crate) waiting: u64,
}

/// A fault that has begun. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Happened {
    /// The server was killed, and has lost its counts.
    pub(crate) killed: bool,
    /// How much later than planned.
    pub(crate) late: u64,
    /// How long until the server took connections again or went on; none if it does not yet.
    pub(crate) lasted: Option<u64>,
}

/// Sessions by what they do, summed over all looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sessions {
    /// How often it was looked.
    pub(crate) looks: u64,
    /// Sessions at a statement, those that wait for a lock included.
    pub(crate) active: u64,
    /// Sessions in a transaction, with no statement under way.
    pub(crate) idle_in_transaction: u64,
    /// Sessions with nothing under way.
    pub(crate) idle: u64,
    /// Sessions that wait for a lock of another.
    pub(crate) lock_waits: u64,
    /// Most sessions at a look.
    pub(crate) peak: u64,
}

/// What the server has counted so far. It tells of what a session did up to a second late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Transactions of the service's database that were committed.
    pub(crate) commits: u64,
    /// Those that were rolled back.
    pub(crate) rollbacks: u64,
    /// Deadlocks in it.
    pub(crate) deadlocks: u64,
    /// How often the write-ahead log was written to the disk.
    pub(crate) wal_syncs: u64,
    /// Bytes of the write-ahead log.
    pub(crate) wal_bytes: u64,
}
