//! The worker's database: SQLite or Postgres, for all three concurrency models, with its waits
//! measured.
//!
//! SQLite: sqlx gives each connection a thread of its own, which calls SQLite; a handler waits for
//! it parked or blocking, as its concurrency model has it. sqlx's own pool is not used: it
//! needs tasks and timers of the runtime, which a blocked loop does not run, and it knows
//! no overflow.
//!
//! Postgres ([`postgres`]): sqlx's own pool, on the loop, or for handlers that block on a runtime
//! beside it.

mod account;
mod connection;
#[cfg(test)]
mod dataset_tests;
mod operation;
mod pool;
mod postgres;
mod probe;
#[cfg(test)]
mod testing;
mod touched;

use model::failure::ErrorKind;
use model::place::Place;
use model::scenario::{Begin, Concurrency, Hold, Scenario, Statement};
use model::units::Span;

use self::postgres::Postgres;
use crate::stack::{DatabaseAt, GaugeReading};

/// The database of one worker.
#[derive(Debug)]
pub(super) enum Database {
    /// A file.
    Sqlite(operation::Database),
    /// A server.
    Postgres(Postgres),
}

/// A connection that a request holds.
#[derive(Debug)]
pub(super) enum Held {
    /// To the file.
    Sqlite(pool::Held),
    /// To the server.
    Postgres(postgres::Held),
}

impl Database {
    /// The database of a worker of `scenario`, which is at `at`; none if the scenario has none.
    /// Called on the worker's loop.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn new(scenario: &Scenario, at: &DatabaseAt) -> std::io::Result<Option<Database>> {
        match at {
            DatabaseAt::File(file) => {
                Ok(operation::Database::new(scenario, file.clone()).map(Database::Sqlite))
            }
            DatabaseAt::Server(address) => {
                Ok(Postgres::new(scenario, address)?.map(Database::Postgres))
            }
        }
    }

    /// Connections in use.
    pub(super) fn in_use(&self) -> GaugeReading {
        match self {
            Database::Sqlite(database) => database.in_use(),
            Database::Postgres(database) => database.in_use(),
        }
    }

    /// Requests that wait for a connection.
    pub(super) fn waiting(&self) -> GaugeReading {
        match self {
            Database::Sqlite(database) => database.waiting(),
            Database::Postgres(database) => database.waiting(),
        }
    }

    /// Rows of a server that are locked, by their names' numbers in the scenario.
    pub(super) fn rows(&self) -> Vec<GaugeReading> {
        match self {
            Database::Sqlite(_) => Vec::new(),
            Database::Postgres(database) => database.rows(),
        }
    }

    /// One operation for `handler`, the step `path`: a statement by itself, or all of
    /// `statements` in a transaction that `begin`s. It uses the connection that the request
    /// holds in `held` or checks one out, and gives it back unless `hold` keeps it beyond the
    /// operation. After a failure it is given back in any case.
    ///
    /// # Errors
    /// Why it failed; a transaction is then rolled back.
    pub(super) async fn perform(
        &self,
        handler: &mut impl Handler,
        held: &mut Option<Held>,
        statements: &[Statement],
        begin: Option<Begin>,
        path: &str,
        hold: Hold,
    ) -> Result<(), Failure> {
        match self {
            Database::Sqlite(database) => {
                let mut mine = held.take().and_then(Held::of_sqlite);
                let work = database.perform(handler, &mut mine, statements, begin, path, hold);
                let result = work.await;
                *held = mine.map(Held::Sqlite);
                result
            }
            Database::Postgres(database) => {
                let mut mine = held.take().and_then(Held::of_postgres);
                let work = database.perform(handler, &mut mine, statements, begin, path, hold);
                let result = work.await;
                *held = mine.map(Held::Postgres);
                result
            }
        }
    }

    /// Gives back the connection that a request or a branch holds at its end.
    pub(super) async fn release(&self, handler: &mut impl Handler, held: Held) {
        match (self, held) {
            (Database::Sqlite(database), Held::Sqlite(held)) => {
                database.release(handler, &mut Some(held)).await;
            }
            (Database::Postgres(database), Held::Postgres(held)) => {
                database.release(handler, held).await;
            }
            // A worker has one database.
            (Database::Sqlite(_), Held::Postgres(_)) | (Database::Postgres(_), Held::Sqlite(_)) => {
            }
        }
    }
}

impl Held {
    fn of_sqlite(self) -> Option<pool::Held> {
        match self {
            Held::Sqlite(held) => Some(held),
            Held::Postgres(_) => None,
        }
    }

    fn of_postgres(self) -> Option<postgres::Held> {
        match self {
            Held::Postgres(held) => Some(held),
            Held::Sqlite(_) => None,
        }
    }
}

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

    /// The draw of the whole request that has this `name`.
    fn draw_named(&self, name: &str) -> u64;
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
    /// The server has no connection left.
    #[error("the database server has too many connections")]
    TooManyClients,
    /// The connection to the server is gone.
    #[error("the connection to the database server is lost: {0}")]
    ConnectionLost(String),
    /// The server is not there.
    #[error("the database server takes no connection: {0}")]
    ConnectionRefused(String),
    /// The server has ended the statement, or the session: a deadlock, or a timeout of the server.
    #[error("the database server ended it: {1}")]
    Ended(ErrorKind, String),
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
            Failure::TooManyClients => ErrorKind::TooManyClients,
            Failure::ConnectionLost(_) => ErrorKind::DatabaseConnectionLost,
            Failure::ConnectionRefused(_) => ErrorKind::DatabaseConnectionRefused,
            Failure::Ended(kind, _) => *kind,
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
