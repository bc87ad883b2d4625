//! The parts that several answers share: time by place, stations, bounds, errors.

use std::collections::BTreeMap;

use model::report::{Bound, Part, Report, Station, WorkerShare};

use crate::number;
use crate::page::{Align, Bar, Table};

/// Time by place, the longest first. Shares below `least` are put together.
pub fn time(parts: &[Part], least: f64) -> Vec<Bar> {
    let whole: f64 = parts.iter().map(|part| part.seconds).sum();
    let mut sorted: Vec<&Part> = parts.iter().collect();
    sorted.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let (shown, rest): (Vec<&Part>, Vec<&Part>) =
        sorted.into_iter().partition(|part| part.seconds >= least * whole);
    let bar = |name: String, seconds: f64| Bar {
        name,
        amount: number::time(seconds),
        share: seconds / whole,
    };
    let mut bars: Vec<Bar> =
        shown.iter().map(|part| bar(part.place.words(), part.seconds)).collect();
    if !rest.is_empty() {
        bars.push(bar("all else".into(), rest.iter().map(|part| part.seconds).sum()));
    }
    bars
}

/// What requests queue for; of `used` stations no more is known than that they are in use.
pub fn stations(stations: &[Station], used: bool) -> Table {
    let mut table = Table::new(&[
        ("resource", Align::Left),
        ("in use", Align::Right),
        ("of", Align::Right),
        ("requests there", Align::Right),
        ("uses/s", Align::Right),
        ("wait before each", Align::Right),
    ]);
    for station in stations {
        let limited = station.capacity.is_some();
        let or_dash = |text: String| if limited { text } else { "-".into() };
        let or_unknown = |text: String| if used { "-".into() } else { text };
        table.row([
            station.id.words(),
            or_dash(number::percent(station.utilisation)),
            station.capacity.map_or("no limit".into(), |capacity| capacity.to_string()),
            or_unknown(number::significant(station.in_flight_mean, 3)),
            or_unknown(number::rate(station.visits)),
            or_unknown(or_dash(number::time(station.waiting_time_mean))),
        ]);
    }
    table.indented(2)
}

/// What falls to each worker; none where they share alike.
pub fn workers(workers: &[WorkerShare]) -> Option<Table> {
    let (most, least) = (workers.first()?.answers, workers.last()?.answers);
    if most <= 1.1 * least {
        return None;
    }
    let mut table = Table::new(&[
        ("worker", Align::Right),
        ("answers", Align::Right),
        ("connections", Align::Right),
        ("CPUs in use", Align::Right),
        ("loop at work", Align::Right),
        ("loop lag", Align::Right),
    ]);
    for (index, worker) in workers.iter().enumerate() {
        table.row([
            (index + 1).to_string(),
            number::percent(worker.answers),
            number::significant(worker.connections, 3),
            number::significant(worker.cpu, 2),
            number::percent(worker.busy),
            number::time(worker.lag),
        ]);
    }
    Some(table.indented(2))
}

/// What the bounds are, and when they hold.
pub const BOUNDS: &str =
    "In the long run, if all endpoints are answered as they are asked, throughput cannot exceed:";

/// Upper bounds on throughput.
pub fn bounds(bounds: &[Bound]) -> Table {
    let mut table = Table::new(&[("", Align::Right), ("", Align::Left), ("", Align::Left)]);
    for bound in bounds {
        let rate = format!("{}/s", number::rate(bound.throughput));
        table.row([rate, bound.name.clone(), bound.law.clone()]);
    }
    table.indented(2)
}

/// A kind of error in words.
pub fn error(kind: &str) -> &str {
    match kind {
        "timeout" => "client gave up",
        "rejected" => "refused with 503",
        "database_busy" => "database is locked",
        "pool_timeout" => "no database connection in time",
        "upstream_timeout" => "upstream did not reply in time",
        "upstream_failed" => "upstream failed",
        "upstream_refused" => "upstream refused the call",
        "connection_timeout" => "no connection to the upstream in time",
        "lock_timeout" => "lock not free in time",
        "disconnected" => "connection refused or broken",
        "connection_closed" => "sent into a connection that the server had closed",
        "too_many_clients" => "the database server has too many connections",
        "database_connection_lost" => "connection to the database server lost",
        "database_connection_refused" => "the database server takes no connections",
        "database_deadlock" => "deadlock in the database server",
        "database_lock_timeout" => "a row of the database was not free in time",
        "database_statement_timeout" => "a statement took too long in the database server",
        "database_idle_in_transaction" => "idle in a transaction for too long: its session ended",
        "max_client_conn" => "the pooler has too many clients",
        "query_wait_timeout" => "the pooler had no connection in time",
        "worker_killed" => "worker killed while it served",
        "service_failed" => "service failed, it does not say how",
        other => other,
    }
}

/// Errors by kind, the most frequent first; kinds that did not occur are left out.
pub fn errors(errors: &BTreeMap<String, f64>) -> String {
    let mut seen: Vec<(&String, f64)> =
        errors.iter().map(|(kind, &count)| (kind, count)).filter(|(_, n)| *n > 0.0).collect();
    seen.sort_by(|a, b| b.1.total_cmp(&a.1));
    let words: Vec<String> = seen
        .iter()
        .map(|(kind, n)| format!("{} ({} per run)", error(kind), number::count(*n)))
        .collect();
    words.join(", ")
}

/// Share of errors among the answers of one class.
pub fn error_share(errors: &BTreeMap<String, f64>, good: f64) -> f64 {
    let failed: f64 = errors.values().sum();
    if failed + good == 0.0 { 0.0 } else { failed / (failed + good) }
}

/// `v6: the question`.
pub fn title(report: &Report) -> String {
    match &report.question {
        Some(question) => format!("{}: {question}", report.scenario),
        None => report.scenario.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::failure::ErrorKind;

    #[test]
    fn every_kind_of_error_has_words() {
        for kind in ErrorKind::ALL {
            assert_ne!(error(kind.name()), kind.name());
        }
    }
}
