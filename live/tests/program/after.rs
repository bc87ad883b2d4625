//! Work after the reply: background tasks and spawned tasks of real services.

use model::report::AfterWork;

use crate::fastapi::python::options;
use crate::support::{Kept, Lab};

/// The mail takes longer than any reply is waited for: what was answered did not wait for it.
const SLOW: &str = r#"
    load = { users = 2, think_time = "20ms", timeout = "5s", warmup = "200ms", duration = "1500ms" }
    service.concurrency = "async"
    upstream.mail.latency = "1m"
    endpoint = [{ name = "buy", weight = 1, after = [{ call = "mail" }] }]
"#;

const QUICK: &str = r#"
    load = { users = 4, think_time = "10ms", warmup = "200ms", duration = "1500ms" }
    service.concurrency = "async"
    database = { journal_mode = "wal", connections = { kind = "pool", size = 8, overflow = 0 } }
    upstream.mail.latency = "5ms"
    upstream.lost = { latency = "5ms", failures = "100%" }
    endpoint = [
        { name = "buy", weight = 1, steps = [{ read = "item" }],
          after = [{ call = "mail" }, { write = "order" }, { sleep = { low = "1ms", high = "3ms" } }] },
        { name = "lose", weight = 1, after = [{ call = "lost" }] },
    ]
"#;

fn after(kept: &Kept) -> &AfterWork {
    kept.report.after.as_ref().expect("there is work after replies")
}

fn replies_come_first(on: &str) {
    let kept = Lab::new(SLOW).run(on);
    kept.has_errors_of(&[]);
    assert!(kept.report.throughput.value > 0.0);
    let calls = kept.station("upstream mail").expect("the mock was called");
    assert!(calls.in_flight_mean > 2.0, "more calls than users: {calls:?}");
    let after = after(&kept);
    assert!(after.unfinished > 2.0 && after.in_flight.peak > 2, "{after:?}");
}

fn it_is_done_and_accounted_for(on: &str) {
    let lab = Lab::new(QUICK);
    for (model, hold) in [("async", "request"), ("threadpool", "request"), ("blocking", "handler")]
    {
        let sets = format!("--set service.concurrency={model} --set database.hold={hold}");
        let kept = lab.run(&format!("{on} {sets}"));
        kept.has_errors_of(&[]);
        let after = after(&kept);
        let answered = kept.report.throughput.value;
        assert!(answered > 0.0, "{sets}");
        // But for those at the edges of the window.
        assert!((0.5 * answered..1.5 * answered).contains(&after.throughput), "{sets}: {after:?}");
        assert!(after.failed > 0.0 && after.seconds >= 0.005, "{sets}: {after:?}");
        let places = kept.report.time.iter().map(|part| part.place.to_string());
        assert!(places.clone().all(|place| !place.starts_with("upstream")), "{sets}");
        for upstream in ["upstream mail", "upstream lost"] {
            assert!(kept.station(upstream).is_some_and(|one| one.visits > 0.0), "{sets}");
        }
    }
}

#[test]
fn axum_spawns_it() {
    replies_come_first("");
    it_is_done_and_accounted_for("");
}

#[test]
fn fastapi_has_background_tasks() {
    let Some(on) = options() else { return };
    replies_come_first(&on);
    it_is_done_and_accounted_for(&on);
}
