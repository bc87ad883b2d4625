//! Slow and failing upstreams, and the limits that guard against them.

use crate::support::{Kept, Lab};

/// A service that calls a partner of this kind, under each of these concurrency models.
fn calling(partner: &str, users: u32, models: &[&str]) -> Lab {
    let endpoint = |model: &&str| {
        let steps = "[{ call = \"partner\" }]";
        format!("{{ name = '{model}', weight = 1, concurrency = '{model}', steps = {steps} }}")
    };
    let endpoints: Vec<String> = models.iter().map(endpoint).collect();
    Lab::new(&format!(
        r#"
        load = {{ users = {users}, duration = "1s" }}
        service.concurrency = "async"
        upstream.partner = {{ {partner} }}
        endpoint = [{}]
        "#,
        endpoints.join(", ")
    ))
}

const ALL: &[&str] = &["async", "threadpool", "blocking"];
/// Without the model that blocks the loop, which the holder of a limited resource needs.
const PARKING: &[&str] = &["async", "threadpool"];

/// Every class has failed in this way.
fn all_fail(kept: &Kept, kind: &str) {
    for class in &kept.report.classes {
        let count = class.errors.get(kind).copied().unwrap_or(0.0);
        assert!(count > 0.0, "{}: {:?}", class.name, class.errors);
    }
}

#[test]
fn a_call_that_fails_or_takes_too_long_fails_the_request() {
    for (partner, kind) in [
        ("latency = '30s', timeout = '20ms'", "upstream_timeout"),
        ("latency = '5ms', failures = '100%'", "upstream_failed"),
    ] {
        let kept = calling(partner, 3, ALL).run("");
        kept.has_errors_of(&[kind]);
        all_fail(&kept, kind);
        assert_eq!(kept.measurement().accounting.good, 0, "{kind}");
    }
}

#[test]
fn a_call_is_tried_again_as_often_as_allowed() {
    let partner = "latency = '30s', timeout = '10ms', retries = 2, backoff = '1ms'";
    let kept = calling(partner, 3, ALL).run("--set load.duration=6s");
    kept.has_errors_of(&["upstream_timeout"]);
    let calls = kept.station("upstream partner").expect("it is called").visits;
    let calls = calls * kept.report.run.duration;
    let settled: f64 = kept.report.errors.values().sum();
    // Three calls for each request. Requests that are under way at the edges of the window, where
    // calls and requests are counted at slightly different moments, change that a little.
    assert!(settled >= 12.0, "{settled}");
    assert!((2.5..3.5).contains(&(calls / settled)), "{calls} for {settled}");
}

#[test]
fn enough_attempts_succeed_where_one_would_fail() {
    let partner =
        "latency = '2ms', failures = '60%', retries = 20, backoff = '1ms', backoff_factor = 1";
    let kept = calling(partner, 2, ALL).run("");
    kept.has_errors_of(&[]);
    let visits = kept.station("upstream partner").expect("it is called").visits;
    let good = kept.report.throughput.value;
    assert!(visits > 1.5 * good, "{visits} calls for {good} answers");
}

#[test]
fn a_call_without_a_connection_in_time_fails() {
    let lab = calling("latency = '60ms', max_connections = 1, pool_timeout = '20ms'", 6, PARKING);
    let kept = lab.run("");
    kept.has_errors_of(&["connection_timeout"]);
    all_fail(&kept, "connection_timeout");
    assert!(kept.report.run.samples > 0);
    // Its only connection serves one call at a time.
    let connections = kept.station("upstream partner connections").expect("they are used");
    assert_eq!(connections.capacity, Some(1));
    kept.every_request_visited(connections);
}

#[test]
fn a_semaphore_lets_only_so_many_call() {
    let lab = calling("latency = '20ms', max_in_flight = 2", 8, PARKING);
    let kept = lab.run("");
    kept.has_errors_of(&[]);
    let upstream = kept.station("upstream partner").expect("it is called");
    assert!(upstream.in_flight_mean <= 2.1, "{upstream:?}");
    let semaphore = kept.station("upstream partner semaphore").expect("it is used");
    assert!(semaphore.waiting_time_mean > 0.0, "{semaphore:?}");
    assert!(kept.report.classes.iter().all(|class| class.throughput.value > 0.0));
}

#[test]
fn an_upstream_with_a_full_queue_refuses_and_a_retry_waits_as_long_as_it_asks() {
    let partner = "latency = '1h', capacity = 1, queue = 0";
    let kept = calling(partner, 6, PARKING).run("");
    kept.has_errors_of(&["upstream_refused"]);
    let counted = &kept.measurement().upstreams[0];
    // The first call of all has the server; every other one is refused, and counted.
    assert_eq!(counted.calls - counted.refused, 1, "{counted:?}");
    let refused = kept.report.errors["upstream_refused"];
    // The last of them come after the mock was asked.
    assert!(refused > 0.0 && counted.refused > 0, "{refused} {counted:?}");
    // A retry that is due after the end of the run is none.
    let asked = format!("{partner}, retries = 3, backoff = '1ms', retry_after = '3600s'");
    let kept = calling(&asked, 6, PARKING).run("");
    kept.has_errors_of(&[]);
    assert_eq!(kept.measurement().upstreams[0].calls, 6, "one for each user");
}
