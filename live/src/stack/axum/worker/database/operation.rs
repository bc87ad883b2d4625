//! Operations on the database, as the scenario's steps name them.

use std::path::PathBuf;
use std::sync::Arc;

use model::costs::{Costs, CpuCosts};
use model::place;
use model::scenario::{Begin, Concurrency, DriverMode, Engine, Hold, Scenario, Statement};
use model::units::Span;

use super::connection::{Call, Called, Connection, Settings};
use super::pool::{Held, Pool};
use super::touched::Touched;
use super::{Failure, Handler};
use crate::dataset::Table;
use crate::stack::GaugeReading;
use crate::stack::axum::worker::waiting::{Mode, block_on};

/// The SQLite database of one worker.
#[derive(Debug)]
pub(crate) struct Database {
    pool: Arc<Pool>,
    settings: Settings,
    driver: DriverMode,
    costs: Costs,
    /// Factor on every CPU time of the costs.
    scale: f64,
    /// The rows of the data set.
    table: Table,
}

impl Database {
    /// The database of a worker of `scenario`, whose data set is `file`.
    pub(super) fn new(scenario: &Scenario, file: PathBuf) -> Option<Database> {
        let database = scenario.database.as_ref()?;
        let Engine::Sqlite(sqlite) = &database.engine else { return None };
        Some(Database {
            pool: Pool::new(database.connections),
            settings: Settings { file, sqlite: sqlite.clone() },
            driver: database.driver,
            scale: scenario.costs.cpu_scale(scenario.service.server) / scenario.cpu.speed,
            table: Table::of(scenario),
            costs: scenario.costs.clone(),
        })
    }

    /// Connections in use.
    pub(super) fn in_use(&self) -> GaugeReading {
        self.pool.in_use().read()
    }

