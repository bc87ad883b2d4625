//! Workers: how connections spread over them, backlog, limits.

use sim::observe::ErrorKind;
use sim::plan::{Basic, Op};

use crate::stage::{Run, arrivals, burst, run, run_in_order, run_with};

/// Requests that workers 0, 1, 2 ... admitted.
fn admitted(run: &Run, workers: u32) -> Vec<usize> {
    (0..workers)
        .map(|worker| run.executed_on(worker, |op| matches!(op, Op::Basic(Basic::Admit))))
        .collect()
}

/// New connections one every 3 ms, each with a request of 1 ms, over four workers.
fn spread(count: u32, spread: &str, step: &str) -> Vec<usize> {
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\nworkers = 4\n[costs]\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{step}]\n",
        arrivals(count, 3)
    );
    let sets = ["load.keep_alive=false", &format!("service.spread={spread}")];
    admitted(&run_with(&text, &[], &sets), 4)
}

#[test]
fn a_shared_socket_wakes_the_worker_that_slept_last() {
    let counts = spread(40, "lifo", "{ cpu = \"1ms\" }");
    assert_eq!(counts, [0, 0, 0, 40], "the worker that has just served was the last to sleep");
    // Work longer than the gap: while worker 3 is busy, worker 2 is the last sleeper.
    let counts = spread(40, "lifo", "{ block = \"4ms\" }");
    assert_eq!(counts, [0, 0, 20, 20]);
}

#[test]
fn a_burst_goes_to_the_worker_that_runs() {
    // Accepting takes 1 ms. All connections are there before the first is accepted, and the
    // worker that was woken first accepts all of them in one slice.
    let text = format!(
        "{}[cpu]\nslice = \"100ms\"\n[service]\nconcurrency = \"async\"\nworkers = 4\n\
         [costs.cpu]\naccept = \"1ms\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ sleep = \"1s\" }}]\n",
        burst(40)
    );
    for event_loop in ["uvloop", "asyncio"] {
        let run = run_with(&text, &[], &[&format!("service.event_loop={event_loop}")]);
        assert_eq!(admitted(&run, 4), [0, 0, 0, 40], "{event_loop}");
    }
}

/// The larger share of 200 users, who come together, of two workers: one number per seed.
fn most_of_200(sets: &[&str]) -> Vec<usize> {
    let text = format!(
        "{}[cpu]\nslice = \"1.4ms\"\n[service]\nconcurrency = \"async\"\nworkers = 2\n\
         [costs.cpu]\naccept = \"20us\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ cpu = \"1ms\" }}]\n",
        burst(200)
    );
    let most = |seed: u64| {
        let seed = format!("seed={seed}");
        let sets: Vec<&str> = sets.iter().copied().chain([seed.as_str()]).collect();
        admitted(&run_with(&text, &[], &sets), 2).into_iter().max().unwrap_or(0)
    };
    (1..=40).map(most).collect()
}

#[test]
fn the_share_of_a_burst_that_a_worker_accepts_depends_on_the_tick() {
    // Opening them takes 3.8 ms, and accepting them a little longer. One worker accepts until
    // the first tick after its slice, between 1.4 and 5.4 ms, the other what is left.
    let together = ["costs.network.connect=19us", "cpu.tick=4ms"];
    let counts = most_of_200(&together);
    let even = counts.iter().filter(|&&most| most < 130).count();
    let lopsided = counts.iter().filter(|&&most| most >= 160).count();
    // The tick comes by 2.6 ms in 30 % of all cases and after 3.2 ms in 55 %; four standard
    // deviations.
    assert!(even.abs_diff(12) <= 11 && lopsided.abs_diff(22) <= 12, "{counts:?}");
    // Without ticks the first worker accepts for exactly one slice.
    let counts = most_of_200(&together[..1]);
    assert!(counts.iter().all(|&most| most == counts[0] && most < 150), "{counts:?}");
    // If requests come with their connections, a worker that serves accepts no more meanwhile.
    let counts = most_of_200(&together[1..]);
    assert!(counts.iter().all(|&most| most <= 105), "{counts:?}");
}

#[test]
fn asyncio_accepts_all_that_wait_before_it_serves_and_uvloop_one() {
    let text = format!(
        "{}[service]\nconcurrency = \"blocking\"\n[costs.cpu]\naccept = \"10ms\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ block = \"100ms\" }}]\n",
        burst(3)
    );
    let instants = |event_loop: &str| {
        run_with(&text, &[], &[&format!("service.event_loop={event_loop}")]).instants()
    };
    // The first is accepted alone: the others come while that takes its 10 ms.
    assert_eq!(instants("uvloop"), ["110ms", "220ms", "330ms"]);
    assert_eq!(instants("asyncio"), ["110ms", "230ms", "330ms"]);
}

#[test]
fn round_robin_is_even_and_hashing_is_not() {
    assert_eq!(spread(400, "round-robin", "{ cpu = \"1ms\" }"), [100; 4]);
    let counts = spread(400, "hash", "{ cpu = \"1ms\" }");
    assert_eq!(counts.iter().sum::<usize>(), 400);
    // Five standard deviations of a count of mean 100.
    assert!(counts.iter().all(|count| count.abs_diff(100) < 44), "{counts:?} is fair");
    assert_ne!(counts, [100; 4], "a hash is fair on average only");
}

