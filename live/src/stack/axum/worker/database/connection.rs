//! One connection: opened as the scenario has it, each call measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use model::scenario::Sqlite;
use model::units::Span;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};

use super::Failure;
use super::account::{Account, Rest};
use super::probe::{COLLATION, Probe, Usage};
use crate::dataset;
use crate::stack::axum::worker::waiting::Timed;

/// Touches no table, so it needs no lock: the thread of a new connection reads its clocks,
/// and computes.
const GREET: &str = "SELECT 1 WHERE ?1 = '' COLLATE engine";
const READ: &str =
    "SELECT id, name, stock, body FROM item WHERE id = ?1 AND ?2 <> '' COLLATE engine";
const WRITE: &str = "UPDATE item SET stock = stock + 1 \
     WHERE id BETWEEN ?1 AND ?2 AND ?3 <> '' COLLATE engine";

/// A call of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Reads the row with this id, and computes.
    Read { id: u32, engine: Span },
    /// Changes the rows from the first to the last id, and computes. Outside a transaction
    /// it commits.
    Write { first: u32, last: u32, engine: Span },
    /// Begins a transaction that takes its locks later.
    Begin,
    /// Begins a transaction with the write lock.
    BeginImmediate,
    /// Commits the transaction.
    Commit,
    /// Takes the transaction back.
    Rollback,
    /// The pragma with this number.
    Pragma(u32),
    /// Computes, without a lock.
    Compute(Span),
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Called {
    /// Its success.
    pub(super) result: Result<(), Failure>,
    /// Where its time went.
    pub(super) account: Account,
    /// When it had its lock; for a call that takes none, or fails before, none.
    pub(super) locked: Option<u64>,
    /// When its result was there.
    pub(super) done: u64,
}

/// How connections are opened.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The database file.
    pub(super) file: PathBuf,
    /// The scenario's.
    pub(super) sqlite: Sqlite,
}

impl Settings {
    /// Options of one connection, which is the only owner of its collation.
    fn options(&self, probe: &Arc<Probe>) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.file)
            .busy_timeout(busy_timeout(self.sqlite.busy_timeout))
            .pragma("wal_autocheckpoint", self.sqlite.wal_autocheckpoint.to_string())
            .collation(COLLATION, probe.collation())
            .disable_statement_logging()
    }

    /// The greeting, and then the settings of each connection that read the schema: these
    /// wait for a lock if they must, what came before never does.
    fn greeting(&self) -> String {
        let level = dataset::synchronous_name(self.sqlite.synchronous);
        let mode = dataset::mode_of_a_connection(self.sqlite.journal_mode);
        let mode = mode.map(|mode| format!("; PRAGMA journal_mode = {mode}"));
        format!("{GREET}; PRAGMA synchronous = {level}{}", mode.unwrap_or_default())
    }
}

/// SQLite counts whole milliseconds, in 31 bits.
fn busy_timeout(span: Span) -> Duration {
    let millis = span.nanos().div_ceil(1_000_000);
    Duration::from_millis(millis.min(i32::MAX as u64))
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    sqlite: SqliteConnection,
    probe: Arc<Probe>,
    /// A call has begun and not returned: its future was dropped.
    calling: bool,
    in_transaction: bool,
}

impl Connection {
    /// Opens a connection, its pragmas not yet run. Its thread computes for `cost`.
    pub(super) async fn open(
        settings: &Settings,
        cost: Span,
    ) -> (Result<Connection, Failure>, Account) {
        let probe = Arc::new(Probe::default());
        let opening = async {
            let mut sqlite = settings.options(&probe).connect().await?;
            let greeting =
                sqlx::query(AssertSqlSafe(settings.greeting())).bind(cost.nanos().to_string());
            sqlite.execute(greeting.persistent(false)).await?;
            Ok(sqlite)
        };
        let (result, waited) = Timed::new(opening).await;
        // All that its thread had used before it greeted was for this.
        let before = Some(Usage::default());
        let account = match probe.take_visit() {
            Some(visit) => {
                let rests = (Rest::Nothing, Rest::LockIfLong);
                Account::of_visit(&waited, before, &visit, probe.usage(), rests)
            }
            None => Account::of_call(&waited, None, None, Rest::Nothing),
        };
        let result = result.map_err(|error: sqlx::Error| error.into());
        let connection = result.map(|sqlite| Connection {
            sqlite,
            probe,
            calling: false,
            in_transaction: false,
        });
        (connection, account)
    }

