//! Faults of what there is, within the run, one at a time.

use super::Problems;
use crate::keys::{Fields, read_field};
use crate::read::diagnostic::Problem;
use crate::scenario::{Engine, Scenario};
use crate::units::Span;

/// Only a database server can fail, and only once at a time.
pub(super) fn check(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let mut tables: Vec<&Fields> = root.list("fault").unwrap_or_default().iter().collect();
    // As the scenario has them.
    tables.sort_by_key(|table| read_field::<Span>(table, "at", &[]));
    let server = scenario.database.as_ref();
    let is_server = server.is_some_and(|database| matches!(database.engine, Engine::Postgres(_)));
    let shares = matches!(server.map(|database| &database.engine), Some(Engine::Postgres(postgres)) if postgres.shares_cpu());
    let mut before = None;
    for (fault, table) in scenario.faults.iter().zip(tables) {
        if !is_server {
            let found = "a fault of the database, which is no server".to_string();
            problems.push(
                Problem::new(table.position("database"), found)
                    .allowed("`fault.database` only with `database.engine = \"postgres\"`")
                    .advice("set the engine, or remove the fault"),
            );
        }
        if shares {
            let found = "a fault of a server on the service's processors".to_string();
            problems.push(
                Problem::new(table.position("database"), found)
                    .allowed("`fault.database` only with `database.cpu = \"own\"`")
                    .advice("set `database.cpu = \"own\"`, or remove the fault"),
            );
        }
        let at = table.position("at");
        if fault.at >= scenario.load.total() {
            let found = format!("the fault at {} comes when the load has ended", fault.at);
            problems.push(
                Problem::new(at, found)
                    .allowed(format!("`at` before {}, warm-up included", scenario.load.total()))
                    .advice("let it fail earlier, or lengthen `load.duration`"),
            );
        }
        if before.is_some_and(|end| fault.begin() < end) {
            let found = format!("the fault at {} begins before the one before it ends", fault.at);
            problems.push(
                Problem::new(at, found)
                    .allowed("faults of the database one after the other")
                    .advice("let it begin later, or shorten `for` of the one before"),
            );
        }
        before = Some(fault.end());
    }
}
