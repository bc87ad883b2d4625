//! Upstreams: latency, failures, timeouts, caps, retries.

use model::units::Span;
use sim::observe::ErrorKind;
use sim::plan::{Op, UpstreamOp};

use crate::stage::{Run, burst, run_with};

/// `users` requests at once, each a call of an upstream with these keys.
fn calls(users: u32, upstream: &str, sets: &[&str]) -> Run {
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\nspread = \"round-robin\"\n[costs]\n\
         [upstream.partner]\n{upstream}\n\
         [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n",
        burst(users)
    );
    run_with(&text, &[], sets)
}

#[test]
fn a_call_takes_as_long_as_the_upstream_and_its_client_costs_cpu() {
    assert_eq!(calls(1, "latency = \"1s\"", &[]).log(), ["quote 1s"]);
    let cpu = ["costs.cpu.call=\"2ms\""];
    let run = calls(2, "latency = \"1s\"", &cpu);
    assert_eq!(run.log(), ["quote 1.002s", "quote 1.004s"], "one loop sends both");
    assert_eq!(run.time_at("upstream partner"), 2_000_000_000);
}

#[test]
fn a_timeout_cuts_the_attempt() {
    let run = calls(1, "latency = \"10s\"\ntimeout = \"3s\"", &[]);
    assert_eq!(run.log(), ["quote 3s upstream_timeout"]);
    let run = calls(1, "latency = \"3s\"\ntimeout = \"3s\"", &[]);
    assert_eq!(run.log(), ["quote 3s"], "a reply in time is no timeout");
}

#[test]
fn a_share_of_the_attempts_fails_and_takes_as_long_as_a_reply() {
    let run = calls(2, "latency = \"1s\"\nfailures = \"100%\"", &[]);
    assert_eq!(run.log(), ["quote 1s upstream_failed", "quote 1s upstream_failed"]);
    let run = calls(10_000, "latency = \"1s\"\nfailures = \"25%\"", &[]);
    let failed = run.errors(ErrorKind::UpstreamFailed);
    // Five standard deviations of a count of mean 2500.
    assert!(failed.abs_diff(2500) < 217, "{failed} of 10000 failed");
    assert_eq!(run.seen.good() + failed, 10_000);
}

#[test]
fn a_semaphore_admits_so_many_first_come_first_served_in_each_worker() {
    let run = calls(5, "latency = \"1s\"\nmax_in_flight = 2", &[]);
    assert_eq!(run.instants(), ["1s", "1s", "2s", "2s", "3s"]);
    let order: Vec<u64> = run.outcomes().iter().map(|outcome| outcome.lane).collect();
    assert_eq!(order, [0, 1, 2, 3, 4]);
    assert_eq!(run.seen.upstreams[0].semaphore.peak(), 2);
    assert_eq!(run.time_at("upstream partner semaphore"), 4_000_000_000);
    let two = calls(5, "latency = \"1s\"\nmax_in_flight = 2", &["service.workers=2"]);
    assert_eq!(two.instants(), ["1s", "1s", "1s", "1s", "2s"]);
}

#[test]
fn client_connections_are_capped_and_a_long_wait_for_one_is_an_error() {
    let upstream = "latency = \"1s\"\nmax_connections = 2\npool_timeout = \"1.5s\"";
    let run = calls(6, upstream, &[]);
    let log = run.log();
    assert_eq!(log[..2], ["quote 1s", "quote 1s"]);
    assert_eq!(log[2..4], ["quote 1.5s connection_timeout", "quote 1.5s connection_timeout"]);
    assert_eq!(log[4..], ["quote 2s", "quote 2s"], "the first two in line got a connection");
    assert_eq!(run.seen.upstreams[0].connections.peak(), 2);
    let patient = calls(6, upstream, &["upstream.partner.pool_timeout=never"]);
    assert_eq!(patient.instants(), ["1s", "1s", "2s", "2s", "3s", "3s"]);
    assert_eq!(patient.time_at("upstream partner connections"), (2 + 4) * 1_000_000_000);
    let two = calls(4, upstream, &["service.workers=2"]);
    assert_eq!(two.instants(), ["1s", "1s", "1s", "1s"], "each worker has its own");
    let httpx = calls(2, "latency = \"10s\"\nmax_connections = 1", &[]);
    assert_eq!(httpx.log()[0], "quote 5s connection_timeout", "5 s unless told otherwise");
}

