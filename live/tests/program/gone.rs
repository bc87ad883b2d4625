//! Clients that go before they have an answer: whether their handlers run on, counted by the calls that
//! they make.

use crate::fastapi::python::options;
use crate::support::{Kept, Lab};

/// Handlers that wait for longer than their clients, and call only then.
const WAITING: &str = r#"
    load = { rate = "20/s", spacing = "even", timeout = "100ms", duration = "2s" }
    service.concurrency = "async"
    upstream.partner.latency = "1ms"
    endpoint = [{ name = "quote", weight = 1, steps = [{ sleep = "300ms" }, { call = "partner" }] }]
"#;

/// A loop that is blocked for a second, behind which quick requests wait for longer than their clients.
const QUEUED: &str = r#"
    load.duration = "3s"
    load.group = [
        { name = "stalls", users = 1, think_time = "1h", timeout = "1h", mix = [{ endpoint = "stall" }] },
        { name = "quotes", rate = "50/s", spacing = "even", timeout = "200ms",
          mix = [{ endpoint = "quote" }] },
    ]
    service.concurrency = "async"
    upstream.partner.latency = "1ms"
    endpoint = [
        { name = "stall", weight = 1, steps = [{ block = "1s" }] },
        { name = "quote", weight = 1, steps = [{ call = "partner" }] },
    ]
"#;

/// Abandoned requests, and calls that abandoned requests made, at most.
fn abandoned(kept: &Kept) -> (u64, u64) {
    let measurement = kept.measurement();
    let timeouts = measurement.accounting.errors.get("timeout").copied().unwrap_or(0);
    (timeouts, measurement.upstreams[0].calls.saturating_sub(kept.measurement().accounting.good))
}

fn waiting(on: &str) -> u64 {
    let kept = Lab::new(WAITING).run(on);
    kept.has_errors_of(&["timeout"]);
    assert_eq!(kept.measurement().accounting.good, 0);
    abandoned(&kept).1
}

/// Calls of abandoned requests, of which there are many, and good answers.
fn queued(on: &str) -> u64 {
    let kept = Lab::new(QUEUED).run(on);
    kept.has_errors_of(&["timeout"]);
    let (abandoned, calls) = abandoned(&kept);
    // Of those of the first second all but the last ten are abandoned.
    assert!(abandoned >= 30, "{abandoned}");
    calls
}

/// Of those that are abandoned while they are being answered, a few may call all the same.
const FEW: u64 = 15;

const AXUM: &str = "--set service.server=axum --set costs.interpreter.lock=false";

#[test]
fn axum_drops_them_whether_they_have_begun_or_not() {
    assert_eq!(waiting(AXUM), 0);
    assert!(queued(AXUM) < FEW);
}

#[test]
fn handlers_run_on_as_those_of_uvicorn() {
    assert!(waiting("") > 0);
    assert!(queued("") > FEW);
}

#[test]
fn those_of_uvicorn_run_on() {
    let Some(on) = options() else { return };
    assert!(waiting(&on) > 0);
    assert!(queued(&on) > FEW);
}
