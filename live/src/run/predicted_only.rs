//! Keys that predictions know and measurements do not honour.

use model::keys;
use model::read::{Diagnostic, Resolved};
use model::scenario::{
    Concurrency, Connections, DatabaseClient, DriverMode, Engine, Order, Postgres, Scenario, Step,
};
use model::units::Span;

use crate::dataset::Table;

/// Keys that say what a library does: live uses the library itself.
const OF_LIBRARIES: [&str; 5] =
    ["refused", "open_trips", "transactions", "prepare_after", "ping_trips"];

/// Rows of the table that a measurement loads for those that are locked: each takes 8 KiB.
const MOST_ROWS: u32 = 20_000;

/// Refuses each of them by its key.
pub(super) fn check(resolved: &Resolved, found: &mut Vec<Diagnostic>) {
    first_request(resolved, found);
    let Some(database) = &resolved.scenario.database else { return };
    if let Engine::Postgres(postgres) = &database.engine {
        of_server(resolved, postgres, found);
    }
    let mut refuse = |key: &str, allowed: &str, advice: &str| {
        let key = format!("database.{key}");
        let what = format!("`{key}` is predicted, and not measured as it is written");
        found.push(resolved.refusal(&key, &what, &format!("{allowed} when measured"), advice));
    };
    let leave = "leave it out, or predict it with sim";
    let client = match &database.engine {
        Engine::Postgres(postgres) => postgres.client,
        Engine::Sqlite(_) => None,
    };
    if let Connections::Pool { order, recycle, .. } = database.connections {
        // What a client fills in is what its library does, also where a file says it.
        let filled = client.and_then(DatabaseClient::recycles);
        let own = |key: &str| {
            resolved.is_written(&format!("database.connections.{key}")) && recycle != filled
        };
        if order != Order::Fifo {
            refuse("connections.order", "\"fifo\"", leave);
        }
        if recycle.is_some() && own("recycle") {
            refuse("connections.recycle", "\"never\"", leave);
        }
    }
    let Engine::Postgres(postgres) = &database.engine else { return };
    if postgres.max_connections.is_none() {
        refuse("max_connections", "a number, as every server has one,", leave);
    }
    let as_library = client.is_some_and(|one| postgres.clone().used_by(one) == *postgres);
    for key in OF_LIBRARIES {
        if resolved.is_written(&format!("database.{key}")) && !as_library {
            refuse(key, "what the library does by itself", leave);
        }
    }
    if postgres.client == Some(DatabaseClient::Psycopg) && awaits(&resolved.scenario) {
        refuse(
            "client",
            "\"asyncpg\" where async handlers await the database, \"psycopg\" elsewhere,",
            "write `client = \"asyncpg\"`, or leave it out",
        );
    }
}

/// Rows are really there, and the server counts its timeouts in whole milliseconds.
fn of_server(resolved: &Resolved, postgres: &Postgres, found: &mut Vec<Diagnostic>) {
    for named in Table::of(&resolved.scenario).all_named() {
        if named.size() > MOST_ROWS {
            let key = keys::path(&["database", "row", &named.rows.name, "count"]);
            found.push(resolved.refusal(
                &key,
                &format!("`{key}` takes {} rows of the table, of one page each", named.size()),
                &format!("at most {MOST_ROWS} when measured"),
                "write fewer: among so many two requests seldom meet at one",
            ));
        }
    }
    let millisecond = Span::from_millis(1).nanos();
    for (key, span) in [
        ("deadlock_timeout", Some(postgres.deadlock_timeout)),
        ("lock_timeout", postgres.lock_timeout),
        ("statement_timeout", postgres.statement_timeout),
        ("idle_in_transaction_session_timeout", postgres.idle_in_transaction_session_timeout),
    ] {
        if span.is_some_and(|span| span.nanos() % millisecond != 0) {
            found.push(resolved.refusal(
                &format!("database.{key}"),
                &format!("`{key}` is no whole number of milliseconds, in which the server counts"),
                "whole milliseconds when measured",
                "round it, or predict it with sim",
            ));
        }
    }
}

/// The real stack's first request takes what it takes.
fn first_request(resolved: &Resolved, found: &mut Vec<Diagnostic>) {
    if !resolved.scenario.service.first_request.is_zero() {
        let key = "service.first_request";
        let what = format!("`{key}` is predicted, and not measured as it is written");
        let advice = "leave it out, or predict it with sim";
        found.push(resolved.refusal(key, &what, "0s when measured", advice));
    }
}

/// An endpoint awaits the database, for which FastAPI's target has asyncpg.
fn awaits(scenario: &Scenario) -> bool {
    scenario.database.as_ref().is_some_and(|database| database.driver == DriverMode::Async)
        && scenario.endpoints.iter().any(|endpoint| {
            endpoint.concurrency(&scenario.service) == Concurrency::Async
                && endpoint.all_steps().any(Step::uses_database)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        costs.cpu.request = \"1ms\"
        costs.query.default.engine = \"1ms\"
        load = { users = 10, duration = \"1s\" }
        service = { server = \"uvicorn\", concurrency = \"async\" }
        database.engine = \"postgres\"
        database.connections = { kind = \"pool\" }
        endpoint = [{ name = \"a\", weight = 1, steps = [{ read = \"item\" }] }]
    ";

    fn found(set: &str) -> Vec<String> {
        let sets: Vec<String> = (!set.is_empty()).then(|| set.to_string()).into_iter().collect();
        let resolved = model::read::load_text("server.toml", TEXT, &sets).expect("a scenario");
        let mut found = Vec::new();
        check(&resolved, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_client_fills_in_is_measured_when_a_file_says_it_too() {
        let axum = ["service.server=axum", "costs.interpreter.lock=false"];
        let threads = ["service.concurrency=threadpool"];
        let clients = [("psycopg", &threads[..]), ("asyncpg", &[][..]), ("sqlx", &axum[..])];
        for (client, with) in clients {
            let mut sets = vec![format!("database.client={client}")];
            sets.extend(with.iter().map(|set| set.to_string()));
            let resolved = model::read::load_text("server.toml", TEXT, &sets).expect("a scenario");
            let (_, text) = resolved.to_files("server.toml").remove(0);
            assert!(text.contains("refused"), "{text}");
            let written = model::read::load_text("server.toml", &text, &[]).expect("a scenario");
            let mut found = Vec::new();
            check(&written, &mut found);
            assert_eq!(found, [], "{client}");
        }
    }

    #[test]
    fn every_key_that_is_only_predicted_is_named() {
        for set in [
            "",
            "database.client=asyncpg",
            "database.max_connections=50",
            "database.synchronous_commit=off",
            "database.connections.pre_ping=true",
            "database.row.stock.count=20000",
            "database.lock_timeout=2ms",
        ] {
            assert_eq!(found(set), [""; 0], "{set}");
        }
        for set in [
            "database.client=psycopg",
            "database.max_connections=none",
            "database.transactions=session",
            "database.prepare_after=0",
            "database.open_trips=5",
            "database.ping_trips=2",
            "database.refused=retry",
            "database.row.stock.count=20001",
            "database.lock_timeout=1500us",
            "database.connections.order=lifo",
            "database.connections.recycle=5m",
        ] {
            let (key, _) = set.split_once('=').expect("a key and its value");
            let told = found(set);
            assert!(told.len() == 1 && told[0].contains(key), "{set}: {told:?}");
        }
    }
}
