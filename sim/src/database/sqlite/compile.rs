//! Statements on SQLite become instructions.

use model::costs::Work;
use model::scenario::{Begin, Engine, Statement};
use model::units::Span;

use super::Op;
use crate::plan::{Compiler, DrawId, Scope};

impl Compiler<'_> {
    pub(crate) fn sqlite(&mut self, path: &str, statements: &[Statement], begin: Option<Begin>) {
        let driver = &self.scenario.costs.driver;
        let begin = driver.begin(statements, begin);
        if let ([statement], None) = (statements, begin)
            && statement.writes
        {
            return self.sqlite_autocommit(path, statement);
        }
        let transaction = begin.is_some();
        if transaction {
            self.scopes.push(Scope::Transaction);
        }
        if begin == Some(Begin::Immediate) {
            self.on_driver(driver.statement_hops, |c| {
                c.emit(Op::BeginWrite);
            });
            self.trips(driver.finish_hops);
        }
        for (index, statement) in statements.iter().enumerate() {
            self.refill(Work::Statement);
            let cpu = self.cost(|c| c.statement);
            self.burn(cpu);
            let draw = self.engine_draw(&format!("{path}.{index}"), statement, Span::ZERO);
            let pages = self.pages(statement);
            let write = statement.writes;
            // A reader holds the lock until its rows have been fetched.
            let fetches = !write && self.connection_threads() && driver.fetch_hops > 0;
            let ends = !write && !transaction;
            // Between the two calls it holds a lock that no scope knows of.
            let droppable = self.droppable;
            self.droppable &= !fetches;
            self.on_driver(driver.statement_hops, |c| {
                c.emit(if write { Op::BeginWrite } else { Op::BeginRead });
                c.emit(Op::Native { draw });
                if write {
                    c.emit(Op::Change { pages });
                } else if ends && !fetches {
                    c.emit(Op::EndRead);
                }
            });
            if fetches {
                self.on_driver(driver.fetch_hops, |c| {
                    if ends {
                        c.emit(Op::EndRead);
                    }
                });
            }
            self.droppable = droppable;
            self.trips(driver.finish_hops);
        }
        if transaction {
            self.refill(Work::Commit);
            let cpu = self.cost(|c| c.commit);
            self.burn(cpu);
            let disk = self.scenario.costs.disk.sync.clone();
            let sync = self.draw("commit", path, disk.clone());
            let checkpoint = self.draw("checkpoint", path, disk);
            self.on_driver(driver.commit_hops, |c| c.emit_commit(sync, checkpoint));
            self.scopes.pop();
        } else {
            self.trips(driver.rollback_hops);
        }
    }

    /// A statement that is a transaction by itself: one call of the library takes the
    /// lock, writes and commits.
    pub(crate) fn sqlite_autocommit(&mut self, path: &str, statement: &Statement) {
        self.refill(Work::Statement);
        self.refill(Work::Commit);
        let cpu = self.cost(|c| c.statement) + self.cost(|c| c.commit);
        self.burn(cpu);
        let draw = self.engine_draw(&format!("{path}.0"), statement, Span::ZERO);
        let pages = self.pages(statement);
        let disk = self.scenario.costs.disk.sync.clone();
        let sync = self.draw("commit", path, disk.clone());
        let checkpoint = self.draw("checkpoint", path, disk);
        self.on_driver(self.scenario.costs.driver.statement_hops, |c| {
            c.scopes.push(Scope::Transaction);
            c.emit(Op::BeginWrite);
            c.emit(Op::Native { draw });
            c.emit(Op::Change { pages });
            c.emit_commit(sync, checkpoint);
            c.scopes.pop();
        });
    }

    pub(crate) fn emit_commit(&mut self, sync: DrawId, checkpoint: DrawId) {
        self.emit(Op::CommitLock);
        let span = self.commit_cpu();
        if !span.is_zero() {
            self.emit(Op::CommitCpu { span });
        }
        self.emit(Op::CommitSync { sync });
        self.emit(Op::CommitEnd);
        self.emit(Op::Checkpoint { sync: checkpoint });
        self.emit(Op::CheckpointEnd);
    }

    /// What engine and kernel compute for a commit, the syncs' part included.
    pub(crate) fn commit_cpu(&self) -> Span {
        match self.scenario.database.as_ref().map(|database| &database.engine) {
            Some(Engine::Sqlite(sqlite)) => {
                let costs = &self.scenario.costs;
                costs.commit(sqlite.journal_mode, sqlite.synchronous).scale(self.scale)
            }
            _ => Span::ZERO,
        }
    }

    pub(crate) fn pages(&self, statement: &Statement) -> u32 {
        self.scenario.costs.query(&statement.query).map_or(0, |cost| cost.pages)
    }
}