    /// Requests that wait for a connection.
    pub(super) fn waiting(&self) -> GaugeReading {
        self.pool.waiting().read()
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
        let mut session = Session::new(self, handler);
        let waits = session.waits_in_place();
        let work = async {
            let mut mine = match held.take() {
                Some(mine) => mine,
                None => session.checkout().await?,
            };
            let result = session.operate(&mut mine, statements, begin, path).await;
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
    pub(super) async fn release(&self, handler: &mut impl Handler, held: &mut Option<Held>) {
        let Some(held) = held.take() else { return };
        let mut session = Session::new(self, handler);
        let waits = session.waits_in_place();
        let work = session.checkin(held);
        if waits { block_on(work) } else { work.await }
    }
}

/// A request at the database.
struct Session<'a, H> {
    database: &'a Database,
    handler: &'a mut H,
    costs: &'a CpuCosts,
    mode: Mode,
    /// Since when its transaction holds the write lock.
    writing: Option<u64>,
}

impl<'a, H: Handler> Session<'a, H> {
    fn new(database: &'a Database, handler: &'a mut H) -> Session<'a, H> {
        let concurrency = handler.concurrency();
        let awaited = database.driver == DriverMode::Async && concurrency == Concurrency::Async;
        Session {
            database,
            handler,
            costs: database.costs.cpu(concurrency),
            mode: if awaited { Mode::Parked } else { Mode::Blocking },
            writing: None,
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

    /// One way of a driver's hops to the thread of a connection. Only an awaited driver
    /// has such a thread in the profile; there the one real hop comes on top.
    fn hop(&mut self, hops: u32) {
        if self.mode == Mode::Parked {
            self.burn(self.costs.hop * u64::from(hops));
        }
    }

    /// Where the profile's driver has a thread for each connection, `cost` is computed
    /// there: returns what is left to it. Elsewhere it is burnt here.
    fn on_connection(&mut self, cost: Span, hops: u32) -> Span {
        if self.mode == Mode::Parked && hops > 0 {
            return cost.scale(self.database.scale);
        }
        self.burn(cost);
        Span::ZERO
    }

    async fn checkout(&mut self) -> Result<Held, Failure> {
        let mut held = self.database.pool.checkout(self.handler, self.mode).await?;
        if held.connection().is_some() {
            return Ok(held);
        }
        let (hops, pragmas) =
            (self.database.costs.driver.open_hops, self.database.settings.sqlite.pragmas);
        self.hop(hops);
        let cost = self.costs.open + self.costs.pragma * u64::from(pragmas);
        let elsewhere = self.on_connection(cost, hops);
        let (opened, account) = Connection::open(&self.database.settings, elsewhere).await;
        account.spend(self.handler, self.mode, false);
        let mut connection = opened?;
        for number in 0..pragmas {
            let called = connection.call(Call::Pragma(number)).await;
            called.account.spend(self.handler, self.mode, false);
            called.result?;
        }
        *held.connection() = Some(connection);
        self.hop(hops);
        Ok(held)
    }

    async fn checkin(&mut self, mut held: Held) {
        let sound = held.connection().as_ref().is_some_and(Connection::is_clean);
        if sound && held.is_kept() {
            return;
        }
        let Some(connection) = held.connection().take() else { return };
        let hops = self.database.costs.driver.close_hops;
        self.hop(hops);
        let elsewhere = self.on_connection(self.costs.close, hops);
        let mut connection = connection;
        if !elsewhere.is_zero() && sound {
            let called = connection.call(Call::Compute(elsewhere)).await;
            called.account.spend(self.handler, self.mode, false);
        }
        let account = connection.close().await;
        account.spend(self.handler, self.mode, false);
        self.hop(hops);
    }

    async fn operate(
        &mut self,
        held: &mut Held,
        statements: &[Statement],
        begin: Option<Begin>,
        path: &str,
    ) -> Result<(), Failure> {
        let connection = held.connection().as_mut().expect("it was checked out open");
        let result = self.run(connection, statements, begin, path).await;
        if result.is_err() && connection.in_transaction() {
            // If this fails too, the connection is not clean and will not be used again.
            let called = connection.call(Call::Rollback).await;
            called.account.spend(self.handler, self.mode, false);
            self.unlocked(called.done);
        }
        result
    }

    async fn run(
        &mut self,
        connection: &mut Connection,
        statements: &[Statement],
        begin: Option<Begin>,
        path: &str,
    ) -> Result<(), Failure> {
        let begin = self.database.costs.driver.begin(statements, begin);
        match begin {
            Some(Begin::Immediate) => self.hopped(connection, Call::BeginImmediate).await?,
            // The profile's drivers send a deferred BEGIN along with the first statement.
            Some(Begin::Deferred) => {
                let called = connection.call(Call::Begin).await;
                called.account.spend(self.handler, self.mode, false);
                called.result?;
            }
            None => {}
        }
        for (index, statement) in statements.iter().enumerate() {
            self.burn(self.costs.statement);
            if begin.is_none() && statement.writes {
                self.burn(self.costs.commit);
            }
            let call = self.statement(statement, &format!("{path}.{index}"));
            self.hopped(connection, call).await?;
        }
        if begin.is_some() {
            self.burn(self.costs.commit);
            self.hopped(connection, Call::Commit).await?;
        }
        Ok(())
    }

    /// The call of a statement: what it costs and which rows it touches are draws.
    fn statement(&self, statement: &Statement, path: &str) -> Call {
        let Database { costs, table, scale, .. } = self.database;
        let touched = Touched::by(statement, path, costs, table, self.handler);
        let (engine, first) = (touched.engine.scale(*scale), touched.first);
        match statement.writes {
            false => Call::Read { id: first, engine },
            true => Call::Write { first, last: touched.last(), engine },
        }
    }

    /// A call that takes a lock, there and back.
    async fn hopped(&mut self, connection: &mut Connection, call: Call) -> Result<(), Failure> {
        let hops = self.database.costs.driver.statement_hops;
        self.hop(hops);
        let called = connection.call(call).await;
        called.account.spend(self.handler, self.mode, true);
        let commits = matches!(call, Call::Write { .. }) && !connection.in_transaction();
        if commits && called.result.is_ok() {
            // The commit of a statement by itself takes a lock of its own.
            self.handler.spend(place::LOCK, 0);
        }
        self.locked(connection, call, &called);
        self.hop(hops);
        called.result
    }

    /// Keeps the book on the write lock.
    fn locked(&mut self, connection: &Connection, call: Call, called: &Called) {
        if matches!(call, Call::Write { .. } | Call::BeginImmediate) {
            self.writing = self.writing.or(called.locked);
        }
        if !connection.in_transaction() {
            self.unlocked(called.done);
        }
    }

    fn unlocked(&mut self, at: u64) {
        if let Some(since) = self.writing.take() {
            self.handler.wrote(at.saturating_sub(since));
        }
    }
}

#[cfg(test)]
mod tests;
