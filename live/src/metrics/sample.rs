//! An invented prediction for tests, beside the invented measurement of the live terminal.

use model::report::{Report, bins};

use crate::watch::Message;
use crate::watch::sample::{MILLISECOND, SECOND, plan, round, second};

use super::book::Book;

/// A prediction of so many good answers per second, of 10 ms each, with an error in ten seconds.
pub(super) fn report(throughput: f64) -> Report {
    let text = r#"{
        "schema": 1, "kind": "predicted", "scenario": "shop-0", "seed": 7, "digest": "0",
        "run": { "replications": 1, "confidence": 0.95, "warmup": 2, "duration": 10, "samples": 3 },
        "throughput": { "value": 0, "low": 0, "high": 0 },
        "response_time": {
            "mean": 0.01, "p50": 0.01, "p90": 0.01, "p95": 0.01, "p99": 0.01, "p999": 0.01, "max": 0.01
        },
        "response_time_intervals": {}, "errors": { "pool_timeout": 1, "timeout": 0 },
        "error_share": 0,
        "in_flight": { "mean": { "value": 2, "low": 2, "high": 2 }, "peak": 3 },
        "arrivals": { "sent": 30, "dropped": 20, "rate": 1.5 },
        "classes": [{
            "name": "quote", "throughput": { "value": 30, "low": 30, "high": 30 }, "time": [],
            "response_time": {
                "mean": 0.01, "p50": 0.01, "p90": 0.01, "p95": 0.01, "p99": 0.01, "p999": 0.01,
                "max": 0.01
            },
            "errors": {}
        }],
        "stations": [
            {
                "name": "cpu", "kind": "cpu", "capacity": 1, "utilisation": 0.4,
                "utilisation_interval": { "value": 0.4, "low": 0.4, "high": 0.4 },
                "in_flight_mean": 0.4, "waiting_time_mean": 0, "visits": 1
            },
            {
                "name": "upstream partner semaphore", "kind": "semaphore", "upstream": "partner",
                "capacity": 10, "utilisation": 0.25,
                "utilisation_interval": { "value": 0.25, "low": 0.25, "high": 0.25 },
                "in_flight_mean": 2.5, "waiting_time_mean": 0, "visits": 1
            }
        ],
        "time": [
            { "place": "cpu", "kind": "cpu", "seconds": 0.01 },
            { "place": "database pool", "kind": "database_pool", "seconds": 0.001 }
        ],
        "memory": { "mean": 1000000, "peak": 2000000 }, "bounds": [], "bottleneck": null
    }"#;
    let mut report: Report = serde_json::from_str(text).expect("a report");
    report.throughput.value = throughput;
    report.distribution = bins([(10 * MILLISECOND, 1)]);
    report
}

/// What is known when so many seconds of the first round are over, with a prediction or without.
pub(super) fn book(predicted: bool, seconds: u64) -> Book {
    let predictions = if predicted { vec![report(40.0), report(80.0)] } else { Vec::new() };
    let mut book = Book::new(predictions);
    book.feed(Message::Plan(plan(2, 3)), 0);
    book.feed(round(0, 0), 0);
    book.feed(Message::Load, 0);
    (0..seconds).for_each(|index| book.feed(second(index, 100).into(), (index + 1) * SECOND));
    book
}
