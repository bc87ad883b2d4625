//! The resources that requests use and queue for, by identity.
//!
//! Predicted and measured reports give a station the same [`StationId`], so that the two can be
//! compared whatever an upstream is called.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A resource that requests use and queue for.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub enum StationId {
    /// The processors of the service.
    Cpu,
    /// The event loops of the workers.
    Loop,
    /// The workers themselves, where each serves one request at a time.
    Worker,
    /// The interpreter locks of the workers.
    InterpreterLock,
    /// The thread pools of the workers.
    Threads,
    /// The database connections of the workers.
    DatabasePool,
    /// SQLite's write lock.
    DatabaseLock,
    /// The disk under the database.
    Disk,
    /// The processors of the database server.
    DatabaseServer,
    /// The connections of PgBouncer to the database server.
    DatabasePooler,
    /// The semaphores around calls of this upstream.
    Semaphore(String),
    /// The limited client connections to this upstream.
    Connections(String),
    /// This upstream itself.
    Upstream(String),
    /// This lock of the application.
    Lock(String),
    /// These rows of the database server, as statements lock them.
    Row(String),
    /// A station with this name in a report of another version.
    Other(String),
}

/// A station in JSON: a name for people, and the parts of its identity.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    /// Its name, such as `cpu` or `upstream partner semaphore`.
    name: String,
    /// Its kind, such as `cpu` or `semaphore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The upstream that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    /// The lock that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock: Option<String>,
    /// The rows of the database that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<String>,
}

impl StationId {
    const SINGLE: [StationId; 10] = [
        StationId::Cpu,
        StationId::Loop,
        StationId::Worker,
        StationId::InterpreterLock,
        StationId::Threads,
        StationId::DatabasePool,
        StationId::DatabaseLock,
        StationId::Disk,
        StationId::DatabaseServer,
        StationId::DatabasePooler,
    ];

    /// Its kind as JSON has it; none for a station of another version.
    pub fn kind(&self) -> Option<&'static str> {
        Some(match self {
            StationId::Cpu => "cpu",
            StationId::Loop => "loop",
            StationId::Worker => "worker",
            StationId::InterpreterLock => "interpreter_lock",
            StationId::Threads => "threads",
            StationId::DatabasePool => "database_pool",
            StationId::DatabaseLock => "database_lock",
            StationId::Disk => "disk",
            StationId::DatabaseServer => "database_server",
            StationId::DatabasePooler => "database_pooler",
            StationId::Semaphore(_) => "semaphore",
            StationId::Connections(_) => "connections",
            StationId::Upstream(_) => "upstream",
            StationId::Lock(_) => "lock",
            StationId::Row(_) => "row",
            StationId::Other(_) => return None,
        })
    }

    /// The upstream that it belongs to.
    pub fn upstream(&self) -> Option<&str> {
        match self {
            StationId::Semaphore(name)
            | StationId::Connections(name)
            | StationId::Upstream(name) => Some(name),
            _ => None,
        }
    }

    /// What it is called in tables for people.
    pub fn words(&self) -> String {
        match self {
            StationId::Cpu => "CPU".into(),
            StationId::Loop => "event loop".into(),
            StationId::Worker => "worker processes".into(),
            StationId::InterpreterLock => "interpreter lock (GIL)".into(),
            StationId::Threads => "thread pool".into(),
            StationId::DatabasePool => "database connections".into(),
            StationId::DatabaseLock => "database lock (writers hold it)".into(),
            StationId::DatabasePooler => "PgBouncer's connections".into(),
            StationId::Semaphore(upstream) => format!("semaphore of {upstream}"),
            StationId::Connections(upstream) => format!("connections to {upstream}"),
            StationId::Upstream(upstream) => format!("{upstream} (upstream)"),
            StationId::Lock(name) => format!("lock {name}"),
            StationId::Row(name) => format!("locked rows of {name}"),
            StationId::Disk | StationId::DatabaseServer | StationId::Other(_) => self.to_string(),
        }
    }
}

/// The name in JSON.
impl fmt::Display for StationId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StationId::Cpu => f.write_str("cpu"),
            StationId::Loop => f.write_str("loop"),
            StationId::Worker => f.write_str("worker"),
            StationId::InterpreterLock => f.write_str("interpreter lock"),
            StationId::Threads => f.write_str("threads"),
            StationId::DatabasePool => f.write_str("database pool"),
            StationId::DatabaseLock => f.write_str("database lock"),
            StationId::Disk => f.write_str("disk"),
            StationId::DatabaseServer => f.write_str("database server"),
            StationId::DatabasePooler => f.write_str("database pooler"),
            StationId::Semaphore(upstream) => write!(f, "upstream {upstream} semaphore"),
            StationId::Connections(upstream) => write!(f, "upstream {upstream} connections"),
            StationId::Upstream(upstream) => write!(f, "upstream {upstream}"),
            StationId::Lock(name) => write!(f, "lock {name}"),
            StationId::Row(name) => write!(f, "row {name}"),
            StationId::Other(name) => f.write_str(name),
        }
    }
}

impl From<StationId> for Written {
    fn from(id: StationId) -> Written {
        Written {
            name: id.to_string(),
            kind: id.kind().map(str::to_string),
            upstream: id.upstream().map(str::to_string),
            lock: match &id {
                StationId::Lock(name) => Some(name.clone()),
                _ => None,
            },
            row: match &id {
                StationId::Row(name) => Some(name.clone()),
                _ => None,
            },
        }
    }
}

impl From<Written> for StationId {
    fn from(Written { name, kind, upstream, lock, row }: Written) -> StationId {
        let mut single = StationId::SINGLE.into_iter();
        match (kind.as_deref(), upstream.or(lock).or(row)) {
            (Some("semaphore"), Some(upstream)) => StationId::Semaphore(upstream),
            (Some("connections"), Some(upstream)) => StationId::Connections(upstream),
            (Some("upstream"), Some(upstream)) => StationId::Upstream(upstream),
            (Some("lock"), Some(lock)) => StationId::Lock(lock),
            (Some("row"), Some(row)) => StationId::Row(row),
            // A report without kinds names the stations of which there is one.
            (kind, _) => single
                .find(|id| kind.map_or(id.to_string() == name, |kind| id.kind() == Some(kind)))
                .unwrap_or(StationId::Other(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<StationId> {
        let mut all = StationId::SINGLE.to_vec();
        for name in ["partner", "x connections", "x semaphore", "cpu", ""] {
            all.push(StationId::Semaphore(name.into()));
            all.push(StationId::Connections(name.into()));
            all.push(StationId::Upstream(name.into()));
            all.push(StationId::Lock(name.into()));
            all.push(StationId::Row(name.into()));
        }
        all
    }

    #[test]
    fn an_identity_survives_json_whatever_an_upstream_is_called() {
        for id in all() {
            let json = serde_json::to_string(&id).expect("JSON");
            assert_eq!(serde_json::from_str::<StationId>(&json).expect("a station"), id, "{json}");
        }
    }

    #[test]
    fn a_name_without_a_kind_is_that_of_a_single_station_or_of_another_version() {
        let read = |name: &str| {
            serde_json::from_value::<StationId>(serde_json::json!({ "name": name })).expect(name)
        };
        assert_eq!(read("interpreter lock"), StationId::InterpreterLock);
        assert_eq!(read("upstream x"), StationId::Other("upstream x".into()));
    }

    #[test]
    fn an_upstream_may_be_called_anything() {
        assert_eq!(StationId::Upstream("x connections".into()).words(), "x connections (upstream)");
    }
}
