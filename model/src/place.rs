//! Where a request's time goes, by number and by identity.
//!
//! The first places are fixed; four for each upstream follow, and one for each lock. Predicted and measured reports
//! give a place the same [`PlaceId`].

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// A place by its number in one scenario: an index into [`ids`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u16);

/// Waiting to be accepted: for the client, which opens other connections first or sends on
/// them, and for the worker. Retries of a dropped handshake are included.
pub const CONNECT: Place = Place(0);
/// Waiting for the event loop to come round.
pub const LOOP: Place = Place(1);
/// On a thread that is ready but has no processor.
pub const CPU_WAIT: Place = Place(2);
/// Computing.
pub const CPU: Place = Place(3);
/// Waiting for the interpreter lock.
pub const INTERPRETER: Place = Place(4);
/// Waiting for a thread of the pool.
pub const THREADS: Place = Place(5);
/// Waiting for a database connection.
pub const POOL: Place = Place(6);
/// Polling for a database lock.
pub const LOCK: Place = Place(7);
/// Waiting for the disk.
pub const DISK: Place = Place(8);
/// At the database server.
pub const SERVER: Place = Place(9);
/// In a `sleep` step.
pub const SLEEP: Place = Place(10);
/// In a `block` step.
pub const BLOCK: Place = Place(11);
/// Waiting for branches. Replaced by the slowest branch's own places when they join.
pub const GATHER: Place = Place(12);
/// From the end of the request in the service to the client's clock: the way back, and a load
/// generator that is late to read.
pub const REPLY: Place = Place(13);
/// In earlier attempts of the client, and in its pauses after them.
pub const RETRY: Place = Place(14);

/// Places that every scenario has.
const FIXED: [PlaceId; 15] = [
    PlaceId::Connect,
    PlaceId::Loop,
    PlaceId::CpuWait,
    PlaceId::Cpu,
    PlaceId::InterpreterLock,
    PlaceId::Threads,
    PlaceId::DatabasePool,
    PlaceId::DatabaseLock,
    PlaceId::Disk,
    PlaceId::DatabaseServer,
    PlaceId::Sleep,
    PlaceId::Block,
    PlaceId::Gather,
    PlaceId::Reply,
    PlaceId::Retry,
];

/// Places that each upstream adds.
const PER_UPSTREAM: usize = 4;

// The reader accepts no more upstreams and locks than can be numbered.
const _: () =
    assert!(FIXED.len() + (PER_UPSTREAM + 1) * crate::keys::MOST_ENTRIES <= u16::MAX as usize);

/// Waiting for the semaphore of the upstream with this index.
pub fn semaphore(upstream: u32) -> Place {
    of_upstream(upstream, 0)
}

/// Waiting for a client connection to it.
pub fn connections(upstream: u32) -> Place {
    of_upstream(upstream, 1)
}

/// Waiting for its reply.
pub fn upstream(upstream: u32) -> Place {
    of_upstream(upstream, 2)
}

/// Pausing before it is called again.
pub fn backoff(upstream: u32) -> Place {
    of_upstream(upstream, 3)
}

const fn of_upstream(upstream: u32, part: usize) -> Place {
    Place((FIXED.len() + PER_UPSTREAM * upstream as usize + part) as u16)
}

/// Waiting for the lock of `scenario` with this index.
pub fn lock(scenario: &Scenario, lock: u32) -> Place {
    Place((FIXED.len() + PER_UPSTREAM * scenario.upstreams.len()) as u16 + lock as u16)
}

/// How many places `scenario` has.
pub fn count(scenario: &Scenario) -> usize {
    FIXED.len() + PER_UPSTREAM * scenario.upstreams.len() + scenario.locks.len()
}

/// All places of `scenario`, by number.
pub fn ids(scenario: &Scenario) -> Vec<PlaceId> {
    let of_upstreams = scenario.upstreams.iter().flat_map(|upstream| {
        let name = || upstream.name.clone();
        [
            PlaceId::Semaphore(name()),
            PlaceId::Connections(name()),
            PlaceId::Upstream(name()),
            PlaceId::Backoff(name()),
        ]
    });
    let of_locks = scenario.locks.iter().map(|lock| PlaceId::Lock(lock.name.clone()));
    FIXED.into_iter().chain(of_upstreams).chain(of_locks).collect()
}

impl Place {
    /// Its number.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The place with this number, which a scenario may not have.
    pub const fn new(number: u16) -> Place {
        Place(number)
    }
}

