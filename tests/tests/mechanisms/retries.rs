//! Retries of clients: attempts, pauses, budget, and what is left of the abandoned attempts.

use model::units::Span;
use sim::engine::Record;
use sim::observe::ErrorKind;
use sim::plan::{Basic, Op};

use crate::stage::{Run, run_with};

/// Requests that a blocking worker serves in 250 ms each.
fn arrivals(load: &str, sets: &[&str]) -> Run {
    closed(&format!("spacing = \"even\"\n{load}"), sets)
}

fn closed(load: &str, sets: &[&str]) -> Run {
    let text = format!(
        "costs = {{}}\n[load]\n{load}\n\
         [service]\nconcurrency = \"blocking\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ block = \"250ms\" }}]\n"
    );
    run_with(&text, &[], sets)
}

fn works(run: &Run) -> Vec<String> {
    run.executed(|op| matches!(op, Op::Basic(Basic::Block { .. })))
}

fn counts(run: &Run) -> (u64, u64, u64) {
    (run.seen.sent, run.seen.client.attempts, run.seen.client.retries)
}

const ONE: &str = "rate = \"1/s\"\nduration = \"950ms\"\ntimeout = \"100ms\"\nretries = 3\n\
                   backoff = \"50ms\"";

#[test]
fn a_retry_is_another_attempt_while_the_service_works_on_the_first() {
    let run = arrivals(ONE, &[]);
    // Sent at 0 s, 150 ms, 350 ms (after 100 ms) and 650 ms (after 200 ms).
    assert_eq!(run.log(), ["hello 750ms timeout"], "the last attempt fails the request");
    assert_eq!(works(&run), ["0s", "250ms", "500ms", "750ms"], "every attempt is worked on");
    assert_eq!(counts(&run), (1, 4, 3), "one request, four attempts");
    assert_eq!(run.errors(ErrorKind::Timeout), 1, "a failed attempt is no failed request");
}

#[test]
fn the_response_time_counts_from_the_first_attempt() {
    let load = "users = 2\nthink_time = \"1h\"\nduration = \"950ms\"\ntimeout = \"300ms\"\n\
                retries = 1\nbackoff = \"250ms\"";
    let run = closed(load, &[]);
    // The second user gives up at 300 ms what is worked on until 500 ms, and sends again at 550 ms.
    assert_eq!(run.log(), ["hello 250ms", "hello 800ms"]);
    let times = run.places();
    assert_eq!(times, [("block".into(), 500_000_000), ("retry".into(), 550_000_000)]);
    assert_eq!(run.seen.in_flight.area(), 1_050_000_000, "it is in flight while its user pauses");
}

#[test]
fn pauses_grow_up_to_the_longest() {
    let load = "rate = \"1/s\"\nduration = \"950ms\"\ntimeout = \"1ms\"\nretries = 5\n\
                backoff = \"10ms\"\nbackoff_factor = 3\nbackoff_max = \"100ms\"";
    let run = arrivals(load, &[]);
    // 10, 30, 90, 100 and 100 ms after attempts of 1 ms.
    assert_eq!(run.log(), ["hello 336ms timeout"]);
}

#[test]
fn full_jitter_draws_each_pause_up_to_its_length() {
    let load = "rate = \"100/s\"\nduration = \"10s\"\ntimeout = \"1ms\"\nretries = 1\n\
                backoff = \"10ms\"\njitter = \"full\"";
    let run = arrivals(load, &[]);
    // Two attempts of a millisecond each.
    let pauses: Vec<f64> =
        run.outcomes().iter().map(|one| one.response_time().secs_f64() * 1e3 - 2.0).collect();
    assert!(pauses.iter().all(|pause| (0.0..=10.0).contains(pause)));
    for quarter in [0.0, 2.5, 5.0, 7.5] {
        let within = |pause: &&f64| (quarter..quarter + 2.5).contains(*pause);
        // Seven standard deviations of a quarter of a thousand.
        let count = pauses.iter().filter(within).count();
        assert!(count.abs_diff(250) < 96, "{count} pauses from {quarter} ms on");
    }
}

#[test]
fn only_what_is_named_is_retried() {
    let run = arrivals(ONE, &["load.retry_on=[\"refused\", \"error\"]"]);
    assert_eq!(run.log(), ["hello 100ms timeout"]);
    // A second connection is refused, and so is its retry: the first is still open.
    let load = "users = 2\nthink_time = \"1h\"\nduration = \"950ms\"\nretries = 1\n\
                backoff = \"100ms\"";
    let refused = |retry_on: &str| {
        closed(load, &["service.limit_concurrency=2", &format!("load.retry_on={retry_on}")]).log()
    };
    assert_eq!(refused("[\"timeout\"]"), ["hello 250ms", "hello 250ms rejected"]);
    assert_eq!(refused("[\"refused\"]"), ["hello 250ms", "hello 350ms rejected"]);
}

#[test]
fn a_client_gives_up_in_time() {
    // The third attempt, at 350 ms, has 30 ms left. At 360 ms there would be no time for it.
    let run = arrivals(ONE, &["load.give_up=\"380ms\""]);
    assert_eq!(run.log(), ["hello 380ms timeout"]);
    let run = arrivals(ONE, &["load.give_up=\"350ms\""]);
    assert_eq!(run.log(), ["hello 250ms timeout"], "no pause that would end too late");
    let run = arrivals(ONE, &["load.timeout=\"never\"", "load.give_up=\"120ms\""]);
    assert_eq!(run.log(), ["hello 120ms timeout"], "without a limit of an attempt, too");
}

#[test]
fn a_budget_refuses_further_retries() {
    let load = "rate = \"10/s\"\nduration = \"950ms\"\ntimeout = \"1ms\"\nretries = 1\n\
                backoff = \"10ms\"\nretry_budget = \"30%\"\nretry_floor = \"0/s\"";
    let run = arrivals(load, &[]);
    // One retry for each ten requests, three in all: after requests 4, 7 and 10.
    assert_eq!(counts(&run), (10, 13, 3));
    assert_eq!(run.seen.client.refused, 7);
    let retried: Vec<u64> = run
        .records()
        .filter_map(|record| match record {
            Record::Retried { index, .. } => Some(*index),
            _ => None,
        })
        .collect();
    assert_eq!(retried, [3, 6, 9]);
}

#[test]
fn a_closed_user_retries_before_it_thinks() {
    let load = "users = 1\nduration = \"950ms\"\ntimeout = \"100ms\"\nretries = 1\n\
                backoff = \"50ms\"\nthink_time = \"500ms\"";
    let sent = closed(load, &[]).sent();
    assert_eq!(sent, [Span::ZERO, Span::from_millis(750)]);
}