const FAILING: &str = "latency = \"100ms\"\nfailures = \"100%\"\nretries = 3\nbackoff = \"50ms\"\n\
                       backoff_factor = 3";

#[test]
fn retries_pause_longer_each_time() {
    let run = calls(1, FAILING, &[]);
    // Four attempts of 100 ms and pauses of 50, 150 and 450 ms.
    assert_eq!(run.log(), ["quote 1.05s upstream_failed"]);
    assert_eq!(run.seen.attempts, 4);
    let starts = run.executed(|op| matches!(op, Op::Upstream(UpstreamOp::Exchange { .. })));
    assert_eq!(starts, ["0s", "150ms", "400ms", "950ms"]);
    let run = calls(1, FAILING, &["upstream.partner.retries=0"]);
    assert_eq!(run.log(), ["quote 100ms upstream_failed"]);
    let run = calls(1, FAILING, &["upstream.partner.backoff_factor=1"]);
    assert_eq!(run.log(), ["quote 550ms upstream_failed"]);
    let run = calls(1, FAILING, &["upstream.partner.backoff_max=100ms"]);
    assert_eq!(run.log(), ["quote 650ms upstream_failed"], "pauses of 50, 100 and 100 ms");
    let run = calls(1, FAILING, &["upstream.partner.failures=\"0%\""]);
    assert_eq!(run.log(), ["quote 100ms"], "a good reply ends it");
    let run = calls(1, FAILING, &["costs.cpu.call=\"1ms\""]);
    assert_eq!(run.log(), ["quote 1.054s upstream_failed"], "each attempt costs CPU");
}

#[test]
fn a_timeout_is_retried_too_and_so_is_a_wait_for_a_connection() {
    let slow = "latency = \"1s\"\ntimeout = \"100ms\"\nretries = 1\nbackoff = \"50ms\"";
    assert_eq!(calls(1, slow, &[]).log(), ["quote 250ms upstream_timeout"]);
    let full = "latency = \"1s\"\nmax_connections = 1\npool_timeout = \"200ms\"\nretries = 2\n\
                backoff = \"100ms\"";
    // The second waits 200 ms, pauses 100 ms, waits 200 ms, pauses 200 ms, waits 200 ms.
    let log = calls(2, full, &[]).log();
    assert_eq!(log, ["quote 900ms connection_timeout", "quote 1s"]);
}

#[test]
fn the_error_of_each_failed_attempt_costs_cpu_before_the_pause_or_the_end() {
    let log = |users: u32, upstream: &str| {
        let run = calls(users, upstream, &["costs.cpu.failure=\"10ms\""]);
        (run.log(), run.seen.cpu.cores.area() / 1_000_000)
    };
    let one = |told: &str| vec![told.to_string()];
    let failing = calls(1, FAILING, &["costs.cpu.failure=\"10ms\""]);
    assert_eq!(failing.log(), ["quote 1.09s upstream_failed"]);
    let starts = failing.executed(|op| matches!(op, Op::Upstream(UpstreamOp::Exchange { .. })));
    assert_eq!(starts, ["0s", "160ms", "420ms", "980ms"]);
    // Of two calls that fail at once, the second waits for the CPU before its pause.
    let twice = "latency = \"100ms\"\nfailures = \"100%\"\nretries = 1\nbackoff = \"50ms\"";
    let both = ["quote 270ms upstream_failed", "quote 280ms upstream_failed"];
    assert_eq!(log(2, twice), (both.map(String::from).to_vec(), 40));
    let slow = "latency = \"1s\"\ntimeout = \"100ms\"\nretries = 1\nbackoff = \"50ms\"";
    assert_eq!(log(1, slow), (one("quote 270ms upstream_timeout"), 20));
    let full = "latency = \"1s\"\nmax_connections = 1\npool_timeout = \"200ms\"";
    let one_of_two = ["quote 210ms connection_timeout", "quote 1s"];
    assert_eq!(log(2, full), (one_of_two.map(String::from).to_vec(), 10));
    let good = "latency = \"1s\"\ntimeout = \"2s\"\nretries = 1";
    assert_eq!(log(1, good), (one("quote 1s"), 0), "a good reply has no error");
    // Each concurrency model has its own.
    let sets = ["costs.cpu.failure=\"10ms\"", "costs.cpu.async.failure=\"30ms\""];
    assert_eq!(calls(1, slow, &sets).log(), ["quote 310ms upstream_timeout"]);
    let blocking = [&sets[..], &["service.concurrency=\"blocking\""]].concat();
    assert_eq!(calls(1, slow, &blocking).log(), ["quote 270ms upstream_timeout"]);
}

