//! Postgres, as services use it through sqlx: its pool, its connections, its transactions.

mod entered;
mod pool;
mod rows;

use std::future::Future;
use std::sync::Arc;

use model::costs::{Costs, PostgresClientCosts};
use model::failure::ErrorKind;
use model::place::{self, Place};
use model::scenario::{Begin, Concurrency, DriverMode, Hold, Scenario, Statement};
use model::units::Span;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{Executor as _, Postgres as Driver};
use tokio::runtime::Handle;

use self::entered::Entered;
use self::pool::Pool;
use super::touched::Touched;
use super::{Failure, Handler};
use crate::dataset::Table;
use crate::postgres::Address;
use crate::stack::GaugeReading;
use crate::stack::axum::worker::waiting::{Hands, Mode, Timed, block_on};

pub(super) use self::pool::Held;

const READ: &str = "SELECT id, name, stock, body FROM item WHERE id = $1";
const WRITE: &str = "UPDATE item SET stock = stock + 1 WHERE id BETWEEN $1 AND $2";
/// The same where the profile says that the server computes for longer.
const READ_AND_WORK: &str = "SELECT id, name, stock, body FROM item WHERE id = $1 \
     AND (SELECT count(*) FROM (SELECT generate_series(1, $2::bigint)) work) >= 0";
/// The two with the row locked, once it has been found.
const LOCK: &str = "SELECT id, name, stock, body FROM item WHERE id = $1 FOR UPDATE";
const LOCK_AND_WORK: &str = "SELECT id, name, stock, body FROM item WHERE id = $1 \
     AND (SELECT count(*) FROM (SELECT generate_series(1, $2::bigint)) work) >= 0 FOR UPDATE";
const WRITE_AND_WORK: &str = "UPDATE item SET stock = stock + 1 WHERE id BETWEEN $1 AND $2 \
     AND (SELECT count(*) FROM (SELECT generate_series(1, $3::bigint)) work) >= 0";

/// SQLSTATE of a connection beyond those that the server has.
const TOO_MANY: &str = "53300";

/// SQLSTATEs of a server that is shut down, that ends after a crash, and that is not ready yet.
const GONE: [&str; 3] = ["57P01", "57P02", "57P03"];

/// SQLSTATE of a statement that the server has cancelled.
const CANCELLED: &str = "57014";
/// How Postgres words a cancelled statement when it does not know the reason. The service never cancels
/// one, so this is a lock timeout that ended in the same instant.
const UNEXPLAINED: &str = "due to user request";

/// SQLSTATEs with which the server ends a statement, or a session, that is in the way.
const ENDED: [(&str, ErrorKind); 4] = [
    ("40P01", ErrorKind::DatabaseDeadlock),
    ("55P03", ErrorKind::DatabaseLockTimeout),
    (CANCELLED, ErrorKind::DatabaseStatementTimeout),
    ("25P03", ErrorKind::DatabaseIdleInTransaction),
];

/// The Postgres database of one worker.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Arc<Pool>,
    driver: DriverMode,
    costs: Costs,
    /// Factor on every CPU time of the costs that the worker burns.
    scale: f64,
    turns_per_nano: f64,
    /// The rows of the data set.
    table: Table,
}

/// A statement as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Reads the row with this id; the server computes for so many turns.
    Read {
        id: i32,
        turns: i64,
        locks: bool,
    },
    /// Changes the rows from the first to the last.
    Write {
        first: i32,
        last: i32,
        turns: i64,
    },
    Begin,
    Commit,
    Rollback,
}

