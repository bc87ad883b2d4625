//! sqlx's pool as the scenario sizes it, or a connection for each use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::scenario::Connections;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgPool, Postgres};
use tokio::runtime::Handle;

use super::rows::{Row, Rows};
use crate::clock;
use crate::stack::axum::worker::gauge::Gauge;

/// Longer than any run, and short enough to be added to a clock.
const FOR_EVER: Duration = Duration::from_secs(1 << 31);

tokio::task_local! {
    /// When the pool began to ask the connection that a request gets whether it still answers.
    static ASKED: Arc<AtomicU64>;
}

/// Where connections come from.
#[derive(Debug)]
pub(super) struct Pool {
    options: PgConnectOptions,
    kept: Option<PgPool>,
    /// Runtime of the connections.
    pub(super) handle: Handle,
    /// Connections in use.
    pub(super) in_use: Gauge,
    /// Requests that wait for one.
    pub(super) waiting: Gauge,
    /// Rows that transactions have locked.
    pub(super) rows: Rows,
}

/// A connection, which goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Arc<Pool>,
    connection: Option<Open>,
    /// A transaction has begun.
    pub(super) in_transaction: bool,
    /// The number of its transaction among those that have locked rows.
    transaction: u64,
}

#[derive(Debug)]
enum Open {
    Kept(PoolConnection<Postgres>),
    Own(Box<PgConnection>),
}

/// How a connection was got.
#[derive(Debug)]
pub(super) struct Got {
    /// The connection.
    pub(super) result: Result<Held, sqlx::Error>,
    /// When the pool had one and asked it whether it answers.
    pub(super) asked: Option<u64>,
}

impl Pool {
    /// No connection open; statements lock rows by so many `names`.
    pub(super) fn new(
        rule: Connections,
        options: PgConnectOptions,
        handle: Handle,
        names: usize,
    ) -> Arc<Pool> {
        let kept = match rule {
            Connections::PerOperation => None,
            Connections::Pool { size, overflow, timeout, pre_ping, .. } => {
                let timeout = timeout.map_or(FOR_EVER, |span| Duration::from_nanos(span.nanos()));
                let _entered = handle.enter();
                Some(lazy((size, overflow), timeout, pre_ping, &options))
            }
        };
        let (in_use, waiting) = (Gauge::new(), Gauge::new());
        let rows = Rows::new(names);
        Arc::new(Pool { options, kept, handle, in_use, waiting, rows })
    }

    /// True if a request would have to wait for a connection now.
    pub(super) fn is_empty(&self) -> bool {
        let full = |pool: &PgPool| {
            pool.num_idle() == 0 && pool.size() >= pool.options().get_max_connections()
        };
        self.kept.as_ref().is_some_and(full)
    }

    /// True if a request would have to open a connection now.
    pub(super) fn opens(&self) -> bool {
        self.kept.as_ref().is_none_or(|pool| pool.num_idle() == 0) && !self.is_empty()
    }

    /// A connection.
    pub(super) async fn get(self: Arc<Pool>) -> Got {
        let asked = Arc::new(AtomicU64::new(0));
        let opened = match &self.kept {
            None => {
                let opened = PgConnection::connect_with(&self.options).await;
                opened.map(|connection| Open::Own(Box::new(connection)))
            }
            Some(pool) => ASKED.scope(asked.clone(), pool.acquire()).await.map(Open::Kept),
        };
        let result = opened.map(|connection| {
            self.in_use.enter();
            let transaction = self.rows.transaction();
            let connection = Some(connection);
            Held { pool: self.clone(), connection, in_transaction: false, transaction }
        });
        let asked = Some(asked.load(Ordering::Relaxed)).filter(|&at| at > 0);
        Got { result, asked }
    }
}

/// First come first served; each connection is asked whether it still answers before it is used, if
/// the scenario says so. sqlx knows no connections beyond its size: those that the
/// scenario allows under pressure are closed when they come back and as many as its size are idle.
fn lazy(
    (size, overflow): (u32, u32),
    timeout: Duration,
    pings: bool,
    options: &PgConnectOptions,
) -> PgPool {
    let most = size.saturating_add(overflow);
    let mut pool = PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        // It is asked below, where the beginning can be noted.
        .test_before_acquire(false)
        .before_acquire(move |connection, _| {
            let _ = ASKED.try_with(|asked| asked.store(clock::now(), Ordering::Relaxed));
            Box::pin(async move {
                if pings {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    let own: Arc<OnceLock<PgPool>> = Arc::default();
    if overflow > 0 {
        let own = own.clone();
        pool = pool.after_release(move |_, _| {
            let idle = own.get().map_or(0, PgPool::num_idle);
            Box::pin(async move { Ok(idle < size as usize) })
        });
    }
    let pool = pool.connect_lazy_with(options.clone());
    // It never ends before its process does.
    own.get_or_init(|| pool.clone());
    pool
}

impl Held {
    /// The connection.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match self.connection.as_mut().expect("it is there until it is given back") {
            Open::Kept(connection) => connection,
            Open::Own(connection) => connection,
        }
    }

    /// A statement has locked this row, if any. One by itself holds it only while the server works on
    /// it, which nobody sees from here.
    pub(super) fn locked(&mut self, row: Option<Row>) {
        let Some(row) = row else { return };
        self.pool.rows.lock(row, self.transaction);
        if !self.in_transaction {
            self.unlock();
        }
    }

    /// The transaction is over, and its rows are free.
    pub(super) fn unlock(&self) {
        self.pool.rows.unlock(self.transaction);
    }

    /// True if it is closed when it is given back.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.connection, Some(Open::Own(_)))
    }

    /// Gives it back: one that is not kept is closed.
    pub(super) async fn give_back(mut self) {
        if let Some(Open::Own(connection)) = self.connection.take() {
            // It fails only if the connection is gone, and then it is closed.
            let _ = connection.close().await;
        }
    }
}

impl Drop for Held {
    /// The pool asks a connection once more whether it answers, in a task of the runtime. A
    /// transaction of a request that was given up is taken back before that.
    fn drop(&mut self) {
        self.unlock();
        self.pool.in_use.leave();
        let _entered = self.pool.handle.enter();
        match self.connection.take() {
            Some(Open::Kept(mut connection)) if self.in_transaction => {
                tokio::spawn(async move {
                    // If this fails, so does the pool's question.
                    let _ = connection.execute("ROLLBACK").await;
                });
            }
            other => drop(other),
        }
    }
}