#[test]
fn a_pause_keeps_the_semaphore_and_gives_the_connection_back() {
    let once = "latency = \"100ms\"\nfailures = \"100%\"\nretries = 1\nbackoff = \"170ms\"";
    let log = |cap: &str| calls(2, &format!("{once}\n{cap} = 1"), &[]).instants();
    assert_eq!(log("max_in_flight"), ["370ms", "740ms"], "one whole call after the other");
    assert_eq!(log("max_connections"), ["370ms", "470ms"], "the second calls in the pause");
}

#[test]
fn each_attempt_draws_anew() {
    // Half of the attempts are too late. If a retry repeated the draw of the first attempt, a
    // call that was late once would be late each time.
    let upstream = "latency = { low = \"0s\", high = \"200ms\" }\ntimeout = \"100ms\"\n\
                    retries = 20\nbackoff = \"0s\"";
    let run = calls(500, upstream, &[]);
    assert_eq!(run.seen.good(), 500);
    // Five standard deviations of a sum of 500 geometric counts of mean 2.
    assert!(run.seen.attempts.abs_diff(1000) < 158, "{} attempts", run.seen.attempts);
    let failing = "latency = \"10ms\"\nfailures = \"50%\"\nretries = 20\nbackoff = \"0s\"";
    let run = calls(500, failing, &[]);
    assert_eq!(run.seen.good(), 500);
    assert!(run.seen.attempts.abs_diff(1000) < 158, "{} attempts", run.seen.attempts);
}

/// The share of 10000 calls that take no longer than `bound`.
fn share_within(latency: &str, bound: Span) -> f64 {
    let run = calls(10_000, &format!("latency = {latency}"), &[]);
    let outcomes = run.outcomes();
    let within = outcomes.iter().filter(|outcome| outcome.response_time() <= bound).count();
    within as f64 / 10_000.0
}

#[test]
fn latencies_follow_their_distribution() {
    let ms = Span::from_millis;
    let lognormal = "{ p50 = \"200ms\", p99 = \"1s\" }";
    let exponential = "{ mean = \"100ms\" }";
    let table = "{ quantiles = { p0 = \"10ms\", p50 = \"50ms\", p90 = \"90ms\", p100 = \"1s\" } }";
    let uniform = "{ low = \"100ms\", high = \"300ms\" }";
    for (latency, bound, share) in [
        (lognormal, ms(200), 0.5),
        (lognormal, ms(1000), 0.99),
        (exponential, ms(100), 1.0 - (-1.0f64).exp()),
        (exponential, ms(300), 1.0 - (-3.0f64).exp()),
        (table, Span::from_micros(9_999), 0.0),
        (table, ms(30), 0.25),
        (table, ms(50), 0.5),
        (table, ms(80), 0.8),
        (table, ms(545), 0.95),
        (table, ms(1000), 1.0),
        (uniform, ms(150), 0.25),
        (uniform, ms(300), 1.0),
    ] {
        let deviation = (share * (1.0 - share) / 10_000.0f64).sqrt();
        let found = share_within(latency, bound);
        let near = (found - share).abs() <= 5.0 * deviation;
        assert!(near, "{latency}: {found} of the calls within {bound}, and not {share}");
    }
}