#[test]
fn connections_stick_to_their_worker() {
    let text = r#"
        costs = {}
        load = { users = 3, duration = "105ms" }
        service = { concurrency = "blocking", workers = 2, spread = "round-robin" }
        endpoint = [{ name = "hello", weight = 1, steps = [{ block = "10ms" }] }]
    "#;
    let run = run_with(text, &[], &[]);
    // Worker 0 has two of the three users for ever; each worker serves one per 10 ms.
    let by_user = |lane| run.outcomes().iter().filter(|outcome| outcome.lane == lane).count();
    assert_eq!((by_user(0) + by_user(2), by_user(1)), (10, 10));
    assert_eq!(run.seen.event_loop.connections.value(), 3);
    let run = run_with(text, &[], &["load.users=2", "service.workers=4"]);
    assert_eq!(admitted(&run, 4), [11, 11, 0, 0], "two users never reach the other workers");
    let sets = ["load.users=2", "service.workers=4", "load.keep_alive=false"];
    let counts = admitted(&run_with(text, &[], &sets), 4);
    assert_eq!(counts, [6, 6, 5, 5], "new connections do");
}

#[test]
fn workers_serve_side_by_side() {
    let text = format!(
        "{}[service]\nconcurrency = \"blocking\"\nspread = \"round-robin\"\n[costs]\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ block = \"10ms\" }}]\n",
        burst(4)
    );
    assert_eq!(run_with(&text, &[], &[]).instants(), ["10ms", "20ms", "30ms", "40ms"]);
    let instants = run_with(&text, &[], &["service.workers=2"]).instants();
    assert_eq!(instants, ["10ms", "10ms", "20ms", "20ms"]);
}

#[test]
fn a_handshake_dropped_by_a_full_backlog_is_tried_again_after_1_2_and_4_seconds() {
    // The first request blocks the only loop, the second fills the backlog of one, the
    // third is dropped until it finds room: tries at 0, 1, 3, 7 and 15 s.
    for (busy, second, third) in [
        ("500ms", "500ms", "1s"),
        ("1.5s", "1.5s", "3s"),
        ("3.5s", "3.5s", "7s"),
        ("7.5s", "7.5s", "15s"),
    ] {
        let text = format!(
            "{}[service]\nconcurrency = \"blocking\"\nbacklog = 1\n[costs]\n\
             [[endpoint]]\nname = \"slow\"\nweight = 1\nsteps = [{{ block = \"{busy}\" }}]\n\
             [[endpoint]]\nname = \"quick\"\nweight = 1\n",
            burst(3)
        );
        let run = run_in_order(&text, &["slow", "quick", "quick"]);
        let wanted = [format!("slow {busy}"), format!("quick {second}"), format!("quick {third}")];
        assert_eq!(run.log(), wanted);
        let roomy = run_with(&text, &["slow", "quick", "quick"], &["service.backlog=2"]);
        assert_eq!(roomy.instants(), [busy, second, second], "with room none is dropped");
    }
}

/// Users 0 and 1 from the start, user 2 from 1 s, user 3 from 1.5 s; a limit of three.
fn limited(sets: &[&str]) -> Run {
    let text = r#"
        costs = {}
        [load]
        users = 2
        think_time = "1h"
        stages = [{ duration = "1s", target = 2 }, { duration = "1s", target = 4 }]
        [service]
        concurrency = "async"
        limit_concurrency = 3
        keep_alive = "never"
        [[endpoint]]
        name = "hello"
        weight = 1
        steps = [{ sleep = "100ms" }]
    "#;
    run_with(text, &[], sets)
}

#[test]
fn a_limit_of_n_serves_one_fewer_and_counts_idle_connections() {
    let refused = ["hello 100ms", "hello 100ms", "hello 1s rejected", "hello 1.5s rejected"];
    assert_eq!(
        limited(&[]).log(),
        refused,
        "two connections are idle, and the third is one too many"
    );
    let run = limited(&[]);
    assert_eq!(run.seen.event_loop.connections.value(), 2, "a refused connection is closed");
    assert_eq!(run.errors(ErrorKind::Rejected), 2);
    let served = ["hello 100ms", "hello 100ms", "hello 1.1s", "hello 1.6s"];
    assert_eq!(limited(&["service.keep_alive=\"800ms\""]).log(), served, "idle ones are gone");
    assert_eq!(limited(&["service.limit_concurrency=5"]).log(), served);
    let three = ["hello 100ms", "hello 100ms", "hello 1.1s", "hello 1.5s rejected"];
    assert_eq!(limited(&["service.limit_concurrency=4"]).log(), three);
}

#[test]
fn a_refusal_costs_cpu_and_each_worker_counts_for_itself() {
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\nlimit_concurrency = 2\nspread = \"round-robin\"\n\
         [costs.cpu]\nreject = \"3ms\"\n\
         [[endpoint]]\nname = \"hello\"\nweight = 1\nsteps = [{{ sleep = \"100ms\" }}]\n",
        burst(3)
    );
    let log = run_with(&text, &[], &[]).log();
    assert_eq!(log, ["hello 3ms rejected", "hello 6ms rejected", "hello 100ms"]);
    let log = run_with(&text, &[], &["service.workers=2"]).log();
    assert_eq!(log, ["hello 3ms rejected", "hello 100ms", "hello 100ms"]);
}

#[test]
fn what_waits_for_the_loop_of_a_worker_is_counted_as_its_lag() {
    let seen = run(r#"
        load = { users = 3, preconnect = true, think_time = "1h", duration = "1s" }
        service = { concurrency = "async", workers = 2, spread = "round-robin" }
        cpu.cores = 2
        costs = {}
        endpoint = [{ name = "job", weight = 1, steps = [{ cpu = "10ms" }] }]
    "#)
    .seen;
    let lag = |worker: usize| {
        let worker = &seen.event_loop.workers[worker];
        (worker.waited.to_string(), worker.callbacks)
    };
    // Two requests for the first worker: the second waits for the first.
    assert_eq!((lag(0), lag(1)), (("10ms".to_string(), 2), ("0s".to_string(), 1)));
}
