//! Clients that go before they have an answer: axum drops their handlers, uvicorn does not.

use sim::observe::ErrorKind;
use sim::plan::{Basic, Op};

use crate::stage::{Run, run_with};

/// Arrivals at even distances, whose clients wait for `timeout` each.
fn service(load: &str, keys: &str, steps: &str) -> String {
    format!(
        "costs.interpreter.lock = false\ncosts.query.r.engine = \"100ms\"\n\
         [load]\nspacing = \"even\"\n{load}\n\
         [service]\nserver = \"axum\"\nconcurrency = \"async\"\n{keys}\n\
         [[endpoint]]\nname = \"use\"\nweight = 1\nsteps = [{steps}]\n"
    )
}

/// Two requests, 100 ms apart.
const TWO: &str = "stages = [{ duration = \"150ms\", target = \"10/s\" }, \
                   { duration = \"1ns\", target = \"0/s\" }, { duration = \"19s\", target = \"0/s\" }]\n\
                   rate = \"10/s\"";

fn two(timeout: &str, keys: &str, steps: &str, sets: &[&str]) -> Run {
    let load = format!("{TWO}\ntimeout = \"{timeout}\"");
    run_with(&service(&load, keys, steps), &[], sets)
}

fn computes(run: &Run) -> Vec<String> {
    run.executed(|op| matches!(op, Op::Basic(Basic::Cpu { .. })))
}

fn drops(run: &Run) -> Vec<String> {
    run.executed(|op| matches!(op, Op::Basic(Basic::Drop)))
}

const UVICORN: &[&str] = &["service.server=\"uvicorn\""];

#[test]
fn a_handler_that_has_not_begun_never_does() {
    // The first computes for a second, and the client of the second waits for 150 ms.
    let run = two("150ms", "", "{ cpu = \"1s\" }", &[]);
    assert_eq!(run.log(), ["use 150ms timeout", "use 250ms timeout"]);
    assert_eq!(computes(&run), ["0s"], "what computes goes on, what has not begun is dropped");
    assert_eq!((drops(&run), run.seen.client.dropped), (vec!["1s".into()], 1));
    let run = two("150ms", "", "{ cpu = \"1s\" }", UVICORN);
    assert_eq!(computes(&run), ["0s", "1s"], "uvicorn lets handlers run on");
    assert_eq!(run.seen.client.dropped, 0);
}

#[test]
fn a_handler_that_waits_is_dropped_when_its_client_goes() {
    let steps = "{ sleep = \"1s\" }, { cpu = \"10ms\" }";
    let run = two("150ms", "", steps, &[]);
    assert_eq!(drops(&run), ["150ms", "250ms"]);
    assert!(computes(&run).is_empty());
    assert_eq!(computes(&two("150ms", "", steps, UVICORN)), ["1s", "1.1s"]);
}

#[test]
fn what_a_dropped_handler_holds_is_free() {
    // The first holds the one there is until its client goes after 300 ms. The second waits for it from
    // 100 ms on, and has it for its last 100 ms.
    for (keys, steps) in [
        ("[lock.a]", "{ lock = \"a\", steps = [{ sleep = \"50ms\" }, { sleep = \"1s\" }] }"),
        ("[upstream.u]\nlatency = \"1s\"\nmax_in_flight = 1", "{ call = \"u\" }"),
        ("[upstream.u]\nlatency = \"1s\"\nmax_connections = 1", "{ call = \"u\" }"),
        (
            "[database]\nengine = \"sqlite\"\njournal_mode = \"wal\"\nhold = \"request\"\n\
             connections = { kind = \"pool\", size = 1, overflow = 0 }",
            "{ read = \"r\" }, { sleep = \"1s\" }",
        ),
    ] {
        let run = two("300ms", keys, steps, &[]);
        assert_eq!(run.log(), ["use 300ms timeout", "use 400ms timeout"], "{steps}");
        assert_eq!(drops(&run), ["300ms", "400ms"], "{steps}");
        let busy = |run: &Run| -> Vec<u128> {
            let seen = &run.seen;
            let upstreams = seen.upstreams.iter().map(|one| &one.semaphore);
            let connections = seen.upstreams.iter().map(|one| &one.connections);
            let locks = seen.locks.iter().map(|one| &one.held);
            let all = upstreams.chain(connections).chain(locks);
            all.chain([&seen.database.connections]).map(|gauge| gauge.area()).collect()
        };
        let milliseconds: u128 = busy(&run).iter().sum::<u128>() / 1_000_000;
        assert_eq!(milliseconds, 400, "in use from 0 to 400 ms: {steps}");
    }
}

#[test]
fn one_that_waits_for_a_limit_leaves_the_queue() {
    // The first is served for a second; the second waits for it, goes, and never has it.
    let keys = "[lock.a]";
    let steps = "{ lock = \"a\", steps = [{ block = \"1s\" }, { cpu = \"1ms\" }] }";
    let run = two("300ms", keys, steps, &["service.concurrency=\"threadpool\""]);
    // On a thread nothing is dropped: both hold the lock in turn.
    assert_eq!(computes(&run), ["1s", "2.001s"]);
    let steps = "{ block = \"1s\" }, { cpu = \"1ms\" }";
    let run = two("300ms", "threads = 1", steps, &["service.concurrency=\"threadpool\""]);
    assert_eq!(computes(&run), ["1s"], "the second waits for a thread when it is dropped");
    assert_eq!(drops(&run), ["400ms", "1.001s"]);
}

#[test]
fn a_call_in_its_pause_is_not_made_again_and_branches_run_on() {
    let keys =
        "[upstream.u]\nlatency = \"10ms\"\nfailures = \"100%\"\nretries = 1\nbackoff = \"1s\"";
    assert_eq!(two("300ms", keys, "{ call = \"u\" }", &[]).seen.attempts, 2);
    assert_eq!(two("300ms", keys, "{ call = \"u\" }", UVICORN).seen.attempts, 4);
    let gather = "{ gather = [{ sleep = \"1s\" }, { sleep = \"2s\" }] }, { cpu = \"1ms\" }";
    let run = two("300ms", "", gather, &[]);
    assert!(computes(&run).is_empty());
    assert_eq!(drops(&run), ["300ms", "400ms"]);
    let ends = run.executed(|op| matches!(op, Op::Basic(Basic::BranchEnd)));
    assert_eq!(ends, ["1s", "1.1s", "2s", "2.1s"]);
}

#[test]
fn work_after_the_reply_is_not_dropped() {
    let text = service(&format!("{TWO}\ntimeout = \"300ms\""), "", "{ cpu = \"1ms\" }")
        + "after = [{ sleep = \"1s\" }, { cpu = \"2ms\" }]\n";
    let run = run_with(&text, &[], &[]);
    assert_eq!(run.errors(ErrorKind::Timeout), 0);
    assert_eq!(computes(&run), ["0s", "100ms", "1.001s", "1.101s"]);
}
