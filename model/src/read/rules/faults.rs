//! Faults of what there is, within the run, one at a time.

use super::Problems;
use crate::keys::{Fields, read_field};
use crate::read::diagnostic::Problem;
use crate::scenario::{Engine, Fault, Scenario};
use crate::units::Span;

/// Only a database server on processors of its own can fail, and only once at a time.
pub(super) fn check(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let mut tables: Vec<&Fields> = root.list("fault").unwrap_or_default().iter().collect();
    // As the scenario has them.
    tables.sort_by_key(|table| read_field::<Span>(table, "at", &[]));
    let refused = refused(scenario);
    let mut before = None;
    for (fault, table) in scenario.faults.iter().zip(tables) {
        for (found, allowed, advice) in &refused {
            problems.push(
                Problem::new(table.position("database"), *found)
                    .allowed(format!("`fault.database` only with {allowed}"))
                    .advice(*advice),
            );
        }
        time(scenario, fault, table, before, problems);
        before = Some(fault);
    }
}

/// What of the database cannot fail: what was found, what is allowed, what to do.
fn refused(scenario: &Scenario) -> Vec<(&'static str, &'static str, &'static str)> {
    let engine = scenario.database.as_ref().map(|database| &database.engine);
    let Some(Engine::Postgres(postgres)) = engine else {
        return vec![(
            "a fault of the database, which is no server",
            "`database.engine = \"postgres\"`",
            "set the engine, or remove the fault",
        )];
    };
    let mut all = Vec::new();
    if postgres.shares_cpu() {
        all.push((
            "a fault of a server on the service's processors",
            "`database.cpu = \"own\"`",
            "set `database.cpu = \"own\"`, or remove the fault",
        ));
    }
    if postgres.pooler().is_some() {
        all.push((
            "a fault of a server behind PgBouncer",
            "`database.pooler = \"none\"`",
            "remove the pooler, or the fault",
        ));
    }
    all
}

/// It comes while there is load, and after the one before it.
fn time(
    scenario: &Scenario,
    fault: &Fault,
    table: &Fields,
    before: Option<&Fault>,
    problems: &mut Problems,
) {
    let at = table.position("at");
    let total = scenario.load.total();
    if fault.at >= total {
        let found = format!("the fault at {} comes when the load has ended", fault.at);
        problems.push(
            Problem::new(at, found)
                .allowed(format!("`at` before {total}, warm-up included"))
                .advice("let it fail earlier, or lengthen `load.duration`"),
        );
    }
    if before.is_some_and(|before| fault.begin() < before.end()) {
        let found = format!("the fault at {} begins before the one before it ends", fault.at);
        problems.push(
            Problem::new(at, found)
                .allowed("faults of the database one after the other")
                .advice("let it begin later, or shorten `for` of the one before"),
        );
    }
}
