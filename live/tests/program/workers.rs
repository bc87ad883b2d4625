//! Worker processes, and the server around them.

use crate::support::{Kept, Lab};

/// A service of this kind, behind an upstream that takes most of the time.
fn service(service: &str, load: &str) -> Lab {
    Lab::new(&format!(
        r#"
        load = {{ warmup = "100ms", duration = "1s", {load} }}
        service = {{ {service} }}
        upstream.partner.latency = "40ms"
        endpoint = [{{ name = "quote", weight = 1, steps = [{{ cpu = "1ms" }}, {{ call = "partner" }}] }}]
        "#
    ))
}

fn processes(kept: &Kept) -> Vec<&str> {
    kept.measurement().processes.iter().map(|process| &*process.name).collect()
}

#[test]
fn two_workers_serve() {
    // While one worker is blocked the other accepts.
    let service = service("concurrency = 'blocking', workers = 2", "users = 8, keep_alive = false");
    let kept = service.run("");
    kept.has_errors_of(&[]);
    assert_eq!(processes(&kept), ["worker 0", "worker 1", "mock upstream", "load generator"]);
    // A blocking worker makes one call at a time.
    let upstream = kept.station("upstream partner").expect("it is called");
    assert!(upstream.in_flight_mean > 1.0, "{upstream:?}");
    assert_eq!(kept.station("loop").expect("it is visited").capacity, Some(2));
}

#[test]
fn connections_are_hashed_over_the_workers() {
    let kept = service(
        "concurrency = 'async', workers = 2, spread = 'hash'",
        "users = 16, keep_alive = false",
    )
    .run("");
    kept.has_errors_of(&[]);
    // Users of a socket that no worker accepts from would be stuck after a try or two.
    assert!(kept.measurement().accounting.good > 40, "{:?}", kept.measurement().accounting);
    let cpu: Vec<f64> = kept.measurement().processes[..2].iter().map(|worker| worker.cpu).collect();
    // Each of some hundred requests on a connection of its own needs a millisecond.
    let least = cpu[0].min(cpu[1]);
    assert!(least > 0.2 * (cpu[0] + cpu[1]), "{cpu:?}");
}

#[test]
fn connections_cost_what_the_profile_says_when_they_come_and_go() {
    // Four milliseconds with each connection, and one in the handler.
    let costs = "--set costs.cpu.accept=1ms --set costs.cpu.hang_up=3ms";
    let cpu_per_request = |load: &str| {
        let kept = service("concurrency = 'async'", load).run(costs);
        let measurement = kept.measurement();
        measurement.processes[0].cpu / measurement.accounting.good as f64
    };
    let kept = cpu_per_request("users = 4");
    let opened = cpu_per_request("users = 4, keep_alive = false");
    assert!(opened - kept > 3e-3, "{opened} and {kept} seconds");
}

#[test]
fn other_servers_and_event_loops_serve_as_well() {
    for (server, options) in [
        ("server = 'axum'", "--set costs.interpreter.lock=false"),
        ("server = 'gunicorn', event_loop = 'asyncio'", ""),
    ] {
        let kept = service(&format!("concurrency = 'async', {server}"), "users = 6").run(options);
        kept.has_errors_of(&[]);
        assert!(kept.report.run.samples > 0, "{server}");
    }
}

#[test]
fn a_full_service_refuses() {
    let kept =
        service("concurrency = 'async', limit_concurrency = 3", "users = 8, think_time = '5ms'")
            .run("");
    kept.has_errors_of(&["rejected"]);
    assert!(kept.report.run.samples > 0);
    // The limit serves one connection fewer: two of eight.
    let upstream = kept.station("upstream partner").expect("it is called");
    assert!(upstream.in_flight_mean <= 2.1, "{upstream:?}");
}

#[test]
fn an_idle_connection_that_is_closed_is_no_error() {
    // With a think time as long as the keep-alive, the server may close as the client sends.
    for think_time in ["50ms", "20ms"] {
        let load = format!("users = 6, think_time = '{think_time}'");
        let kept = service("concurrency = 'async', keep_alive = '20ms'", &load).run("");
        kept.has_errors_of(&[]);
        assert!(kept.report.run.samples > 0, "{think_time}");
    }
}

#[test]
fn a_client_gives_up_when_its_time_is_over() {
    let kept = service("concurrency = 'async'", "users = 4, timeout = '20ms'").run("");
    kept.has_errors_of(&["timeout"]);
    assert_eq!(kept.measurement().accounting.good, 0);
}
