//! Load: the requests of each user, their instants and connections.

use model::units::Span;
use sim::observe::ErrorKind;
use sim::plan::{Basic, Op};

use crate::stage::{Run, run, run_in_order, run_with};

fn closed(load: &str, service: &str) -> Run {
    run(&format!(
        "[load]\n{load}\n\
         [service]\n{service}\n\
         [costs.cpu]\naccept = \"10ms\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ cpu = \"1ms\" }}]\n"
    ))
}

#[test]
fn a_closed_user_waits_for_the_reply_and_thinks() {
    let run = run(r#"
        costs = {}
        load = { users = 2, think_time = "70ms", duration = "300ms" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "30ms" }] }]
    "#);
    let instants = ["30ms", "30ms", "130ms", "130ms", "230ms", "230ms"];
    assert_eq!(run.instants(), instants, "a cycle is the response time and the think time");
    assert_eq!(run.seen.in_flight.peak(), 2, "a user has one request at a time");
}

#[test]
fn users_start_and_stop_where_the_ramp_crosses_their_number() {
    let run = run(r#"
        costs = {}
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "800ms" }] }]
        [load]
        users = 0
        stages = [{ duration = "10s", target = 4 }, { duration = "10s", target = 0 }]
    "#);
    // The line is above k from k/4 of the way up to as far on the way down.
    for (user, first, last) in
        [(0, 0, 19_200), (1, 2_500, 16_900), (2, 5_000, 14_600), (3, 7_500, 12_300)]
    {
        let sent: Vec<Span> =
            run.outcomes().iter().filter(|o| o.lane == user).map(|o| o.sent).collect();
        let ms = Span::from_millis;
        assert_eq!(sent.first(), Some(&ms(first)), "user {user} starts at the crossing");
        // The last request of user 0 is cut off by the end of the run.
        let last = if user == 0 { last - 800 } else { last };
        assert_eq!(sent.last(), Some(&ms(last)), "user {user} sends nothing after it");
    }
    assert_eq!(run.seen.in_flight.peak(), 4);
}

#[test]
fn a_user_who_stopped_comes_back_with_the_next_stage() {
    let run = run(r#"
        costs = {}
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "300ms" }] }]
        [load]
        users = 2
        stages = [{ duration = "2s", target = 0 }, { duration = "2s", target = 2 }]
    "#);
    let sent: Vec<u64> = run
        .outcomes()
        .iter()
        .filter(|outcome| outcome.lane == 1)
        .map(|outcome| outcome.sent.nanos() / 1_000_000)
        .collect();
    assert_eq!(sent, [0, 300, 600, 900, 3000, 3300, 3600], "away from 1 s to 3 s");
}

#[test]
fn a_stage_without_length_is_a_jump() {
    let run = run(r#"
        costs = {}
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "400ms" }] }]
        [load]
        users = 1
        stages = [
            { duration = "1s", target = 1 },
            { duration = "0s", target = 3 },
            { duration = "1s", target = 3 },
            { duration = "0s", target = 1 },
            { duration = "1s", target = 1 },
        ]
    "#);
    for user in [1, 2] {
        let sent: Vec<Span> =
            run.outcomes().iter().filter(|o| o.lane == user).map(|o| o.sent).collect();
        let wanted = [1_000, 1_400, 1_800].map(Span::from_millis);
        assert_eq!(sent, wanted, "user {user} is there from 1 s to 2 s");
    }
}

