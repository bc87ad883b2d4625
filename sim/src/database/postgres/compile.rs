//! Commands to a database server become instructions.

use model::costs::{PostgresCosts, Work};
use model::distribution::Distribution;
use model::scenario::{
    Begin, Concurrency, Connections, DatabaseClient, DriverMode, Engine, Postgres, Statement,
    SynchronousCommit, Transactions,
};
use model::units::Span;

use super::opening::UNTIL_SLOT;
use super::{Command, Locks, Op};
use crate::database;
use crate::plan::{Basic, Compiler, DrawId, Pc};

/// Round trips of SCRAM.
const LOGIN_TRIPS: u32 = 2;

impl<'s> Compiler<'s> {
    /// The server, if the database is one.
    fn server(&self) -> Option<&'s Postgres> {
        match &self.scenario.database.as_ref()?.engine {
            Engine::Postgres(postgres) => Some(postgres),
            Engine::Sqlite(_) => None,
        }
    }

    /// How long the server's processors take, as a multiple of what the cost profile says.
    pub(crate) fn server_scale(&self) -> f64 {
        self.server().map_or(1.0, |postgres| super::scale(self.scenario, postgres))
    }

    /// CPU time in the server.
    pub(crate) fn server_costs(&self) -> &'s PostgresCosts {
        self.scenario.costs.postgres.of(self.concurrency)
    }

    /// One operation on the database server.
    pub(crate) fn postgres(
        &mut self,
        path: &str,
        postgres: &Postgres,
        statements: &[Statement],
        begin: Option<Begin>,
    ) {
        let alone = begin.is_none();
        let write = matches!(statements, [one] if one.writes);
        let explicit = postgres.transactions == Transactions::Explicit;
        let begins = match postgres.transactions {
            Transactions::Commit => false,
            Transactions::Explicit => !alone,
            Transactions::Session => true,
        };
        for (index, statement) in statements.iter().enumerate() {
            let path = format!("{path}.{index}");
            if begins {
                self.if_due(Command::Begin, &path);
            }
            if postgres.prepare_after.is_some() {
                let statement = self.number_of(statement);
                self.if_due(Command::Prepare { statement }, &path);
            }
            self.refill(Work::Statement);
            let cpu = self.client_cost(|c| c.statement);
            self.burn(cpu);
            let commits = explicit && alone && write;
            let locks = locks(postgres, statement);
            let command = match commits {
                true => Command::Write { sync: self.log_sync(postgres, &path), locks },
                // Nothing else begins what the COMMIT after it ends.
                false => {
                    let begins = !begins && !explicit && (!alone || write);
                    Command::Statement { begins, locks }
                }
            };
            let costs = self.server_costs();
            let commit = if commits { costs.commit } else { Span::ZERO };
            let engine = self.engine_draw(&path, statement, costs.statement + commit);
            self.command(command, engine, "round_trip", &path);
        }
        if !alone || (write && !explicit) {
            self.refill(Work::Commit);
            let cpu = self.client_cost(|c| c.commit);
            self.burn(cpu);
            let sync = self.log_sync(postgres, path);
            let commit = self.server_costs().commit;
            let engine = Distribution::Constant(commit).scale(self.server_scale());
            let engine = self.draw("commit_cpu", path, engine);
            self.command(Command::Commit { sync }, engine, "round_trip", path);
        }
    }

    /// How long a commit waits for the log.
    fn log_sync(&mut self, postgres: &Postgres, path: &str) -> DrawId {
        let sync = match postgres.synchronous_commit {
            SynchronousCommit::On => self.scenario.costs.disk.log_sync().clone(),
            SynchronousCommit::Off => Distribution::Constant(Span::ZERO),
        };
        self.draw("commit", path, sync)
    }

    /// A statement's number: the same for the same query.
    fn number_of(&mut self, statement: &Statement) -> u32 {
        let name = &statement.query;
        let known = self.queries.iter().position(|query| query == name);
        let number = known.unwrap_or_else(|| {
            self.queries.push(name.clone());
            self.queries.len() - 1
        });
        number as u32
    }

    fn command(&mut self, command: Command, engine: DrawId, what: &str, path: &str) {
        let Some(postgres) = self.server() else { return };
        let beside = self.scenario.costs.network.database;
        let round_trip = self.draw(what, path, postgres.round_trip.later(beside));
        self.emit(Op::Server { command, engine, round_trip });
    }

    /// A command that is no statement of the scenario, and what the driver does for it.
    fn trip(&mut self, command: Command, path: &str, nth: u32) {
        let costs = self.server_costs();
        let (name, engine) = match command {
            // Behind a pooler it is the pooler that opens connections to the server.
            Command::Open { .. } if self.server().is_some_and(|one| one.pooler().is_some()) => {
                ("open", Span::ZERO)
            }
            Command::Open { answers: true, .. } => ("open", costs.connect.scale(UNTIL_SLOT)),
            Command::Open { .. } => ("open", costs.connect),
            Command::Login { .. } => ("login", costs.connect.scale(1.0 - UNTIL_SLOT)),
            Command::Prepare { .. } => ("prepare", costs.prepare),
            Command::Ping { .. } => ("ping", costs.command),
            Command::Test => ("test", costs.command),
            Command::Introduce { trips } => ("introduce", costs.command * u64::from(trips)),
            Command::Begin => ("begin", costs.command),
            Command::Rollback => ("rollback", costs.command),
            Command::Deallocate => ("deallocate", costs.command),
            Command::Statement { .. } | Command::Write { .. } | Command::Commit { .. } => return,
        };
        let trips = match command {
            Command::Open { .. } | Command::Login { .. } => 0,
            Command::Introduce { trips } => trips,
            _ => 1,
        };
        let cpu = self.cost(|c| c.trip);
        self.burn(cpu * u64::from(trips));
        let engine = Distribution::Constant(engine).scale(self.server_scale());
        let engine = self.draw(&format!("{name}_cpu"), path, engine);
        self.command(command, engine, &format!("{name}_trip.{nth}"), path);
    }

    /// The same where the connection has a need of it.
    fn if_due(&mut self, command: Command, path: &str) {
        let skip = self.emit(Op::SkipUnlessDue { command, to: 0 });
        self.trip(command, path, 0);
        self.patch(skip, Op::SkipUnlessDue { command, to: self.here() });
    }

    /// The server takes a new connection, or refuses it.
    ///
    /// Two of a client's round trips are SCRAM's, before which it computes for `cpu`, with a slot of the
    /// server. A client that is refused and tries again begins where this begins.
    pub(crate) fn open_at_server(&mut self, cpu: Span) {
        let from = self.here();
        let Some(postgres) = self.server() else { return self.burn(cpu) };
        let (path, trips) = (self.path_held.clone(), postgres.open_trips);
        if postgres.client.is_none() || postgres.pooler().is_some() || trips <= LOGIN_TRIPS {
            self.burn(cpu);
            return self.trip(Command::Open { trips, from, answers: false }, &path, 0);
        }
        let before = trips - LOGIN_TRIPS;
        self.trip(Command::Open { trips: before, from, answers: true }, &path, 0);
        self.burn(cpu);
        self.trip(Command::Login { trips: LOGIN_TRIPS, from }, &path, 0);
    }

    /// The library gets to know the server on the first connection of a process.
    pub(crate) fn introduce(&mut self) {
        let client = self.server().and_then(|server| server.client);
        let trips = client.map_or(0, DatabaseClient::introduction_trips);
        if trips == 0 {
            return;
        }
        let path = self.path_held.clone();
        let skip = self.emit(Op::SkipIfKnown { to: 0 });
        self.trip(Command::Introduce { trips }, &path, 0);
        self.emit(Op::Known);
        self.patch(skip, Op::SkipIfKnown { to: self.here() });
    }

    /// Connections go back in a task of their own, after a ping. Nothing is told of that where handlers
    /// hold up the loop, which would hold up the ping too.
    fn returns_beside(&self) -> bool {
        let database = self.scenario.database.as_ref();
        let pooled = database.is_some_and(|one| {
            one.driver == DriverMode::Async && one.connections != Connections::PerOperation
        });
        let tests =
            self.server().and_then(|one| one.client).is_some_and(|one| one.tests_on_return());
        let service = &self.scenario.service;
        let endpoints = &self.scenario.endpoints;
        let parks = endpoints.iter().all(|one| one.concurrency(service) != Concurrency::Blocking);
        pooled && tests && parks
    }

    /// From here on another task gives the connection back, if one does. Returns the instruction.
    pub(crate) fn begin_return(&mut self) -> Option<Pc> {
        self.returns_beside().then(|| self.emit(Op::Return { on: 0 }))
    }

    /// The connection, which stays open, is asked whether it answers.
    pub(crate) fn test_connection(&mut self) {
        let path = self.path_held.clone();
        self.trip(Command::Test, &path, 0);
    }

    /// The task that `returns` ends, and the request goes on.
    pub(crate) fn end_return(&mut self, returns: Pc) {
        self.emit(Op::Returned);
        self.patch(returns, Op::Return { on: self.here() });
    }

    /// What is done before the connection is used if it was open already: `skip` is the instruction
    /// that finds out.
    pub(crate) fn ping_if_kept(&mut self, skip: u32) {
        let connections = self.scenario.database.as_ref().map(|database| database.connections);
        let pings = matches!(connections, Some(Connections::Pool { pre_ping: true, .. }));
        let Some(postgres) = self.server().filter(|_| pings) else {
            return self.patch(skip, database::Op::SkipIfOpen { open: self.here() });
        };
        let path = self.path_held.clone();
        let over = self.emit(Basic::Jump { to: 0 });
        self.patch(skip, database::Op::SkipIfOpen { open: self.here() });
        for nth in 0..postgres.ping_trips {
            self.trip(Command::Ping { reopen: skip }, &path, nth);
        }
        self.patch(over, Basic::Jump { to: self.here() });
    }

    /// The connection comes back without an open transaction.
    pub(crate) fn reset_connection(&mut self) {
        let Some(postgres) = self.server() else { return };
        if postgres.transactions == Transactions::Commit {
            return;
        }
        let path = self.path_held.clone();
        self.if_due(Command::Rollback, &path);
        if postgres.client.is_some_and(DatabaseClient::forgets_on_rollback) {
            self.if_due(Command::Deallocate, &path);
        }
    }
}

/// The row that `statement` locks.
fn locks(postgres: &Postgres, statement: &Statement) -> Option<Locks> {
    let lock = statement.locks.as_ref()?;
    let rows = postgres.rows().iter().position(|rows| rows.name == lock.rows)?;
    Some(Locks { rows: rows as u32, nth: lock.nth, changes: statement.writes })
}
