//! Memory grows with requests in flight, not with requests simulated.
//!
//! The peak is read from `/proc/self/status`, so these are Linux's figures of this one
//! process, and one test after the other must make them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use sim::engine::Engine;
use sim::plan::Plan;

const MIB: u64 = 1024 * 1024;

/// Peak resident memory of this process so far, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Runs a scenario; returns the most requests in flight, and good answers.
fn run(text: &str) -> (u64, u64) {
    let scenario = model::read::load_text("memory", text, &[]).unwrap().scenario;
    let plan = Plan::new(&scenario, 1);
    let seen = Engine::observe(&plan, u64::MAX).unwrap();
    (seen.in_flight.peak(), seen.good())
}

fn closed(hours: u32) -> String {
    format!(
        r#"
        [load]
        users = 50
        duration = "{hours}h"
        [service]
        concurrency = "async"
        [[endpoint]]
        name = "both"
        weight = 1
        steps = [{{ cpu = "5ms" }}, {{ sleep = {{ p50 = "200ms", p99 = "1s" }} }}, {{ cpu = "5ms" }}]
        [costs]
        "#
    )
}

/// One request in a hundred thousand takes an hour; clients would wait for two.
const STRAGGLERS: &str = r#"
    [load]
    rate = "20000/s"
    duration = "100s"
    timeout = "2h"
    [service]
    concurrency = "async"
    [[endpoint]]
    name = "quick"
    weight = 99999
    steps = [{ sleep = "1ms" }]
    [[endpoint]]
    name = "straggler"
    weight = 1
    steps = [{ sleep = "1h" }]
    [costs]
"#;

const PARKED: &str = r#"
    [load]
    rate = "100000/s"
    spacing = "even"
    duration = "11s"
    timeout = "60s"
    [service]
    concurrency = "async"
    backlog = 4096
    [[endpoint]]
    name = "parked"
    weight = 1
    steps = [{ sleep = "20s" }]
    [costs]
"#;

#[test]
fn memory_grows_with_what_is_in_flight_and_not_with_time() {
    let (_, good) = run(&closed(1));
    let hour = peak();
    let (_, more) = run(&closed(10));
    assert!(more > 9 * good, "ten hours were simulated: {good}, {more}");
    // What the allocator rounds up to; a leak of one byte per request would be 3 MiB.
    assert!(peak() <= hour + MIB, "one hour {hour}, ten hours {}", peak());

    // A request that stays must not keep the timers of two million that came after it.
    let before = peak();
    let (in_flight, good) = run(STRAGGLERS);
    assert!(in_flight < 1_000 && good > 1_900_000, "{in_flight} in flight, {good} good");
    assert!(peak() < before + 2 * MIB, "{} bytes more", peak() - before);

    let before = peak();
    let (in_flight, _) = run(PARKED);
    assert!(in_flight >= 1_000_000, "{in_flight} in flight");
    assert!(peak() < 1024 * MIB, "{} MiB for {in_flight} requests", peak() / MIB);
    assert!(peak() > before, "the peak is of this run");
}