#[test]
fn a_draw_belongs_to_its_request_and_not_to_the_order_of_draws() {
    // The same users see the same latencies whatever else is drawn, and in any order.
    let upstream = "latency = { p50 = \"200ms\", p99 = \"1s\" }";
    let latencies = |sets: &[&str]| {
        let mut outcomes = calls(50, upstream, sets).outcomes();
        outcomes.sort_by_key(|outcome| outcome.lane);
        outcomes.iter().map(|outcome| outcome.response_time()).collect::<Vec<_>>()
    };
    let plain = latencies(&[]);
    assert_eq!(latencies(&["service.workers=3"]), plain);
    assert_eq!(latencies(&["upstream.partner.failures=\"0.0001%\""]), plain);
    assert_eq!(latencies(&["costs.cpu.request={mean=\"1ns\"}"]).len(), 50);
    let doubled = latencies(&["upstream.partner.latency={p50=\"400ms\",p99=\"2s\"}"]);
    for (slow, fast) in doubled.iter().zip(&plain) {
        let ratio = slow.secs_f64() / fast.secs_f64();
        assert!((ratio - 2.0).abs() < 1e-6, "a slower upstream stretches every call alike");
    }
    assert_ne!(latencies(&["seed=2"]), plain);
}

#[test]
fn the_way_to_an_upstream_and_back_is_part_of_each_attempt() {
    let text = "load = { users = 1, think_time = \"0s\", duration = \"9ms\" }\n\
         service.concurrency = \"async\"\nupstream.partner.latency = \"2ms\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{ call = \"partner\" }]\n";
    let run = crate::stage::run_with(text, &[], &["costs.network.upstream=\"500us\""]);
    assert_eq!(run.instants(), ["2.5ms", "5ms", "7.5ms"]);
    let late = ["costs.network.upstream=\"500us\"", "upstream.partner.timeout=\"2.2ms\""];
    let run = crate::stage::run_with(text, &[], &late);
    assert_eq!(run.seen.good(), 0, "an answer on its way counts as none");
}

#[test]
fn a_busy_client_opens_a_connection_for_each_call_beyond_those_that_it_keeps() {
    let opens = |users: u32, sets: &[&str]| {
        let text = format!(
            "load = {{ users = {users}, duration = \"30s\" }}\nservice.concurrency = \"async\"\n\
             [costs]\n[upstream.partner]\nlatency = \"1s\"\n\
             [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n"
        );
        let run = run_with(&text, &[], sets);
        (run.time_at("cpu") / 1_000_000, u128::from(run.seen.good()))
    };
    let connect = "costs.cpu.connect=\"1ms\"";
    // Each user's first call opens; afterwards there are as many idle ones as calls.
    assert_eq!(opens(2, &[connect]).0, 2);
    assert_eq!(opens(2, &[connect, "costs.client.kept=2"]).0, 2);
    // One of three idle connections is always closed.
    let (cpu, good) = opens(3, &[connect, "costs.client.kept=2"]);
    assert!(cpu + 3 >= good && good > 60, "{cpu} ms for {good} calls");
}

#[test]
fn a_client_looks_at_its_idle_connections_and_may_have_to_choose_again() {
    let used = |load: &str, sets: &[&str]| {
        let text = format!(
            "load = {{ {load} }}\nservice.concurrency = \"async\"\n\
             [costs]\n[upstream.partner]\nlatency = \"1s\"\n\
             [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n"
        );
        run_with(&text, &[], sets).seen.cpu.cores.area() / 1_000_000
    };
    let look = "costs.cpu.look=\"1ms\"";
    // The first calls find no idle connection. The two replies find one and two; the next two
    // calls find two and, as one is taken, one.
    let two = "users = 2, duration = \"1500ms\"";
    assert_eq!(used(two, &[look]), 1 + 2 + 2 + 1);
    // Connections in use: the second of the first two calls finds one, and so do the first reply
    // and the second of the next two calls.
    assert_eq!(used(two, &["costs.cpu.glance=\"1ms\""]), 1 + 1 + 1);
    // A connection that has been idle for six seconds is closed.
    let one = "users = 1, think_time = \"6s\", duration = \"15s\"";
    let connect = "costs.cpu.connect=\"1ms\"";
    assert_eq!(used(one, &[connect]), 1);
    assert_eq!(used(one, &[connect, "costs.client.expiry=7s"]), 1);
    assert_eq!(used(one, &[connect, "costs.client.expiry=5s"]), 3);
}

