//! Statements on a database server become instructions.

use model::costs::Work;
use model::scenario::{Begin, Postgres, Statement};

use super::Op;
use crate::plan::Compiler;

impl Compiler<'_> {
    /// One operation on the database server.
    pub(crate) fn postgres(
        &mut self,
        path: &str,
        postgres: &Postgres,
        statements: &[Statement],
        begin: Option<Begin>,
    ) {
        for (index, statement) in statements.iter().enumerate() {
            self.refill(Work::Statement);
            let cpu = self.cost(|c| c.statement);
            self.burn(cpu);
            let path = format!("{path}.{index}");
            let engine = self.engine_draw(&path, statement);
            let round_trip = self.draw("round_trip", &path, postgres.round_trip.clone());
            self.emit(Op::Server { engine, round_trip });
        }
        if begin.is_some() || matches!(statements, [Statement::Write(_)]) {
            self.refill(Work::Commit);
            let commit = self.cost(|c| c.commit);
            self.burn(commit);
            let engine = self.draw("commit", path, self.scenario.costs.disk.sync.clone());
            let round_trip = self.draw("round_trip", path, postgres.round_trip.clone());
            self.emit(Op::Server { engine, round_trip });
        }
    }
}
