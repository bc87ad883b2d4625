//! Standstills in answers: what was held, what was waited for, and which setting removes them.

use model::keys;
use model::report::{Remedy, Standstill};
use model::scenario::{Concurrency, Connections, Endpoint, Engine, Hold, Lock, Scenario, Step};
use model::statistics::round_significant;
use model::units::Span;

use crate::observe::Observations;

/// What `seen` shows of standstills; none if there was none.
pub(crate) fn standstill(scenario: &Scenario, seen: &[Observations]) -> Option<Standstill> {
    let runs = seen.iter().filter(|o| o.standstill.count > 0).count();
    if runs == 0 {
        return None;
    }
    let pool = scenario.database.as_ref().map(|database| database.connections);
    let (size, overflow, timeout) = match pool {
        Some(Connections::Pool { size, overflow, timeout, .. }) => (size, overflow, timeout),
        _ => (0, 0, None),
    };
    let all = || seen.iter().map(|o| &o.standstill);
    let most = |pick: fn(&super::Observed) -> u32| all().map(pick).max().unwrap_or(0);
    let seconds = all().map(|o| o.total.secs_f64()).sum::<f64>() / runs as f64;
    let first = all().filter_map(|o| o.first).map(|at| at.secs_f64());
    let connections = size + overflow;
    let mut locks: Vec<u32> = all().flat_map(|o| o.locks.iter().copied()).collect();
    locks.sort_unstable();
    locks.dedup();
    let locks: Vec<&Lock> = locks.iter().map(|&id| &scenario.locks[id as usize]).collect();
    let mut rows: Vec<u32> = all().flat_map(|o| o.rows.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    let rows: Vec<String> =
        rows.iter().map(|&id| scenario.rows()[id as usize].name.clone()).collect();
    let (for_thread, for_connection) = (most(|o| o.for_thread), most(|o| o.for_connection));
    let mut remedies = Vec::new();
    if for_thread > 0 {
        let peak = seen.iter().map(|o| o.in_flight.peak()).max().unwrap_or(0);
        visits(scenario, peak, overflow, &mut remedies);
    }
    if for_connection > 0 && locks.is_empty() {
        let peak = seen.iter().map(|o| o.in_flight.peak()).max().unwrap_or(0);
        nested(scenario, peak, overflow, &mut remedies);
    }
    let pool = ended_by(timeout.is_some(), for_thread + for_connection > 0, &locks);
    let ended_by = match rows.is_empty() {
        true => pool,
        false => ended_by_server(scenario, timeout, pool),
    };
    Some(Standstill {
        runs: round_significant(runs as f64 / seen.len() as f64),
        first: round_significant(first.fold(f64::INFINITY, f64::min)),
        seconds: round_significant(seconds),
        longest: round_significant(all().map(|o| o.longest.secs_f64()).fold(0.0, f64::max)),
        connections,
        connections_waiting_for_a_thread: for_thread,
        connections_waiting_for_a_connection: for_connection,
        threads_waiting_for_a_connection: most(|o| o.threads),
        ended_by,
        locks: locks.iter().map(|lock| lock.name.clone()).collect(),
        rows,
        endless: all().any(|o| o.endless > 0),
        remedies,
    })
}

/// The key of the patience that ends it.
fn ended_by(pool: bool, connections: bool, locks: &[&Lock]) -> Option<String> {
    let lock = locks.iter().find(|lock| lock.timeout.is_some());
    let lock = lock.map(|lock| keys::path(&["lock", &lock.name, "timeout"]));
    let pool = (pool && (connections || lock.is_none()))
        .then(|| "database.connections.timeout".to_string());
    if locks.is_empty() || connections { pool.or(lock) } else { lock.or(pool) }
}

/// The same where requests wait for rows: the shortest of the patiences of server and `pool`.
fn ended_by_server(
    scenario: &Scenario,
    pool: Option<Span>,
    otherwise: Option<String>,
) -> Option<String> {
    let Some(Engine::Postgres(postgres)) = scenario.database.as_ref().map(|d| &d.engine) else {
        return otherwise;
    };
    let all = [
        ("connections.timeout", pool),
        ("lock_timeout", postgres.lock_timeout),
        ("statement_timeout", postgres.statement_timeout),
        ("idle_in_transaction_session_timeout", postgres.idle_in_transaction_session_timeout),
    ];
    let first = all.into_iter().filter_map(|(key, span)| Some((span?, key))).min();
    first.map(|(_, key)| format!("database.{key}")).or(otherwise)
}

/// Requests that hold a connection wait for a thread to validate the response.
fn visits(scenario: &Scenario, peak: u64, overflow: u32, remedies: &mut Vec<Remedy>) {
    let mut set = |key: String, value: String| remedies.push(Remedy { key, value });
    for endpoint in scenario.endpoints.iter().filter(|e| e.validates(scenario)) {
        if endpoint.response_model.is_some() {
            set(format!("endpoint.{}.response_model", endpoint.name), "false".into());
        }
    }
    set("service.response_model".into(), "false".into());
    for endpoint in scenario.endpoints.iter().filter(|e| e.hold == Some(Hold::Request)) {
        set(format!("endpoint.{}.hold", endpoint.name), "handler".into());
    }
    set("database.hold".into(), "handler".into());
    let needed = (peak + 1).saturating_sub(u64::from(scenario.service.threads));
    let size = needed.saturating_sub(u64::from(overflow)).max(1);
    set("database.connections.size".into(), size.to_string());
}

/// Requests that hold a connection wait for another one: with as many connections as there are
/// handlers at a time, times what each holds beside its last, and one more, one can always go on. On
/// threads there are as many handlers at a time as threads; on a loop as many as requests, of which
/// the `peak` was seen.
fn nested(scenario: &Scenario, peak: u64, overflow: u32, remedies: &mut Vec<Remedy>) {
    let on_thread = |e: &Endpoint| e.concurrency(&scenario.service) == Concurrency::Threadpool;
    let uses = |e: &&Endpoint| e.all_steps().any(Step::uses_database);
    let handlers = match scenario.endpoints.iter().filter(uses).all(on_thread) {
        true => u64::from(scenario.service.threads),
        false => peak,
    };
    let depth = |e: &Endpoint| {
        let own = u64::from(e.hold(scenario) != Some(Hold::Operation));
        own + e.all_steps().map(sessions).max().unwrap_or(0)
    };
    let depth = scenario.endpoints.iter().map(depth).max().unwrap_or(1).max(1);
    let needed = handlers * (depth - 1) + 1;
    let size = needed.saturating_sub(u64::from(overflow)).max(1);
    remedies.push(Remedy { key: "database.connections.size".into(), value: size.to_string() });
}

/// How deep sessions are inside each other in `step`.
fn sessions(step: &Step) -> u64 {
    match step {
        Step::Session(steps) => 1 + steps.iter().map(sessions).max().unwrap_or(0),
        other => other.inside().iter().map(sessions).max().unwrap_or(0),
    }
}
