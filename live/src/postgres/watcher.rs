//! Looks at the server from a connection of its own: what the sessions of the service do, and what
//! the server counts.

use std::convert::Infallible;
use std::sync::{Arc, Mutex as Guarded, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tokio::sync::Mutex;

use super::Address;
use super::reading::{Counters, Sessions};

/// Pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// The server counts this long before it answers that it is too busy to be asked.
const PATIENCE: Duration = Duration::from_secs(2);

const SESSIONS: &str = "
    SELECT count(*) FILTER (WHERE state = 'active'),
           count(*) FILTER (WHERE state LIKE 'idle in transaction%'),
           count(*) FILTER (WHERE state = 'idle'),
           count(*) FILTER (WHERE wait_event_type = 'Lock'),
           count(*)
    FROM pg_stat_activity WHERE usename = $1 AND backend_type = 'client backend'";

const COUNTERS: &str = "
    SELECT xact_commit, xact_rollback, deadlocks, wal_sync, wal_bytes::bigint
    FROM pg_stat_database, pg_stat_wal WHERE datname = $1";

/// The connection, and what was seen with it. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    /// Whose sessions of which database.
    service: Address,
    connection: Arc<Mutex<Option<Open>>>,
    sessions: Arc<Guarded<Sessions>>,
    /// Where it logs in.
    admin: Address,
}

#[derive(Debug)]
struct Open {
    connection: PgConnection,
    process: u32,
}

impl Watcher {
    /// One that logs in as `admin`, to a database that is not the service's.
    pub(super) fn new(admin: Address, service: Address) -> Watcher {
        let (connection, sessions) = Default::default();
        Watcher { service, connection, sessions, admin }
    }

    /// Looks again and again. A server that does not answer is asked until it does.
    pub(super) async fn watch(self) -> Infallible {
        loop {
            tokio::time::sleep(PAUSE).await;
            let seen = self.ask(SESSIONS, &self.service.user).await;
            if let Some(&[active, idle_in_transaction, idle, lock_waits, peak]) = seen.as_deref() {
                let seen =
                    Sessions { looks: 1, active, idle_in_transaction, idle, lock_waits, peak };
                self.sessions.lock().unwrap_or_else(PoisonError::into_inner).add(seen);
            }
        }
    }

    /// What has been seen so far.
    pub(super) fn sessions(&self) -> Sessions {
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server has counted; none if it does not answer.
    pub(super) async fn counters(&self) -> Option<Counters> {
        let seen = self.ask(COUNTERS, &self.service.database).await?;
        let &[commits, rollbacks, deadlocks, wal_syncs, wal_bytes] = &*seen else { return None };
        Some(Counters { commits, rollbacks, deadlocks, wal_syncs, wal_bytes })
    }

    /// The process of its session at the server.
    pub(super) async fn process(&self) -> Option<u32> {
        self.connection.lock().await.as_ref().map(|open| open.process)
    }

    /// The same where the server does not answer: none if it is being asked.
    pub(super) fn process_if_idle(&self) -> Option<u32> {
        self.connection.try_lock().ok()?.as_ref().map(|open| open.process)
    }

    /// The one row that `question` about `name` gives on the connection, which is opened if it is
    /// not. After a failure, or with no answer in time, it is closed.
    async fn ask(&self, question: &'static str, name: &str) -> Option<Vec<u64>> {
        let mut place = self.connection.lock().await;
        let mut open = match place.take() {
            Some(open) => open,
            None => tokio::time::timeout(PATIENCE, open(&self.admin)).await.ok()?.ok()?,
        };
        let query = sqlx::query(question).bind(name).fetch_one(&mut open.connection);
        let row = tokio::time::timeout(PATIENCE, query).await.ok()?.ok()?;
        *place = Some(open);
        let number = |index: usize| row.try_get::<i64, _>(index).map(i64::unsigned_abs);
        (0..row.len()).map(number).collect::<Result<_, _>>().ok()
    }
}

async fn open(admin: &Address) -> Result<Open, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&admin.options()).await?;
    let process: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
    Ok(Open { connection, process: process.unsigned_abs() })
}

impl Sessions {
    fn add(&mut self, seen: Sessions) {
        self.looks += seen.looks;
        self.active += seen.active;
        self.idle_in_transaction += seen.idle_in_transaction;
        self.idle += seen.idle;
        self.lock_waits += seen.lock_waits;
        self.peak = self.peak.max(seen.peak);
    }
}