/// As it travels between processes.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a request's time goes.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub enum PlaceId {
    /// See [`CONNECT`].
    Connect,
    /// See [`LOOP`].
    Loop,
    /// See [`CPU_WAIT`].
    CpuWait,
    /// See [`CPU`].
    Cpu,
    /// See [`INTERPRETER`].
    InterpreterLock,
    /// See [`THREADS`].
    Threads,
    /// See [`POOL`].
    DatabasePool,
    /// See [`LOCK`].
    DatabaseLock,
    /// See [`DISK`].
    Disk,
    /// See [`SERVER`].
    DatabaseServer,
    /// See [`SLEEP`].
    Sleep,
    /// See [`BLOCK`].
    Block,
    /// See [`GATHER`].
    Gather,
    /// See [`REPLY`].
    Reply,
    /// See [`RETRY`].
    Retry,
    /// See [`semaphore`].
    Semaphore(String),
    /// See [`connections`].
    Connections(String),
    /// See [`upstream`].
    Upstream(String),
    /// See [`backoff`].
    Backoff(String),
    /// See [`lock`].
    Lock(String),
    /// A place with this name in a report of another version.
    Other(String),
}

/// A place in JSON: a name for people, and the parts of its identity.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    /// Where, such as `cpu wait` or `upstream partner semaphore`.
    place: String,
    /// Its kind, such as `cpu_wait` or `semaphore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The upstream that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    /// The lock that is waited for there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock: Option<String>,
}

impl PlaceId {
    /// True where requests may wait for one another. A request in a step that takes its own
    /// time, or at an upstream, is there as long whatever others do.
    pub fn is_queue(&self) -> bool {
        !matches!(
            self,
            PlaceId::Sleep
                | PlaceId::Block
                | PlaceId::Gather
                | PlaceId::Reply
                | PlaceId::Retry
                | PlaceId::Upstream(_)
                | PlaceId::Backoff(_)
                | PlaceId::Other(_)
        )
    }

    /// The lock that is waited for there.
    fn lock(&self) -> Option<&str> {
        match self {
            PlaceId::Lock(name) => Some(name),
            _ => None,
        }
    }

    /// Its kind as JSON has it; none for a place of another version.
    pub fn kind(&self) -> Option<&'static str> {
        Some(match self {
            PlaceId::Connect => "connect",
            PlaceId::Loop => "loop",
            PlaceId::CpuWait => "cpu_wait",
            PlaceId::Cpu => "cpu",
            PlaceId::InterpreterLock => "interpreter_lock",
            PlaceId::Threads => "threads",
            PlaceId::DatabasePool => "database_pool",
            PlaceId::DatabaseLock => "database_lock",
            PlaceId::Disk => "disk",
            PlaceId::DatabaseServer => "database_server",
            PlaceId::Sleep => "sleep",
            PlaceId::Block => "block",
            PlaceId::Gather => "gather",
            PlaceId::Reply => "reply",
            PlaceId::Retry => "retry",
            PlaceId::Semaphore(_) => "semaphore",
            PlaceId::Connections(_) => "connections",
            PlaceId::Upstream(_) => "upstream",
            PlaceId::Backoff(_) => "backoff",
            PlaceId::Lock(_) => "lock",
            PlaceId::Other(_) => return None,
        })
    }

    /// The upstream that it belongs to.
    pub fn upstream(&self) -> Option<&str> {
        match self {
            PlaceId::Semaphore(name)
            | PlaceId::Connections(name)
            | PlaceId::Upstream(name)
            | PlaceId::Backoff(name) => Some(name),
            _ => None,
        }
    }

    /// What a request does there, for people.
    pub fn words(&self) -> String {
        let fixed = match self {
            PlaceId::Connect => "waiting to be accepted",
            PlaceId::Loop => "waiting for the event loop",
            PlaceId::CpuWait => "waiting for the CPU",
            PlaceId::Cpu => "computing",
            PlaceId::InterpreterLock => "waiting for the interpreter lock (GIL)",
            PlaceId::Threads => "waiting for a thread of the pool",
            PlaceId::DatabasePool => "waiting for a database connection",
            PlaceId::DatabaseLock => "waiting for the database lock",
            PlaceId::Disk => "waiting for the disk",
            PlaceId::DatabaseServer => "at the database server",
            PlaceId::Sleep => "in `sleep` steps",
            PlaceId::Block => "in `block` steps",
            PlaceId::Gather => "waiting for parallel steps",
            PlaceId::Reply => "on the way back to the client",
            PlaceId::Retry => "in earlier attempts of the client, and pauses after them",
            PlaceId::Semaphore(upstream) => {
                return format!("waiting for the semaphore of {upstream} (max_in_flight)");
            }
            PlaceId::Connections(upstream) => {
                return format!("waiting for a free connection to {upstream} (max_connections)");
            }
            PlaceId::Upstream(upstream) => return format!("waiting for {upstream} to reply"),
            PlaceId::Backoff(upstream) => {
                return format!("pausing before {upstream} is called again");
            }
            PlaceId::Lock(name) => return format!("waiting for the lock {name}"),
            PlaceId::Other(name) => name,
        };
        fixed.to_string()
    }
}