#[test]
fn each_request_draws_its_own_patience() {
    let run = run(r#"
        costs = {}
        load = { rate = "200/s", spacing = "even", timeout = { mean = "1s" }, duration = "40s" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "1s" }] }]
    "#);
    let outcomes = run.outcomes();
    let waited: Vec<f64> =
        outcomes.iter().map(|outcome| (outcome.settled - outcome.sent).secs_f64()).collect();
    let gone = waited.iter().filter(|&&seconds| seconds < 1.0).count() as f64;
    let share = gone / waited.len() as f64;
    // P(patience < 1 s); five standard deviations of 8000 draws, and those still in flight.
    assert!((share - (1.0 - (-1.0f64).exp())).abs() < 0.035, "{share} give up");
    let early = waited.iter().filter(|&&seconds| seconds < 0.1).count() as f64;
    let share = early / waited.len() as f64;
    assert!((share - (1.0 - (-0.1f64).exp())).abs() < 0.02, "{share} give up within 100 ms");
}

#[test]
fn even_arrivals_come_at_i_over_rate_whether_or_not_earlier_ones_are_answered() {
    let run = run(r#"
        costs = {}
        load = { rate = "100/s", spacing = "even", duration = "1s" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "55ms" }] }]
    "#);
    let expected: Vec<Span> = (0..100).map(|i| Span::from_millis(10 * i)).collect();
    assert_eq!(run.sent(), expected);
    assert_eq!(run.seen.in_flight.peak(), 6, "55 ms of arrivals are in flight");
}

#[test]
fn a_ramp_of_arrivals_inverts_the_integrated_rate() {
    let run = run(r#"
        costs = {}
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1 }]
        [load]
        rate = "0/s"
        spacing = "even"
        stages = [{ duration = "2s", target = "100/s" }]
    "#);
    // 25 t^2 arrivals in t seconds.
    let sent = run.sent();
    assert_eq!(sent.len(), 100);
    for (i, ms) in [(0, 0), (1, 200), (4, 400), (25, 1000), (81, 1800)] {
        assert_eq!(sent[i], Span::from_millis(ms), "arrival {i} is where the integral is {i}");
    }
}

#[test]
fn poisson_arrivals_have_exponential_gaps() {
    let run = run(r#"
        costs = {}
        load = { rate = "1000/s", duration = "40s" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1 }]
    "#);
    let sent = run.sent();
    let gaps: Vec<f64> = sent.windows(2).map(|pair| (pair[1] - pair[0]).secs_f64()).collect();
    // Five standard deviations of a count of mean 40000.
    assert!(sent.len().abs_diff(40_000) < 1_000, "{} arrivals", sent.len());
    let longer = gaps.iter().filter(|&&gap| gap > 0.001).count() as f64 / gaps.len() as f64;
    assert!((longer - (-1.0f64).exp()).abs() < 0.0125, "{longer} of the gaps exceed the mean");
}

#[test]
fn an_arrival_beyond_the_cap_on_users_is_dropped_and_counted() {
    let run = run(r#"
        costs = {}
        load = { rate = "100/s", spacing = "even", max_users = 2, duration = "300ms" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "25ms" }] }]
    "#);
    // Two users serve the arrivals of 0 and 10 ms, that of 20 ms finds both busy, and so on.
    let expected: Vec<Span> =
        (0..30).filter(|i| i % 3 != 2).map(|i| Span::from_millis(10 * i)).collect();
    assert_eq!(run.sent(), expected);
    assert_eq!((run.seen.sent, run.seen.dropped), (20, 10), "sent and dropped add up to 30");
}