impl Postgres {
    /// The database at `address` of a worker of `scenario`. Called on its loop.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn new(scenario: &Scenario, address: &Address) -> std::io::Result<Option<Postgres>> {
        let Some(database) = &scenario.database else { return Ok(None) };
        let parks = |concurrency| concurrency == Concurrency::Async;
        let awaited = database.driver == DriverMode::Async
            && scenario.endpoints.iter().all(|one| parks(one.concurrency(&scenario.service)));
        // A loop that blocks does not see what has come.
        let handle = if awaited { Handle::current() } else { entered::beside()? };
        Ok(Some(Postgres {
            pool: Pool::new(database.connections, address.options(), handle, scenario.rows().len()),
            driver: database.driver,
            scale: scenario.costs.cpu_scale(scenario.service.server) / scenario.cpu.speed,
            turns_per_nano: address.turns_per_nano,
            table: Table::of(scenario),
            costs: scenario.costs.clone(),
        }))
    }

    /// Connections in use.
    pub(super) fn in_use(&self) -> GaugeReading {
        self.pool.in_use.read()
    }

    /// Requests that wait for a connection.
    pub(super) fn waiting(&self) -> GaugeReading {
        self.pool.waiting.read()
    }

    /// Rows that its transactions have locked, by their names' numbers in the scenario.
    pub(super) fn rows(&self) -> Vec<GaugeReading> {
        self.pool.rows.read()
    }

    /// One operation for `handler`, as [`super::Database::perform`] has it.
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
        let mut session = Session::new(self, handler);
        let waits = session.waits_in_place();
        let work = async {
            let mine = match held.take() {
                Some(held) => held,
                None => session.checkout().await?,
            };
            let (mine, result) = session.operate(mine, statements, begin, path).await;
            if result.is_err() || hold == Hold::Operation {
                session.checkin(mine).await;
            } else {
                *held = Some(mine);
            }
            result
        };
        // A driver that is not awaited holds up the loop.
        if waits { block_on(work) } else { work.await }
    }

    /// Gives back the connection that a request or a branch holds at its end, if any.
    pub(super) async fn release(&self, handler: &mut impl Handler, held: Held) {
        let mut session = Session::new(self, handler);
        let waits = session.waits_in_place();
        let work = session.checkin(held);
        if waits { block_on(work) } else { work.await }
    }
}

/// A request at the database.
struct Session<'a, H> {
    database: &'a Postgres,
    handler: &'a mut H,
    costs: PostgresClientCosts,
    mode: Mode,
}

/// Where the time of an exchange with the server went, but for the wait itself.
struct Exchange<R> {
    result: R,
    /// First poll.
    from: u64,
    /// Waiting for the server, or the pool.
    waited: u64,
}

