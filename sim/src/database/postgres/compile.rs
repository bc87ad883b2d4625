//! Commands to a database server become instructions.

use model::costs::{PostgresCosts, Work};
use model::distribution::Distribution;
use model::scenario::{
    Begin, Connections, DatabaseClient, Engine, Postgres, Statement, SynchronousCommit,
    Transactions,
};
use model::units::Span;

use super::{Command, Locks, Op};
use crate::database;
use crate::plan::{Basic, Compiler, DrawId};

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
            Command::Open { .. } => ("open", costs.connect),
            Command::Prepare { .. } => ("prepare", costs.prepare),
            Command::Ping { .. } => ("ping", costs.command),
            Command::Begin => ("begin", costs.command),
            Command::Rollback => ("rollback", costs.command),
            Command::Deallocate => ("deallocate", costs.command),
            Command::Statement { .. } | Command::Write { .. } | Command::Commit { .. } => return,
        };
        if !matches!(command, Command::Open { .. }) {
            let cpu = self.cost(|c| c.trip);
            self.burn(cpu);
        }
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
    pub(crate) fn open_at_server(&mut self) {
        let Some(postgres) = self.server() else { return };
        let path = self.path_held.clone();
        self.trip(Command::Open { trips: postgres.open_trips }, &path, 0);
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
