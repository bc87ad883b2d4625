//! Concurrency models: blocking, thread pool, async; what stalls which requests.

use model::units::Span;
use sim::plan::{Basic, Op};

use crate::stage::{Run, arrivals, burst, run_in_order, run_with};

/// `users` requests at once, all of these steps.
fn at_once(users: u32, concurrency: &str, steps: &str, sets: &[&str]) -> Run {
    let text = format!(
        "{}[service]\nconcurrency = \"{concurrency}\"\n[costs]\n\
         [upstream.partner]\nlatency = \"30ms\"\n\
         [upstream.dead]\nlatency = \"1s\"\ntimeout = \"10ms\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{steps}]\n",
        burst(users)
    );
    run_with(&text, &[], sets)
}

/// Requests of these endpoints at once, over two workers in turn.
fn mixed(concurrency: &str, workers: u32, order: &[&str]) -> Vec<String> {
    let text = format!(
        "{}[service]\nconcurrency = \"{concurrency}\"\nworkers = {workers}\n\
         spread = \"round-robin\"\n[costs]\n{}",
        burst(order.len() as u32),
        r#"
        [[endpoint]]
        name = "quick"
        weight = 1
        steps = [{ sleep = "10ms" }]
        [[endpoint]]
        name = "blocks"
        weight = 1
        steps = [{ block = "100ms" }]
        [[endpoint]]
        name = "legacy"
        weight = 1
        concurrency = "blocking"
        steps = [{ sleep = "50ms" }]
        [[endpoint]]
        name = "pooled"
        weight = 1
        concurrency = "threadpool"
        steps = [{ block = "50ms" }]
        "#
    );
    run_in_order(&text, order).log()
}

#[test]
fn blocking_serves_one_at_a_time_through_all_waits() {
    for step in ["{ sleep = \"30ms\" }", "{ block = \"30ms\" }", "{ call = \"partner\" }"] {
        assert_eq!(at_once(3, "blocking", step, &[]).instants(), ["30ms", "60ms", "90ms"]);
    }
}

#[test]
fn a_thread_pool_serves_as_many_as_it_has_tokens() {
    let run = at_once(5, "threadpool", "{ block = \"30ms\" }", &["service.threads=2"]);
    assert_eq!(run.instants(), ["30ms", "30ms", "60ms", "60ms", "90ms"]);
    assert_eq!(run.seen.threads.in_use.peak(), 2);
    assert_eq!(run.time_at("threads"), (2 * 30 + 60) * 1_000_000);
    let run = at_once(41, "threadpool", "{ sleep = \"30ms\" }", &[]);
    let late = run.instants().iter().filter(|instant| *instant == "60ms").count();
    assert_eq!((run.seen.threads.in_use.peak(), late), (40, 1), "40 tokens unless told otherwise");
}

#[test]
fn tokens_pass_first_come_first_served() {
    let text = format!(
        "{}[service]\nconcurrency = \"threadpool\"\nthreads = 1\n[costs]\n\
         [[endpoint]]\nname = \"long\"\nweight = 1\nsteps = [{{ sleep = \"10ms\" }}]\n\
         [[endpoint]]\nname = \"short\"\nweight = 1\nsteps = [{{ sleep = \"4ms\" }}]\n",
        arrivals(4, 3)
    );
    let run = run_in_order(&text, &["long", "long", "short", "short"]);
    assert_eq!(run.log(), ["long 10ms", "long 20ms", "short 24ms", "short 28ms"]);
    let order: Vec<u64> = run.outcomes().iter().map(|outcome| outcome.index).collect();
    assert_eq!(order, [0, 1, 2, 3], "none overtakes, the short ones neither");
}

#[test]
fn each_worker_has_a_pool_of_its_own() {
    let sets = ["service.threads=1", "service.workers=2", "service.spread=round-robin"];
    let run = at_once(4, "threadpool", "{ block = \"30ms\" }", &sets);
    assert_eq!(run.instants(), ["30ms", "30ms", "60ms", "60ms"]);
}

#[test]
fn async_parks_thousands() {
    let run = at_once(5000, "async", "{ sleep = \"1s\" }", &[]);
    assert_eq!(run.seen.in_flight.peak(), 5000);
    assert!(run.outcomes().iter().all(|outcome| outcome.response_time() == Span::from_secs(1)));
    assert_eq!(run.instants().len(), 5000);
}

#[test]
fn an_async_handler_computes_to_its_next_wait_and_queues_anew_after_it() {
    let run = at_once(3, "async", "{ cpu = \"10ms\" }", &[]);
    assert_eq!(run.instants(), ["10ms", "20ms", "30ms"], "no slices within a loop");
    // The first wakes at 11 ms, the second at 21 ms; the loop is busy until 20 and 30 ms.
    let steps = "{ cpu = \"10ms\" }, { sleep = \"1ms\" }, { cpu = \"10ms\" }";
    let run = at_once(2, "async", steps, &[]);
    assert_eq!(run.instants(), ["30ms", "40ms"]);
    assert_eq!(run.time_at("loop"), (9 + 9) * 1_000_000);
    assert_eq!(run.time_at("connect"), 10_000_000, "a busy loop does not accept either");
}

