//! The worker's database: SQLite, for all three concurrency models, with its waits measured.
//!
//! sqlx gives each connection a thread of its own, which calls SQLite; a handler waits for
//! it parked or blocking, as its concurrency model has it. sqlx's own pool is not used: it
//! needs tasks and timers of the runtime, which a blocked loop does not run, and it knows
//! no overflow.

mod account;
mod connection;
#[cfg(test)]
mod dataset_tests;
mod operation;
mod pool;
mod probe;
#[cfg(test)]
mod testing;

use model::failure::ErrorKind;
use model::place::Place;
use model::scenario::Concurrency;
use model::units::Span;

pub(super) use self::operation::Database;
pub(super) use self::pool::Held;

/// The request that uses the database.
pub(super) trait Handler {
    /// Its concurrency model.
    fn concurrency(&self) -> Concurrency;

    /// Computes for `span` on this thread, and books that.
    fn burn(&mut self, span: Span);

    /// Books `nanos` that have passed, at `place`. For the database lock each call is a
    /// visit, one of no length too.
    fn spend(&mut self, place: Place, nanos: u64);

    /// Notes that the request held SQLite's write lock for `nanos`, until now.
    fn wrote(&mut self, nanos: u64);

    /// The draw for `what` at the step `path`.
    fn draw(&self, what: &str, path: &str) -> u64;
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// SQLite did not get a lock in time, or could not wait for it.
    #[error("the database is locked")]
    Busy,
    /// No connection in time.
    #[error("no database connection came free in time")]
    PoolTimeout,
    /// Whatever else.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl Failure {
    /// Its kind in a report.
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Failure::Busy => ErrorKind::DatabaseBusy,
            Failure::PoolTimeout => ErrorKind::PoolTimeout,
            Failure::Failed(_) => ErrorKind::ServiceFailed,
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        /// SQLITE_BUSY. Its extended codes, such as that of a stale snapshot, have it in
        /// their low byte.
        const BUSY: i32 = 5;
        let code = error.as_database_error().and_then(|error| error.code());
        match code.and_then(|code| code.parse::<i32>().ok()) {
            Some(code) if code & 0xff == BUSY => Failure::Busy,
            _ => Failure::Failed(error.to_string()),
        }
    }
}
