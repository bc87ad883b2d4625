//! Locks of the application: the order of waiting, patience, and cycles of waits.

use model::units::Span;
use sim::engine::Record;
use sim::observe::{ErrorKind, Limit};

use crate::stage::{Run, burst, run, run_in_order};

/// Endpoints on a service with these keys.
fn service(users: u32, keys: &str, endpoints: &str) -> String {
    format!(
        "{}[service]\n{keys}\n[costs]\ninterpreter.lock = false\nquery.r.engine = \"1ms\"\n{endpoints}",
        burst(users)
    )
}

fn endpoint(name: &str, steps: &str) -> String {
    format!("[[endpoint]]\nname = \"{name}\"\nweight = 1\nsteps = [{steps}]\n")
}

/// A second under the lock `a`, and nothing else.
const SECOND: &str = "{ lock = \"a\", steps = [{ sleep = \"1s\" }] }";

fn instants(users: u32, keys: &str) -> Vec<String> {
    run(&service(users, keys, &endpoint("use", SECOND))).instants()
}

#[test]
fn holders_are_served_in_the_order_in_which_they_asked() {
    assert_eq!(instants(4, "concurrency = \"async\"\n[lock.a]"), ["1s", "2s", "3s", "4s"]);
    let two = "concurrency = \"async\"\n[lock.a]\nholders = 2";
    assert_eq!(instants(4, two), ["1s", "1s", "2s", "2s"]);
    let run = run(&service(4, two, &endpoint("use", SECOND)));
    assert!(run.seen.reached.contains(&Limit::Lock(0)));
    assert_eq!(run.places(), [("sleep".into(), 4_000_000_000), ("lock a".into(), 2_000_000_000)]);
}

#[test]
fn each_worker_has_its_own_unless_it_is_of_the_service() {
    let workers = "concurrency = \"async\"\nworkers = 2\nspread = \"round-robin\"\n[lock.a]\n";
    assert_eq!(instants(4, workers), ["1s", "1s", "2s", "2s"]);
    let shared = format!("{workers}scope = \"service\"");
    assert_eq!(instants(4, &shared), ["1s", "2s", "3s", "4s"]);
}

/// An async handler parks, one on a thread keeps its thread: others find none.
#[test]
fn a_thread_waits_with_its_request() {
    let other = endpoint("other", "{ sleep = \"1ms\" }");
    let third = |concurrency: &str| {
        let keys = format!("concurrency = \"{concurrency}\"\nthreads = 2\n[lock.a]");
        let text = service(3, &keys, &format!("{}{other}", endpoint("use", SECOND)));
        run_in_order(&text, &["use", "use", "other"]).log()[0].clone()
    };
    assert_eq!(third("async"), "other 1ms");
    assert_eq!(third("threadpool"), "use 1s", "no thread was free");
}

#[test]
fn patience_ends_in_an_error_of_its_own() {
    for concurrency in ["async", "threadpool"] {
        let keys = format!("concurrency = \"{concurrency}\"\n[lock.a]\ntimeout = \"1500ms\"");
        let run = run(&service(3, &keys, &endpoint("use", SECOND)));
        assert_eq!(run.log(), ["use 1s", "use 1.5s lock_timeout", "use 2s"], "{concurrency}");
        assert!(run.seen.reached.contains(&Limit::LockTimeout(0)));
    }
}

/// A step that fails under a lock gives it back.
#[test]
fn a_failure_gives_the_lock_back() {
    let steps = "{ lock = \"a\", steps = [{ call = \"partner\" }, { sleep = \"1s\" }] }";
    let keys = "concurrency = \"async\"\n[lock.a]\n\
                [upstream.partner]\nlatency = \"1s\"\ntimeout = \"10ms\"";
    let run = run(&service(3, keys, &endpoint("use", steps)));
    let each = ["10ms", "20ms", "30ms"].map(|at| format!("use {at} upstream_timeout"));
    assert_eq!(run.log(), each);
}

/// A blocking handler waits with its loop; the thread that holds the lock needs none to give it back.
#[test]
fn a_loop_waits_for_a_lock_that_a_thread_holds() {
    let text = service(
        2,
        "concurrency = \"threadpool\"\n[lock.a]",
        &format!(
            "{}{}concurrency = \"blocking\"\n",
            endpoint("threaded", SECOND),
            endpoint("blocking", SECOND),
        ),
    );
    let run = run_in_order(&text, &["threaded", "blocking"]);
    // The loop is stopped meanwhile: the first reply waits for it, too.
    assert_eq!(run.log(), ["blocking 2s", "threaded 2s"]);
}