/// How often calls of one request lose the connection that they chose to another call: `calls`
/// at a time open connections, and then as many choose among the idle ones.
fn misses(calls: usize, locks: u32) -> u128 {
    let all = vec!["{ call = \"partner\" }"; calls].join(", ");
    let all = format!("{{ gather = [{all}] }}");
    let text = format!(
        "load = {{ users = 1, duration = \"1900ms\" }}\nservice.concurrency = \"async\"\n\
         [costs]\n[upstream.partner]\nlatency = \"1s\"\n\
         [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{all}, {all}]\n"
    );
    let locks = format!("costs.client.locks={locks}");
    // A nanosecond for a new connection, so that even without locks there is one to be chosen.
    let costs = ["costs.cpu.miss=\"1ms\"", "costs.cpu.connect=\"1ns\"", &locks];
    run_with(&text, &[], &costs).seen.cpu.cores.area() / 1_000_000
}

#[test]
fn calls_that_choose_the_same_connection_have_its_locks_one_by_one() {
    // If choosing takes no lock, no other call can choose the same connection.
    assert_eq!(misses(5, 0), 0);
    // All five choose A, and the first gets it. The second misses A and gets B one turn later.
    // By then the third has missed A and chosen B: it misses B too. The fourth misses A alone
    // and gets C; third and fifth miss C; the third gets D, and the fifth misses D. If all
    // missed at the same time it would be 4 + 3 + 2 + 1.
    assert_eq!(misses(5, 1), 1 + 3 + 1 + 3);
    // Counted with the locks of anyio 4.16, around no work.
    assert_eq!([2, 3, 10, 20].map(|calls| misses(calls, 1)), [1, 3, 23, 61]);
    assert_eq!([2, 3, 5, 10, 20].map(|calls| misses(calls, 2)), [1, 3, 9, 30, 90]);
}

#[test]
fn an_upstream_works_on_so_many_calls_at_a_time_and_refuses_what_its_queue_has_no_place_for() {
    let some = "latency = \"1s\"\ncapacity = 2";
    assert_eq!(calls(5, some, &[]).instants(), ["1s", "1s", "2s", "2s", "3s"]);
    // All workers call the same upstream.
    let two = calls(5, some, &["service.workers=2"]);
    assert_eq!(two.instants(), ["1s", "1s", "2s", "2s", "3s"]);
    assert_eq!(two.seen.upstreams[0].servers.peak(), 2);
    assert_eq!(two.time_at("upstream partner"), (2 + 4 + 3) * 1_000_000_000);
    let few = calls(5, &format!("{some}\nqueue = 1"), &[]);
    let refused = "quote 0s upstream_refused";
    assert_eq!(few.log(), [refused, refused, "quote 1s", "quote 1s", "quote 2s"]);
    let far = calls(5, &format!("{some}\nqueue = 1"), &["costs.network.upstream=\"10ms\""]);
    let refused = "quote 10ms upstream_refused";
    assert_eq!(far.log(), [refused, refused, "quote 1.01s", "quote 1.01s", "quote 2.01s"]);
}