/// The name in JSON.
impl fmt::Display for PlaceId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            PlaceId::Connect => f.write_str("connect"),
            PlaceId::Loop => f.write_str("loop"),
            PlaceId::CpuWait => f.write_str("cpu wait"),
            PlaceId::Cpu => f.write_str("cpu"),
            PlaceId::InterpreterLock => f.write_str("interpreter lock"),
            PlaceId::Threads => f.write_str("threads"),
            PlaceId::DatabasePool => f.write_str("database pool"),
            PlaceId::DatabaseLock => f.write_str("database lock"),
            PlaceId::Disk => f.write_str("disk"),
            PlaceId::DatabaseServer => f.write_str("database server"),
            PlaceId::Sleep => f.write_str("sleep"),
            PlaceId::Block => f.write_str("block"),
            PlaceId::Gather => f.write_str("gather"),
            PlaceId::Reply => f.write_str("reply"),
            PlaceId::Retry => f.write_str("retry"),
            PlaceId::Semaphore(upstream) => write!(f, "upstream {upstream} semaphore"),
            PlaceId::Connections(upstream) => write!(f, "upstream {upstream} connections"),
            PlaceId::Upstream(upstream) => write!(f, "upstream {upstream}"),
            PlaceId::Backoff(upstream) => write!(f, "upstream {upstream} backoff"),
            PlaceId::Lock(name) => write!(f, "lock {name}"),
            PlaceId::Other(name) => f.write_str(name),
        }
    }
}

impl From<PlaceId> for Written {
    fn from(id: PlaceId) -> Written {
        Written {
            place: id.to_string(),
            kind: id.kind().map(str::to_string),
            upstream: id.upstream().map(str::to_string),
            lock: id.lock().map(str::to_string),
        }
    }
}

impl From<Written> for PlaceId {
    fn from(Written { place, kind, upstream, lock }: Written) -> PlaceId {
        let mut fixed = FIXED.into_iter();
        match (kind.as_deref(), upstream.or(lock)) {
            (Some("semaphore"), Some(upstream)) => PlaceId::Semaphore(upstream),
            (Some("connections"), Some(upstream)) => PlaceId::Connections(upstream),
            (Some("upstream"), Some(upstream)) => PlaceId::Upstream(upstream),
            (Some("backoff"), Some(upstream)) => PlaceId::Backoff(upstream),
            (Some("lock"), Some(lock)) => PlaceId::Lock(lock),
            // A report without kinds names the fixed places.
            (kind, _) => fixed
                .find(|id| kind.map_or(id.to_string() == place, |kind| id.kind() == Some(kind)))
                .unwrap_or(PlaceId::Other(place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_identities_agree() {
        let text = "load = { users = 1, duration = \"1s\" }\nservice.concurrency = \"async\"\n\
                    costs.cpu.request = \"1ms\"\nupstream.a.latency = \"1s\"\n\
                    upstream.\"a backoff\".latency = \"1s\"\n\
                    lock.\"a b\".holders = 2\nlock.c = {}\n\
                    endpoint = [{ name = \"e\", weight = 1 }]";
        let scenario = crate::read::load_text("places", text, &[]).expect("a scenario").scenario;
        let ids = ids(&scenario);
        assert_eq!(ids.len(), count(&scenario));
        assert_eq!(ids[REPLY.index()], PlaceId::Reply);
        assert_eq!(ids[RETRY.index()], PlaceId::Retry);
        assert_eq!(ids[backoff(0).index()], PlaceId::Backoff("a".into()));
        assert_eq!(ids[upstream(1).index()], PlaceId::Upstream("a backoff".into()));
        let c = lock(&scenario, 1);
        assert_eq!(ids[c.index()], PlaceId::Lock("c".into()));
        let queues = [LOOP, CPU_WAIT, SERVER, semaphore(1), connections(1), c];
        assert!(queues.into_iter().all(|place| ids[place.index()].is_queue()));
        let others = [SLEEP, REPLY, upstream(0), backoff(1)];
        assert!(!others.into_iter().any(|place| ids[place.index()].is_queue()));
        for id in ids {
            let json = serde_json::to_string(&id).expect("JSON");
            assert_eq!(serde_json::from_str::<PlaceId>(&json).expect("a place"), id, "{json}");
        }
    }
}