fn standstills(run: &Run) -> usize {
    run.records().filter(|record| matches!(record, Record::StandstillBegins { .. })).count()
}

fn both(first: &str, second: &str) -> String {
    format!(
        "{{ lock = \"{first}\", steps = [{{ sleep = \"10ms\" }}, {{ lock = \"{second}\", steps = [{{ sleep = \"10ms\" }}] }}] }}"
    )
}

fn in_opposite_order(concurrency: &str, timeout: &str) -> Run {
    let keys = format!("concurrency = \"{concurrency}\"\n[lock.a]\n{timeout}\n[lock.b]");
    let endpoints =
        format!("{}{}", endpoint("ab", &both("a", "b")), endpoint("ba", &both("b", "a")));
    run_in_order(&service(2, &keys, &endpoints), &["ab", "ba"])
}

/// The textbook's deadlock: two locks, taken in opposite order.
#[test]
fn two_locks_in_opposite_order_stand_still() {
    for concurrency in ["async", "threadpool"] {
        let run = in_opposite_order(concurrency, "");
        assert_eq!((run.seen.good(), standstills(&run)), (0, 1), "{concurrency}");
        let seen = &run.seen.standstill;
        assert_eq!((seen.count, seen.endless, &seen.locks[..]), (1, 1, &[0, 1][..]));
        assert_eq!(seen.longest, Span::from_secs(60) - Span::from_millis(10));
        // With patience one of them fails, and the other goes on.
        let run = in_opposite_order(concurrency, "timeout = \"1s\"");
        assert_eq!(run.log(), ["ba 1.01s lock_timeout", "ab 1.02s"], "{concurrency}");
        assert_eq!(run.seen.standstill.longest, Span::from_secs(1));
    }
}

#[test]
fn in_one_order_nothing_stands_still() {
    let endpoints =
        format!("{}{}", endpoint("one", &both("a", "b")), endpoint("two", &both("a", "b")));
    let run = run(&service(9, "concurrency = \"async\"\n[lock.a]\n[lock.b]", &endpoints));
    assert_eq!((run.seen.good(), run.seen.standstill.count), (9, 0));
}

/// Two processes with two locks that they share.
#[test]
fn workers_stand_still_over_locks_of_the_service() {
    let keys = "concurrency = \"async\"\nworkers = 2\nspread = \"round-robin\"\n\
                [lock.a]\nscope = \"service\"\n[lock.b]\nscope = \"service\"";
    let endpoints =
        format!("{}{}", endpoint("ab", &both("a", "b")), endpoint("ba", &both("b", "a")));
    let run = run_in_order(&service(2, keys, &endpoints), &["ab", "ba"]);
    assert_eq!((run.seen.good(), run.seen.standstill.count), (0, 1));
}

/// The holder of the lock waits for a connection, and those that wait for the lock hold all of them.
#[test]
fn a_lock_and_connections_stand_still() {
    let stuck = |size: u32| {
        let keys = format!(
            "concurrency = \"async\"\n[lock.a]\n[database]\nhold = \"handler\"\n\
             connections = {{ kind = \"pool\", size = {size}, overflow = 0, timeout = \"5s\" }}"
        );
        let endpoints =
            endpoint("first", "{ lock = \"a\", steps = [{ sleep = \"10ms\" }, { read = \"r\" }] }")
                + &endpoint(
                    "then",
                    "{ read = \"r\" }, { lock = \"a\", steps = [{ sleep = \"1ms\" }] }",
                );
        run_in_order(&service(3, &keys, &endpoints), &["first", "then", "then"])
    };
    let run = stuck(2);
    assert_eq!(run.seen.standstill.locks, [0]);
    assert_eq!((run.errors(ErrorKind::PoolTimeout), run.seen.good()), (1, 2));
    assert_eq!(run.seen.standstill.longest, Span::from_secs(5));
    assert_eq!(stuck(3).seen.standstill.count, 0);
}

/// gunicorn kills a worker whose loop is blocked; a lock that all workers share is free then.
#[test]
fn a_worker_that_is_killed_holds_no_lock() {
    let keys = "concurrency = \"async\"\nserver = \"gunicorn\"\nworker_timeout = \"2s\"\n\
                workers = 2\nspread = \"round-robin\"\n[lock.a]\nscope = \"service\"";
    let stuck = "{ lock = \"a\", steps = [{ block = \"50s\" }] }";
    let endpoints = format!("{}{}", endpoint("stuck", stuck), endpoint("use", SECOND));
    let run = run_in_order(&service(2, keys, &endpoints), &["stuck", "use"]);
    assert_eq!((run.errors(ErrorKind::WorkerKilled), run.seen.good()), (1, 1), "{:?}", run.log());
}