impl<'a, H: Handler> Session<'a, H> {
    fn new(database: &'a Postgres, handler: &'a mut H) -> Session<'a, H> {
        let concurrency = handler.concurrency();
        let awaited = database.driver == DriverMode::Async && concurrency == Concurrency::Async;
        Session {
            database,
            handler,
            costs: database.costs.postgres_client(concurrency),
            mode: if awaited { Mode::Parked } else { Mode::Blocking },
        }
    }

    /// True if an async handler blocks its loop in the driver.
    fn waits_in_place(&self) -> bool {
        self.handler.concurrency() == Concurrency::Async && self.mode == Mode::Blocking
    }

    fn burn(&mut self, span: Span) {
        let span = span.scale(self.database.scale);
        if !span.is_zero() {
            self.handler.burn(span);
        }
    }

    async fn checkout(&mut self) -> Result<Held, Failure> {
        let pool = self.database.pool.clone();
        if pool.opens() {
            self.burn(self.costs.open);
        }
        let waiting = pool.is_empty().then(|| Waiting::new(&pool));
        let waits = waiting.is_some();
        let got = self.exchange(pool.clone().get()).await;
        drop(waiting);
        let Exchange { result: got, from, waited } = got;
        let for_pool = match got.asked {
            _ if !waits => 0,
            Some(asked) => asked.saturating_sub(from).min(waited),
            None => waited,
        };
        if waits {
            self.handler.spend(place::POOL, for_pool);
        }
        self.spend(place::SERVER, waited - for_pool);
        got.result.map_err(no_connection)
    }

    async fn checkin(&mut self, held: Held) {
        if held.is_own() {
            self.burn(self.costs.close);
        }
        self.served(held.give_back()).await;
    }

    async fn operate(
        &mut self,
        mut held: Held,
        statements: &[Statement],
        begin: Option<Begin>,
        path: &str,
    ) -> (Held, Result<(), Failure>) {
        let mut calls = Vec::new();
        calls.extend(begin.map(|_| (Span::ZERO, Call::Begin, None)));
        for (index, statement) in statements.iter().enumerate() {
            let alone = begin.is_none() && statement.writes;
            let commit = if alone { self.costs.commit } else { Span::ZERO };
            let (call, locks) = self.call(statement, &format!("{path}.{index}"));
            calls.push((self.costs.statement + commit, call, locks));
        }
        calls.extend(begin.map(|_| (self.costs.commit, Call::Commit, None)));
        for (cost, call, locks) in calls {
            self.burn(cost);
            let result;
            (held, result) = self.served(call.run(held)).await;
            held.locked(locks.filter(|_| result.is_ok()));
            if let Err(error) = result {
                if held.in_transaction {
                    // If this fails too, so does the pool's question whether it answers.
                    (held, _) = self.served(Call::Rollback.run(held)).await;
                }
                return (held, Err(failure(error)));
            }
        }
        (held, Ok(()))
    }

    /// The call of a statement, and the row that it locks: what it costs and which rows it touches
    /// are draws.
    fn call(&self, statement: &Statement, path: &str) -> (Call, Option<(usize, u32)>) {
        let Postgres { costs, table, turns_per_nano, .. } = self.database;
        let touched = Touched::by(statement, path, costs, table, self.handler);
        let turns = (touched.engine.nanos() as f64 * turns_per_nano).round() as i64;
        // A table has as many rows as a number of this kind can count.
        let (first, last) = (touched.first as i32, touched.last() as i32);
        let call = match statement.writes {
            false => Call::Read { id: first, turns, locks: touched.locks.is_some() },
            true => Call::Write { first, last, turns },
        };
        (call, touched.locks)
    }

    /// An exchange with the server, whose time is booked.
    async fn served<F>(&mut self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let Exchange { result, waited, .. } = self.exchange(future).await;
        self.spend(place::SERVER, waited);
        result
    }

    /// Awaits `future`, and books what it took of this side. On the thread of a loop that blocks it
    /// would wait for that loop: the runtime beside it has it then.
    async fn exchange<F>(&mut self, future: F) -> Exchange<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let handle = &self.database.pool.handle;
        let future = Entered::new(handle, future);
        let blocks_loop =
            self.handler.concurrency() != Concurrency::Threadpool && self.mode == Mode::Blocking;
        let (result, waited, elsewhere, last) = if blocks_loop {
            let (ended, waited) = Timed::new(handle.spawn(future)).await;
            let (result, polled) = ended.expect("the runtime runs as long as the process");
            (result, waited, polled.all, 0)
        } else {
            let ((result, polled), waited) = Timed::new(future).await;
            (result, waited, 0, polled.last)
        };
        let Hands { cpu, stalled, late } = waited.hands;
        let read = last.min(waited.late());
        let elsewhere = elsewhere.min(waited.waited().saturating_sub(cpu + stalled + late));
        self.spend(place::CPU, cpu + read + elsewhere);
        self.spend(place::CPU_WAIT, stalled);
        self.spend(self.mode.late(), late + waited.late() - read);
        let ours = cpu + stalled + late + elsewhere;
        Exchange { result, from: waited.from, waited: waited.waited().saturating_sub(ours) }
    }

    fn spend(&mut self, place: Place, nanos: u64) {
        if nanos > 0 {
            self.handler.spend(place, nanos);
        }
    }
}