    /// True if nothing is under way: the next request finds the connection as it was.
    pub(super) fn is_clean(&self) -> bool {
        !self.calling && !self.in_transaction
    }

    /// True if a transaction has begun.
    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Has the engine do `call`.
    pub(super) async fn call(&mut self, call: Call) -> Called {
        self.calling = true;
        let before = self.probe.usage();
        let (result, waited) = Timed::new(run(&mut self.sqlite, call)).await;
        let (after, visit) = (self.probe.usage(), self.probe.take_visit());
        self.calling = false;
        let result = result.map_err(Failure::from);
        if result.is_ok() {
            self.note(call);
        }
        let (ahead, behind) = rests(call, result.as_ref().err());
        let account = match &visit {
            Some(visit) => Account::of_visit(&waited, before, visit, after, (ahead, behind)),
            None => Account::of_call(&waited, before, after, behind),
        };
        let locked = match call {
            Call::BeginImmediate => result.is_ok().then_some(waited.woken),
            _ => visit.map(|visit| visit.entered),
        };
        Called { result, account, locked, done: waited.polled - account.late }
    }

    fn note(&mut self, call: Call) {
        match call {
            Call::Begin | Call::BeginImmediate => self.in_transaction = true,
            Call::Commit | Call::Rollback => self.in_transaction = false,
            Call::Read { .. } | Call::Write { .. } | Call::Pragma(_) | Call::Compute(_) => {}
        }
    }

    /// Closes it. The last connection to a write-ahead log copies what is left of it.
    pub(super) async fn close(self) -> Account {
        let before = self.probe.usage();
        // It fails only if its thread is gone, and then it is closed.
        let (_, waited) = Timed::new(self.sqlite.close()).await;
        Account::of_close(&waited, before, self.probe.farewell().as_ref())
    }
}

/// What a call waits for before and after its visit, or all the time without one.
fn rests(call: Call, failure: Option<&Failure>) -> (Rest, Rest) {
    if failure == Some(&Failure::Busy) {
        return (Rest::Lock, Rest::Lock);
    }
    match call {
        Call::Read { .. } => (Rest::LockIfLong, Rest::Nothing),
        Call::Write { .. } => (Rest::LockIfLong, Rest::Disk),
        Call::BeginImmediate => (Rest::LockIfLong, Rest::LockIfLong),
        Call::Commit | Call::Rollback => (Rest::Nothing, Rest::Disk),
        Call::Begin | Call::Pragma(_) | Call::Compute(_) => (Rest::Nothing, Rest::Nothing),
    }
}

async fn run(sqlite: &mut SqliteConnection, call: Call) -> Result<(), sqlx::Error> {
    let text = match call {
        Call::Read { id, engine } => {
            let query = sqlx::query(READ).bind(id).bind(engine.nanos().to_string());
            return sqlite.fetch_optional(query).await.map(drop);
        }
        Call::Write { first, last, engine } => {
            let nanos = engine.nanos().to_string();
            let query = sqlx::query(WRITE).bind(first).bind(last).bind(nanos);
            return first_answer(sqlite, query).await;
        }
        Call::Compute(span) => {
            let query = sqlx::query(GREET).bind(span.nanos().to_string());
            return sqlite.fetch_optional(query).await.map(drop);
        }
        Call::Begin => "BEGIN",
        Call::BeginImmediate => "BEGIN IMMEDIATE",
        Call::Commit => "COMMIT",
        Call::Rollback => "ROLLBACK",
        Call::Pragma(number) => dataset::PRAGMAS[number as usize % dataset::PRAGMAS.len()],
    };
    first_answer(sqlite, sqlx::query(text)).await
}

/// Runs a statement up to its first answer: its one row, or its end. Waiting for the
/// stream to end too would wake this side a second time.
async fn first_answer<'q, E>(sqlite: &mut SqliteConnection, query: E) -> Result<(), sqlx::Error>
where
    E: sqlx::Execute<'q, sqlx::Sqlite> + 'q,
{
    match sqlite.fetch_many(query).next().await {
        Some(answer) => answer.map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