#[test]
fn a_call_that_is_given_up_is_worked_on_to_its_end() {
    // The second call waits for 1.5 s and is given up; it is done at 4 s, when the third may begin.
    let once = "latency = \"2s\"\ncapacity = 1\ntimeout = \"2s\"\nretries = 1\nbackoff = \"0s\"";
    let run = calls(2, once, &[]);
    assert_eq!(run.log(), ["quote 2s", "quote 4s upstream_timeout"]);
    assert_eq!(run.seen.attempts, 3);
    // Given more time, the retry stands behind the call that was given up.
    let run = calls(2, once, &["upstream.partner.timeout=2.5s"]);
    assert_eq!(run.log(), ["quote 2s", "quote 5s upstream_timeout"]);
    let run = calls(2, once, &["upstream.partner.timeout=3s", "upstream.partner.latency=1.9s"]);
    assert_eq!(run.log(), ["quote 1.9s", "quote 5.7s"]);
}

#[test]
fn a_refused_call_is_repeated_no_sooner_than_the_upstream_asks() {
    let upstream = "latency = \"1s\"\ncapacity = 1\nqueue = 0\nretries = 1\nbackoff = \"100ms\"";
    assert_eq!(calls(2, upstream, &[]).log(), ["quote 100ms upstream_refused", "quote 1s"]);
    let asked = format!("{upstream}\nretry_after = \"2s\"");
    assert_eq!(calls(2, &asked, &[]).log(), ["quote 1s", "quote 3s"]);
    let longer = calls(2, &asked, &["upstream.partner.backoff=4s"]);
    assert_eq!(longer.log(), ["quote 1s", "quote 5s"], "the pause of the client is longer");
    // A failure of another kind does not ask for anything.
    let failing = calls(1, &asked, &["upstream.partner.failures=100%"]);
    assert_eq!(failing.log(), ["quote 2.1s upstream_failed"]);
}

/// What a client does unless it is told otherwise, seen from six calls at once or one.
#[test]
fn a_client_brings_its_own_limits_and_timeouts() {
    let log = |users: u32, client: &str, more: &str, sets: &[&str]| {
        calls(users, &format!("client = \"{client}\"\n{more}"), sets).log()
    };
    let blocking = ["service.concurrency=\"threadpool\"", "service.threads=300"];
    // httpx waits 5 s for a reply that comes in one piece, and 5 s for one of 100 connections.
    assert_eq!(log(1, "httpx", "latency = \"6s\"", &[]), ["quote 5s upstream_timeout"]);
    let many = log(101, "httpx", "latency = \"6s\"\ntimeout = \"never\"", &[]);
    assert_eq!(many[0], "quote 5s connection_timeout");
    assert_eq!(many.iter().filter(|line| *line == "quote 6s").count(), 100);
    // aiohttp's 300 s are for the whole call, the wait for a connection included.
    let slow = log(101, "aiohttp", "latency = \"200s\"", &["load.duration=1000s"]);
    assert_eq!(slow.iter().filter(|line| *line == "quote 200s").count(), 100);
    assert_eq!(slow[100], "quote 300s upstream_timeout");
    // The others wait for ever, on as many connections as they like.
    assert_eq!(log(250, "reqwest", "latency = \"20s\"", &[]), vec!["quote 20s"; 250]);
    assert_eq!(log(250, "requests", "latency = \"20s\"", &blocking), vec!["quote 20s"; 250]);
    assert_eq!(log(250, "none", "latency = \"20s\"", &[]), vec!["quote 20s"; 250]);
    // What is written holds.
    let written = "latency = \"6s\"\ntimeout = \"8s\"\nmax_connections = \"none\"";
    assert_eq!(log(101, "httpx", written, &[]), vec!["quote 6s"; 101]);
}