impl Call {
    async fn run(self, mut held: Held) -> (Held, Result<(), sqlx::Error>) {
        let connection = held.connection();
        let result = match self {
            Call::Read { id, turns: 0, locks } => {
                let text = if locks { LOCK } else { READ };
                read(connection, sqlx::query(text).bind(id)).await
            }
            Call::Read { id, turns, locks } => {
                let text = if locks { LOCK_AND_WORK } else { READ_AND_WORK };
                read(connection, sqlx::query(text).bind(id).bind(turns)).await
            }
            Call::Write { first, last, turns: 0 } => {
                write(connection, sqlx::query(WRITE).bind(first).bind(last)).await
            }
            Call::Write { first, last, turns } => {
                let query = sqlx::query(WRITE_AND_WORK).bind(first).bind(last).bind(turns);
                write(connection, query).await
            }
            Call::Begin => connection.execute("BEGIN").await.map(drop),
            Call::Commit => connection.execute("COMMIT").await.map(drop),
            Call::Rollback => connection.execute("ROLLBACK").await.map(drop),
        };
        match (self, &result) {
            (Call::Begin, _) => held.in_transaction = true,
            (Call::Commit | Call::Rollback, Ok(())) => held.in_transaction = false,
            _ => {}
        }
        // A transaction that has failed has given back its rows, and a statement by itself too.
        if result.is_err() || !held.in_transaction {
            held.unlock();
        }
        (held, result)
    }
}

async fn read(
    connection: &mut PgConnection,
    query: Query<'static, Driver, PgArguments>,
) -> Result<(), sqlx::Error> {
    connection.fetch_optional(query).await.map(drop)
}

async fn write(
    connection: &mut PgConnection,
    query: Query<'static, Driver, PgArguments>,
) -> Result<(), sqlx::Error> {
    connection.execute(query).await.map(drop)
}

/// Why a statement failed.
fn failure(error: sqlx::Error) -> Failure {
    let kind = |error| ended(error).or_else(|| pooler(error));
    if let Some(kind) = error.as_database_error().and_then(kind) {
        return Failure::Ended(kind, error.to_string());
    }
    match error {
        error if is_gone(&error) => Failure::ConnectionLost(error.to_string()),
        other => Failure::Failed(other.to_string()),
    }
}

/// Why the server has ended a statement or its session, if it has.
fn ended(error: &dyn DatabaseError) -> Option<ErrorKind> {
    let code = error.code()?;
    // A lock that comes free at the same instant makes the server forget why it cancels.
    if code == CANCELLED && error.message().contains(UNEXPLAINED) {
        return Some(ErrorKind::DatabaseLockTimeout);
    }
    ENDED.iter().find(|(state, _)| code == *state).map(|&(_, kind)| kind)
}

/// Why PgBouncer has ended the connection, if it has: it says so in words alone.
fn pooler(error: &dyn DatabaseError) -> Option<ErrorKind> {
    let all = [ErrorKind::MaxClientConn, ErrorKind::QueryWaitTimeout];
    all.into_iter().find(|kind| error.message().contains(kind.name()))
}

/// Why there is no connection.
fn no_connection(error: sqlx::Error) -> Failure {
    if let Some(kind) = error.as_database_error().and_then(pooler) {
        return Failure::Ended(kind, error.to_string());
    }
    match error {
        sqlx::Error::PoolTimedOut => Failure::PoolTimeout,
        sqlx::Error::Database(error) if error.code().is_some_and(|code| code == TOO_MANY) => {
            Failure::TooManyClients
        }
        error if is_gone(&error) => Failure::ConnectionRefused(error.to_string()),
        other => Failure::Failed(other.to_string()),
    }
}

/// The server is not there, or is about to end or to begin.
fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| GONE.contains(&&*code)),
        _ => false,
    }
}

/// Counts a waiting request while it lives.
struct Waiting(Arc<Pool>);

impl Waiting {
    fn new(pool: &Arc<Pool>) -> Waiting {
        pool.waiting.enter();
        Waiting(pool.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.leave();
    }
}