#[test]
fn a_timeout_frees_the_user_while_the_server_works_on() {
    let run = run(r#"
        costs = {}
        load = { users = 1, timeout = "100ms", duration = "1s" }
        service.concurrency = "blocking"
        endpoint = [{ name = "hello", weight = 1, steps = [{ block = "240ms" }] }]
    "#);
    let gives_up: Vec<String> = (1..10).map(|i| format!("hello {}ms timeout", 100 * i)).collect();
    assert_eq!(run.log(), gives_up, "the user gives up and sends again at once");
    let starts = run.executed(|op| matches!(op, Op::Basic(Basic::Block { .. })));
    let zombies = ["0s", "240ms", "480ms", "720ms", "960ms"];
    assert_eq!(starts, zombies, "each work goes on to its end though the client has gone");
    assert_eq!((run.seen.good(), run.errors(ErrorKind::Timeout)), (0, 9));
}

#[test]
fn a_request_is_served_though_its_client_left_before_it_was_accepted() {
    // The kernel completes the handshake and keeps what the client sent. The worker reads
    // the request before it learns that the client has gone.
    let run = run_in_order(
        r#"
        costs = {}
        load = { rate = "10/s", spacing = "even", timeout = "95ms", duration = "400ms" }
        service.concurrency = "blocking"
        endpoint = [
            { name = "slow", weight = 1, steps = [{ block = "250ms" }] },
            { name = "quick", weight = 1, steps = [{ block = "30ms" }] },
        ]
        "#,
        &["slow", "quick", "quick", "quick"],
    );
    // From 250 ms on the worker serves the request of 100 ms, given up at 195 ms, then that
    // of 200 ms, given up at 295 ms, and then that of 300 ms.
    let starts = run.executed(|op| matches!(op, Op::Basic(Basic::Block { .. })));
    assert_eq!(starts, ["0s", "250ms", "280ms", "310ms"]);
    let log = ["slow 95ms timeout", "quick 195ms timeout", "quick 295ms timeout", "quick 340ms"];
    assert_eq!(run.log(), log);
}

#[test]
fn a_client_that_gave_up_has_closed_its_connection() {
    let run = run(r#"
        costs.cpu.accept = "10ms"
        load = { users = 1, timeout = "100ms", duration = "950ms" }
        service = { concurrency = "async", workers = 2, spread = "round-robin" }
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "150ms" }] }]
    "#);
    assert_eq!(run.seen.event_loop.connections.entries(), 10, "each request on a new one");
    let admitted = |worker| run.executed_on(worker, |op| matches!(op, Op::Basic(Basic::Admit)));
    assert_eq!((admitted(0), admitted(1)), (5, 5), "which need not lead to the same worker");
}

#[test]
fn a_kept_connection_is_accepted_once() {
    let load = "users = 1\nthink_time = \"100ms\"\nduration = \"300ms\"";
    let service = "concurrency = \"async\"";
    assert_eq!(closed(load, service).instants(), ["11ms", "112ms", "213ms"]);
    let load = format!("{load}\nkeep_alive = false");
    assert_eq!(closed(&load, service).instants(), ["11ms", "122ms", "233ms"]);
}

#[test]
fn connections_that_are_opened_ahead_cost_no_request_their_time() {
    let load = "users = 2\nthink_time = \"1h\"\nduration = \"1s\"";
    let service = "concurrency = \"async\"";
    assert_eq!(closed(load, service).instants(), ["11ms", "22ms"]);
    let ahead = closed(&format!("{load}\npreconnect = true"), service);
    // Two connections take 20 ms to accept; then both requests are there at once.
    assert_eq!(ahead.instants(), ["21ms", "22ms"]);
    let took: Vec<_> = ahead.outcomes().iter().map(|one| one.response_time().to_string()).collect();
    assert_eq!(took, ["1ms", "2ms"]);
    assert_eq!(ahead.seen.event_loop.connections.entries(), 2);
}

#[test]
fn an_error_of_the_handler_costs_the_loop_its_time() {
    let text = r#"
        load = { users = 2, think_time = "1h", duration = "1s" }
        service.concurrency = "async"
        database.connections = { kind = "pool", size = 1, overflow = 0, timeout = "10ms" }
        database.hold = "handler"
        costs.query.item.engine = "0s"
        endpoint = [{ name = "job", weight = 1, steps = [{ read = "item" }, { sleep = "40ms" }] }]
    "#;
    assert_eq!(run(text).log(), ["job 10ms pool_timeout", "job 40ms"]);
    let costly = run_with(text, &[], &["costs.cpu.error=3ms"]);
    assert_eq!(costly.log(), ["job 13ms pool_timeout", "job 40ms"]);
}

