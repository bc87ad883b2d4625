//! Idle connections, which client and service each close after a time of their own.

use crate::stage::{Run, run_in_order, run_with};

/// A user of a service that closes idle connections after 5 s, 10 ms away, and that thinks for
/// so long.
fn thinking(think: &str, sets: &[&str]) -> Run {
    let text = "
        load = { users = 1, duration = \"26s\", keep_alive_timeout = \"1h\" }
        service.concurrency = \"async\"
        costs.network.client = \"20ms\"
        endpoint = [{ name = \"hello\", weight = 1, steps = [{ cpu = \"1ms\" }] }]
    ";
    let think = format!("load.think_time={think}");
    let sets: Vec<&str> = [think.as_str()].into_iter().chain(sets.iter().copied()).collect();
    run_with(text, &[], &sets)
}

fn lost(run: &Run) -> usize {
    run.log().iter().filter(|line| line.ends_with(" connection_closed")).count()
}

#[test]
fn a_request_that_comes_after_the_close_is_lost() {
    // The reply leaves at 11 ms and arrives at 21 ms; the connection ends at 5.011 s. What is
    // sent at 5.006 s arrives 5 ms too late. The client has the close at 5.021 s.
    let run = thinking("4.985s", &[]);
    let log = run.log();
    assert_eq!(log[..2], ["hello 21ms", "hello 5.021s connection_closed"]);
    // It thinks, opens another connection, and is answered; the next request is lost again.
    assert_eq!(log[2..4], ["hello 10.027s", "hello 15.027s connection_closed"]);
    assert_eq!(run.seen.event_loop.connections.entries(), 3, "26 s: every second one opens one");
}

#[test]
fn a_request_that_comes_before_the_close_or_after_its_notice_is_not() {
    let early = thinking("4.975s", &[]);
    assert_eq!((lost(&early), early.seen.event_loop.connections.entries()), (0, 1), "in time");
    let late = thinking("5.001s", &[]);
    assert_eq!(lost(&late), 0, "the client knows that its connection is closed");
    assert_eq!(late.seen.event_loop.connections.entries(), 6, "and opens another each time");
    // A client that is told at 5.021 s and knows at 5.041 s sends into it at 5.022 s.
    let busy = thinking("5.001s", &["costs.network.notice=20ms"]);
    assert_eq!(busy.log()[1], "hello 5.041s connection_closed");
}

#[test]
fn a_client_that_closes_first_loses_nothing() {
    let run = thinking("4.985s", &["load.keep_alive_timeout=4.9s"]);
    assert_eq!((lost(&run), run.seen.event_loop.connections.entries()), (0, 6));
    // httpx keeps a connection for the same 5 s as uvicorn, whose timer begins earlier.
    assert!(lost(&thinking("4.985s", &["load.keep_alive_timeout=5s"])) > 0);
    assert_eq!(lost(&thinking("4.985s", &["service.keep_alive=75s"])), 0);
}

#[test]
fn a_client_without_a_time_of_its_own_sends_again() {
    let text = "
        load = { users = 1, duration = \"26s\", think_time = \"4.985s\" }
        service.concurrency = \"async\"
        costs.network.client = \"20ms\"
        endpoint = [{ name = \"hello\", weight = 1, steps = [{ cpu = \"1ms\" }] }]
    ";
    assert_eq!(lost(&run_with(text, &[], &[])), 0);
}

#[test]
fn a_busy_loop_reads_what_has_come_before_it_closes() {
    let text = r#"
        load = { rate = "10/s", spacing = "even", duration = "400ms", keep_alive_timeout = "1h" }
        service = { concurrency = "async", keep_alive = "100ms" }
        costs.network.notice = "60ms"
        endpoint = [
            { name = "long", weight = 1, steps = [{ sleep = "150ms" }] },
            { name = "quick", weight = 1, steps = [{ cpu = "1ms" }] },
            { name = "slow", weight = 1, steps = [{ block = "120ms" }] },
        ]
    "#;
    // The connection of the first request is idle from 150 ms on. Its time is over at 250 ms, when
    // the loop is blocked, until 320 ms, by a request on the other one. What comes at 300 ms is
    // read before the timers.
    let run = run_in_order(text, &["long", "quick", "slow", "quick"]);
    assert_eq!(run.log(), ["quick 101ms", "long 150ms", "slow 320ms", "quick 321ms"]);
    // A loop that is free closes in time.
    let run = run_in_order(text, &["long", "quick", "quick", "quick"]);
    assert_eq!(run.log()[3], "quick 310ms connection_closed");
}