/// Connections that bursts of calls open, of each client, in milliseconds of CPU.
#[test]
fn clients_differ_in_the_connections_that_they_keep() {
    let opened = |client: &str, think: &str| {
        let of = if client == "requests" { "threadpool" } else { "async" };
        let text = format!(
            "load = {{ users = 30, think_time = \"{think}\", duration = \"60s\" }}\n\
             service = {{ concurrency = \"{of}\", workers = 1 }}\n[costs]\n\
             [upstream.partner]\nlatency = \"1s\"\nclient = \"{client}\"\n\
             [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n"
        );
        let run = run_with(&text, &[], &["costs.cpu.connect=\"1us\""]);
        let opened = run.time_at("cpu") / 1_000;
        (opened as f64 / run.seen.attempts as f64 * 10.0).round()
    };
    // Thirty calls at once, again and again: of requests' connections ten are kept, of httpx' twenty.
    assert_eq!(opened("requests", "1s"), 7.0);
    assert_eq!(opened("reqwest", "1s"), 0.0);
    // httpx closes one for each that falls idle beyond twenty, in use and idle.
    assert!((3.0..=4.0).contains(&opened("httpx", "1s")), "{}", opened("httpx", "1s"));
    // After six seconds those of httpx are too old, and those of the others are not.
    assert_eq!(opened("httpx", "6s"), 10.0);
    assert_eq!([opened("aiohttp", "6s"), opened("aiohttp", "16s")], [1.0, 10.0]);
}

/// Choices and misses for each call of `users`, and the length of the queue that the client goes
/// through each time, as far as CPU for each glance tells.
fn looks(users: u32, connections: &str) -> [f64; 2] {
    let text = format!(
        "load = {{ users = {users}, preconnect = true, warmup = \"1s\", duration = \"2s\" }}\n\
         service.concurrency = \"async\"\n[costs]\n[costs.client]\nkept = 20\nlocks = 2\n\
         [upstream.partner]\nlatency = \"2ms\"\nmax_connections = {connections}\n\
         [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n"
    );
    let costs = [
        "costs.cpu.call=\"720us\"",
        "costs.cpu.miss=\"95us\"",
        "costs.cpu.connect=\"500us\"",
        "costs.cpu.look=\"3us\"",
        "costs.cpu.glance=\"0.3us\"",
    ];
    let run = run_with(&text, &[], &costs);
    let count = |wanted: fn(&UpstreamOp) -> bool| {
        run.executed(|op| matches!(op, Op::Upstream(op) if wanted(op))).len() as f64
    };
    let calls = count(|op| matches!(op, UpstreamOp::Exchange { .. }));
    let choices = count(|op| matches!(op, UpstreamOp::Choose { .. }));
    [choices / calls, calls / 3.0]
}

/// Counted in httpcore 1.0.9, by a script around `_assign_requests_to_connections`: with 200 tasks at
/// 20 connections a call goes through the queue 7.0 times, once as it ends, and finds 0.9 calls in it,
/// as all others stand at the locks of connections that they were given; at 100 connections it does
/// so twice, as each connection that falls idle is closed and a new one goes to one call alone.
#[test]
fn a_connection_that_falls_idle_is_given_to_all_that_wait_and_costs_them_a_miss() {
    let ([herd, few], [line, many]) = (looks(200, "20"), looks(200, "100"));
    assert!((4.0..9.0).contains(&herd), "{herd} choices per call, counted 6.0");
    // Calls that are under way have chosen and not called.
    assert!((1.0..1.5).contains(&line), "{line} choices per call, counted 1.0");
    assert!(few > 1.5 * many, "{few} and {many} calls a second");
    let [free, _] = looks(50, "100");
    assert!((3.0..7.0).contains(&free), "{free} choices per call, counted 4.7");
}

#[test]
fn handlers_that_block_and_those_that_await_have_a_client_of_httpx_each() {
    let peak = |locks: u32| {
        let text = format!(
            "{}[service]\nconcurrency = \"async\"\n[costs]\n[costs.client]\nlocks = {locks}\n\
             [upstream.partner]\nlatency = \"1s\"\nmax_connections = 1\npool_timeout = \"never\"\n\
             [[endpoint]]\nname = \"quote\"\nweight = 1\nsteps = [{{ call = \"partner\" }}]\n\
             [[endpoint]]\nname = \"sheet\"\nweight = 1\nconcurrency = \"threadpool\"\n\
             steps = [{{ call = \"partner\" }}]\n",
            burst(20)
        );
        run_with(&text, &[], &[]).seen.upstreams[0].connections.peak()
    };
    assert_eq!(peak(2), 2, "as `httpx.Client` beside `httpx.AsyncClient`");
    assert_eq!(peak(0), 1, "without httpx's queue all calls share the connections");
}