#[test]
fn the_client_opens_all_connections_that_are_due_before_it_sends() {
    let text = r#"
        load = { users = 3, think_time = "100ms", duration = "150ms" }
        service.concurrency = "async"
        costs.network = { connect = "1ms", client = "400us" }
        endpoint = [{ name = "hello", weight = 1, steps = [{ cpu = "10ms" }] }]
    "#;
    // Three milliseconds for three connections, 0.2 there and as much back. Later requests need
    // no connection; as they come one by one none of them waits.
    let instants = ["13.4ms", "23.4ms", "33.4ms", "123.8ms", "133.8ms", "143.8ms"];
    assert_eq!(run(text).instants(), instants);
    let one = run_with(text, &[], &["load.users=1"]).instants();
    assert_eq!(one, ["11.4ms", "121.8ms"]);
    let apart = run_with(text, &[], &["load.keep_alive=false"]);
    assert_eq!(apart.instants()[3..], ["124.8ms", "134.8ms", "144.8ms"]);
    let lanes: Vec<u64> = apart.outcomes().iter().map(|outcome| outcome.lane).collect();
    assert_eq!(lanes, [0, 1, 2, 0, 1, 2], "it sends in the order in which it opened them");
}

#[test]
fn opening_one_connection_does_not_delay_other_users() {
    // Twenty milliseconds there and back: others are sent while the first is on its way.
    let text = format!(
        "{}keep_alive = false\n[service]\nconcurrency = \"async\"\n[costs.network]\n\
         client = \"20ms\"\n[[endpoint]]\nname = \"hello\"\nweight = 1\n\
         steps = [{{ cpu = \"1ms\" }}]\n",
        "[load]\nrate = \"250/s\"\nspacing = \"even\"\nduration = \"60ms\"\n"
    );
    let times = |connect: &str| {
        let run = run_with(&text, &[], &[&format!("costs.network.connect={connect}")]);
        let times: Vec<Span> = run.outcomes().iter().map(|one| one.response_time()).collect();
        assert!(times.len() >= 9, "{times:?}");
        times
    };
    assert!(times("0s").iter().all(|time| *time == Span::from_millis(21)));
    assert!(times("2ms").iter().all(|time| *time == Span::from_millis(23)));
}