#[test]
fn a_blocking_call_in_an_async_handler_stalls_its_loop_and_no_other() {
    // Requests go to workers 0, 1, 0, 1.
    let log = mixed("async", 2, &["blocks", "quick", "quick", "quick"]);
    assert_eq!(log, ["quick 10ms", "quick 10ms", "blocks 100ms", "quick 110ms"]);
    let log = mixed("async", 2, &["quick", "quick", "blocks", "quick"]);
    assert_eq!(
        log,
        ["quick 10ms", "quick 10ms", "blocks 100ms", "quick 100ms"],
        "what was parked at 10 ms cannot go on either"
    );
}

#[test]
fn an_endpoint_may_override_the_model() {
    let log = mixed("async", 1, &["legacy", "quick"]);
    assert_eq!(log, ["legacy 50ms", "quick 60ms"], "a blocking handler keeps the loop");
    let log = mixed("async", 1, &["pooled", "quick"]);
    assert_eq!(log, ["quick 10ms", "pooled 50ms"], "a pooled one does not");
    let log = mixed("blocking", 1, &["pooled", "quick"]);
    assert_eq!(log, ["quick 10ms", "pooled 50ms"]);
    let log = mixed("threadpool", 1, &["legacy", "quick"]);
    assert_eq!(log, ["legacy 50ms", "quick 60ms"]);
}

#[test]
fn a_gather_takes_as_long_as_its_slowest_branch_where_waits_are_parked() {
    let gather =
        "{ gather = [{ sleep = \"10ms\" }, { call = \"partner\" }, { sleep = \"20ms\" }] }";
    assert_eq!(at_once(1, "async", gather, &[]).instants(), ["30ms"]);
    for concurrency in ["blocking", "threadpool"] {
        let run = at_once(1, concurrency, gather, &[]);
        assert_eq!(run.instants(), ["60ms"], "{concurrency}: one after the other");
    }
    let computing = "{ gather = [{ cpu = \"10ms\" }, { cpu = \"20ms\" }] }";
    assert_eq!(at_once(1, "async", computing, &[]).instants(), ["30ms"], "one loop computes");
}

#[test]
fn steps_after_a_gather_wait_for_all_branches() {
    let steps = "{ gather = [{ sleep = \"10ms\" }, { sleep = \"40ms\" }] }, { sleep = \"5ms\" }";
    assert_eq!(at_once(1, "async", steps, &[]).instants(), ["45ms"]);
}

#[test]
fn a_failed_branch_fails_the_request_at_once_and_the_others_run_on() {
    let steps = "{ gather = [{ sleep = \"100ms\" }, { call = \"dead\" }] }, { sleep = \"5ms\" }";
    let run = at_once(1, "async", steps, &[]);
    assert_eq!(run.log(), ["hello 10ms upstream_timeout"]);
    let ends = run.executed(|op| matches!(op, Op::Basic(Basic::BranchEnd)));
    assert_eq!(ends, ["10ms", "100ms"], "as asyncio.gather does");
}

#[test]
fn a_failed_step_in_a_row_ends_the_request_before_the_next() {
    let steps = "{ gather = [{ call = \"dead\" }, { sleep = \"100ms\" }] }";
    let run = at_once(1, "blocking", steps, &[]);
    assert_eq!(run.log(), ["hello 10ms upstream_timeout"]);
    assert_eq!(run.executed(|op| matches!(op, Op::Basic(Basic::Sleep { .. }))), [""; 0]);
}

#[test]
fn a_request_costs_more_the_more_are_in_flight_in_its_worker() {
    let sets = ["costs.cpu.in_flight=\"1ms\""];
    let run = at_once(3, "async", "{ sleep = \"30ms\" }", &sets);
    assert_eq!(run.instants(), ["30ms", "31ms", "33ms"], "0, 1 and 2 others: 0, 1 and 2 ms");
    let sets = [sets[0], "service.workers=3", "service.spread=round-robin"];
    let run = at_once(3, "async", "{ sleep = \"30ms\" }", &sets);
    assert_eq!(run.instants(), ["30ms", "30ms", "30ms"], "others in other workers cost nothing");
}

#[test]
fn a_concurrency_model_has_costs_of_its_own() {
    let sets = ["costs.cpu.request=\"1ms\"", "costs.cpu.async.request=\"3ms\""];
    let instants = |concurrency| at_once(1, concurrency, "{ sleep = \"30ms\" }", &sets).instants();
    assert_eq!(instants("async"), ["33ms"]);
    assert_eq!(instants("blocking"), ["31ms"]);
    assert_eq!(instants("threadpool"), ["31ms"]);
}

#[test]
fn a_hop_to_the_pool_costs_cpu_there_and_back() {
    let sets = ["costs.cpu.hop=\"2ms\""];
    let instants = |concurrency| at_once(1, concurrency, "{ sleep = \"30ms\" }", &sets).instants();
    assert_eq!(instants("threadpool"), ["34ms"]);
    assert_eq!(instants("async"), ["30ms"]);
}