#[test]
fn a_handshake_that_was_dropped_is_followed_by_its_request() {
    let run = run(r#"
        load = { users = 3, think_time = "1h", duration = "10s", timeout = "never" }
        service = { concurrency = "async", backlog = 1 }
        costs.cpu.accept = "5ms"
        costs.network.connect = "1ms"
        endpoint = [{ name = "hello", weight = 1, steps = [{ cpu = "10ms" }] }]
    "#);
    // Accepted from 1 to 6 ms, served from 6 to 16; the second waits from 2 ms on; the third
    // finds the queue full at 3 ms, and tries again a second later.
    assert_eq!(run.instants(), ["16ms", "31ms", "1.018s"]);
}

#[test]
fn to_close_a_connection_takes_the_loop_its_time() {
    let run = |load: &str, hang_up: &str| {
        let text = format!(
            "{load}[service]\nconcurrency = \"async\"\n[costs.cpu]\naccept = \"10ms\"\n\
             [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ cpu = \"1ms\" }}]\n"
        );
        run_with(&text, &[], &[&format!("costs.cpu.hang_up={hang_up}")])
    };
    let load = "[load]\nusers = 1\nduration = \"30ms\"\n";
    assert_eq!(run(load, "2ms").instants()[..2], ["11ms", "12ms"], "it is kept");
    // Two milliseconds before the next request's connection is accepted.
    let load = format!("{load}keep_alive = false\n");
    assert_eq!(run(&load, "2ms").instants(), ["11ms", "24ms"]);
    // The server closes two connections that have been idle for 5 s.
    let more =
        |load: &str| run(load, "2ms").seen.cpu.cores.area() - run(load, "0s").seen.cpu.cores.area();
    assert_eq!(more("[load]\nusers = 1\nthink_time = \"6s\"\nduration = \"13s\"\n"), 4_000_000);
    // The first user gives up while its connection is accepted, the second before that.
    let impatient =
        "[load]\nusers = 2\nthink_time = \"1h\"\nduration = \"1s\"\ntimeout = \"5ms\"\n";
    assert_eq!(more(impatient), 4_000_000);
    // It gives up while the last reply is on its way: that connection ends once.
    let late = "[costs.network]\nclient = \"20ms\"\n[load]\nusers = 1\nthink_time = \"1h\"\n\
                duration = \"1s\"\ntimeout = \"25ms\"\nkeep_alive = false\n";
    assert_eq!(more(late), 2_000_000);
}

#[test]
fn an_idle_connection_is_closed_after_the_servers_keep_alive() {
    let load = |think: &str| format!("users = 1\nthink_time = \"{think}\"\nduration = \"14s\"");
    let server = |name: &str| format!("concurrency = \"async\"\nserver = \"{name}\"");
    let instants = |think, name| closed(&load(think), &server(name)).instants();
    let kept = ["11ms", "3.012s", "6.013s", "9.014s", "12.015s"];
    assert_eq!(instants("3s", "uvicorn"), kept, "uvicorn keeps a connection for 5 s");
    let reopened = ["11ms", "3.022s", "6.033s", "9.044s", "12.055s"];
    assert_eq!(instants("3s", "gunicorn"), reopened, "gunicorn keeps it for 2 s");
    assert_eq!(instants("6s", "uvicorn"), ["11ms", "6.022s", "12.033s"]);
    assert_eq!(instants("1.9s", "gunicorn")[1], "1.912s");
}

#[test]
fn idle_connections_of_open_arrivals_close_too() {
    let text = r#"
        costs.cpu.accept = "10ms"
        load = { rate = "0.5/s", spacing = "even", duration = "9s" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ cpu = "1ms" }] }]
    "#;
    let kept = run_with(text, &[], &[]).instants();
    assert_eq!(kept, ["11ms", "2.001s", "4.001s", "6.001s", "8.001s"]);
    let reopened = run_with(text, &[], &["service.keep_alive=\"1.5s\""]).instants();
    assert_eq!(reopened, ["11ms", "2.011s", "4.011s", "6.011s", "8.011s"]);
}

#[test]
fn the_warm_up_is_run_and_not_counted() {
    let run = run(r#"
        costs = {}
        load = { users = 1, think_time = "20ms", warmup = "450ms", duration = "500ms" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ sleep = "80ms" }] }]
    "#);
    assert_eq!(run.instants().len(), 9, "answers at 80 ms, 180 ms, ... 880 ms");
    assert_eq!(run.seen.good(), 5, "those from 480 ms on are counted");
    assert_eq!(run.seen.in_flight_at_start, 1);
    assert_eq!(run.seen.in_flight.area(), 500_000_000 - 5 * 20_000_000);
}

#[test]
fn half_of_the_round_trip_passes_before_the_service_and_half_after_it() {
    let text = "load = { users = 1, think_time = \"1ms\", duration = \"10ms\" }\n\
         service.concurrency = \"async\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{ cpu = \"1ms\" }]\n";
    let near = crate::stage::run_with(text, &[], &[]);
    assert_eq!(near.instants()[..2], ["1ms", "3ms"]);
    let far = crate::stage::run_with(text, &[], &["costs.network.client=\"500us\""]);
    assert_eq!(far.instants()[..2], ["1.5ms", "4ms"]);
    let requests = far.instants().len() as u128;
    assert_eq!(far.time_at("connect"), requests * 250_000);
    assert_eq!(far.time_at("reply"), requests * 250_000);
}
