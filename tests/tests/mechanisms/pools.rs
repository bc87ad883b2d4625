//! Pools of database connections, and a database server behind one.

use sim::observe::ErrorKind;
use sim::plan::{DatabaseOp, Op};

use crate::stage::{Run, burst, run_in_order, run_with};

const SETTING: &str = r#"
    [cpu]
    cores = 16
    [service]
    concurrency = "async"
    [database]
    connections = { kind = "pool", size = 2, overflow = 1, timeout = "2s" }
    [upstream.partner]
    latency = "1s"
    [costs]
    query.ten.engine = "10ms"
    query.endless.engine = "10s"
"#;

/// `users` requests at once, all of these steps.
fn at_once(users: u32, steps: &str, sets: &[&str]) -> Run {
    let endpoint = format!("[[endpoint]]\nname = \"use\"\nweight = 1\nsteps = [{steps}]\n");
    run_with(&format!("{}{SETTING}{endpoint}", burst(users)), &[], sets)
}

const READ: &str = "{ read = \"ten\" }";

#[test]
fn a_pool_serves_its_size_and_overflow_and_then_makes_wait() {
    for concurrency in ["async", "threadpool"] {
        let run = at_once(7, READ, &[&format!("service.concurrency={concurrency}")]);
        let instants = ["10ms", "10ms", "10ms", "20ms", "20ms", "20ms", "30ms"];
        assert_eq!(run.instants(), instants, "{concurrency}");
        assert_eq!(run.seen.database.connections.peak(), 3);
        let order: Vec<u64> = run.outcomes().iter().map(|outcome| outcome.lane).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6], "first come, first served");
        assert_eq!(run.time_at("database pool"), (3 * 10 + 20) * 1_000_000);
    }
    let wide = at_once(7, READ, &["database.connections={kind=\"per-operation\"}"]);
    assert_eq!(wide.instants(), ["10ms"; 7], "without a pool there is no wait");
}

#[test]
fn each_worker_has_a_pool_of_its_own() {
    let run = at_once(6, READ, &["service.workers=2", "service.spread=round-robin"]);
    assert_eq!(run.instants(), ["10ms"; 6]);
}

#[test]
fn a_long_wait_for_a_connection_is_an_error() {
    let text = format!(
        "{}{SETTING}{}",
        burst(5),
        r#"
        [[endpoint]]
        name = "endless"
        weight = 1
        steps = [{ read = "endless" }]
        [[endpoint]]
        name = "late"
        weight = 1
        steps = [{ sleep = "300ms" }, { read = "ten" }]
        "#
    );
    let order = ["endless", "endless", "endless", "late", "late"];
    let run = run_in_order(&text, &order);
    assert_eq!(run.log()[..2], ["late 2.3s pool_timeout", "late 2.3s pool_timeout"]);
    assert_eq!(run.errors(ErrorKind::PoolTimeout), 2);
    let run = run_with(&text, &order, &["database.connections.timeout=never"]);
    assert_eq!(run.log()[3..], ["late 10.01s", "late 10.01s"]);
}

#[test]
fn a_connection_held_for_the_request_starves_others_behind_a_slow_upstream() {
    let steps = "{ read = \"ten\" }, { call = \"partner\" }";
    let run = at_once(4, steps, &["database.hold=request"]);
    assert_eq!(run.instants(), ["1.01s", "1.01s", "1.01s", "2.02s"]);
    assert_eq!(run.time_at("database pool"), 1_010_000_000);
    let run = at_once(4, steps, &["database.hold=operation"]);
    assert_eq!(run.instants(), ["1.01s", "1.01s", "1.01s", "1.02s"]);
    // Three are served each 1.01 s; those still in line after 2 s get an error.
    let run = at_once(12, steps, &["database.hold=request"]);
    assert_eq!((run.seen.good(), run.errors(ErrorKind::PoolTimeout)), (6, 6));
}

#[test]
fn a_call_before_the_first_statement_holds_no_connection() {
    let steps = "{ call = \"partner\" }, { read = \"ten\" }";
    let run = at_once(4, steps, &["database.hold=request"]);
    assert_eq!(run.instants(), ["1.01s", "1.01s", "1.01s", "1.02s"]);
}

#[test]
fn a_connection_beyond_the_size_is_closed_when_it_comes_back() {
    let text = |size: u32| {
        format!(
            "[load]\nusers = 2\nthink_time = \"90ms\"\nduration = \"350ms\"\n{SETTING}\
             [[endpoint]]\nname = \"use\"\nweight = 1\nsteps = [{READ}]\n"
        )
        .replace("size = 2", &format!("size = {size}"))
    };
    let count = |run: &Run, wanted: fn(&Op) -> bool| run.executed(wanted).len();
    // Four times two at once.
    let tight = run_with(&text(1), &[], &[]);
    assert_eq!(tight.instants().len(), 8);
    assert_eq!(count(&tight, |op| matches!(op, Op::Database(DatabaseOp::Opened))), 1 + 4);
    assert_eq!(count(&tight, |op| matches!(op, Op::Database(DatabaseOp::Closed))), 4);
    let roomy = run_with(&text(2), &[], &[]);
    assert_eq!(count(&roomy, |op| matches!(op, Op::Database(DatabaseOp::Opened))), 2);
    assert_eq!(count(&roomy, |op| matches!(op, Op::Database(DatabaseOp::Closed))), 0);
}

#[test]
fn the_pool_keeps_what_comes_back_as_long_as_it_has_fewer_idle_than_its_size() {
    // SQLAlchemy puts a connection that comes back into its queue, and closes it only if
    // the queue is full. Beside one long reader a row of short ones thus shares a single
    // connection, though two are open and the size is one.
    let text = format!(
        "{}{SETTING}{}",
        burst(2),
        r#"
        [[endpoint]]
        name = "endless"
        weight = 1
        steps = [{ read = "endless" }]
        [[endpoint]]
        name = "short"
        weight = 1
        steps = [{ read = "ten" }, { read = "ten" }, { read = "ten" }]
        "#
    )
    .replace("size = 2", "size = 1");
    let run = run_in_order(&text, &["endless", "short"]);
    assert_eq!(run.log(), ["short 30ms", "endless 10s"]);
    assert_eq!(run.executed(|op| matches!(op, Op::Database(DatabaseOp::Opened))).len(), 2);
}

#[test]
fn a_driver_that_is_not_awaited_deadlocks_with_its_own_pool() {
    // The first holds the only connection and awaits its call. The second waits for the
    // connection on the loop, so that the first cannot go on before that wait times out.
    let sets = [
        "database.driver=sync",
        "database.hold=request",
        "database.connections.size=1",
        "database.connections.overflow=0",
    ];
    let run = at_once(2, "{ read = \"ten\" }, { call = \"partner\" }", &sets);
    // The engine computes on the loop, so the second asks at 10 ms.
    assert_eq!(run.log(), ["use 2.01s pool_timeout", "use 2.01s"]);
    let awaited = ["database.driver=async", sets[1], sets[2], sets[3]];
    let run = at_once(2, "{ read = \"ten\" }, { call = \"partner\" }", &awaited);
    assert_eq!(run.log(), ["use 1.01s", "use 2.02s"]);
}

#[test]
fn requests_that_wait_for_a_connection_keep_their_threads() {
    // The shape of FastAPI's collapse: forty threads, fifteen connections. Those that wait
    // for a connection hold threads that a request without any need of one waits for.
    let text = format!(
        "{}{SETTING}{}",
        burst(41),
        r#"
        [[endpoint]]
        name = "use"
        weight = 1000
        steps = [{ read = "ten" }, { call = "partner" }]
        [[endpoint]]
        name = "ping"
        weight = 25
        "#
    )
    .replace(", size = 2, overflow = 1, timeout = \"2s\"", "");
    let mut order = vec!["use"; 40];
    order.push("ping");
    let sets = ["service.concurrency=threadpool", "database.hold=request"];
    let run = run_with(&text, &order, &sets);
    assert_eq!(run.seen.database.connections.peak(), 15, "five and ten more unless told otherwise");
    let log = run.log();
    let ping = log.iter().find(|line| line.starts_with("ping")).unwrap();
    assert_eq!(ping, "ping 1.01s", "a thread is free when the first call returns");
    assert_eq!(log.iter().filter(|line| *line == "use 1.01s").count(), 15);
    assert_eq!(log.iter().filter(|line| *line == "use 2.02s").count(), 15);
    assert_eq!(log.iter().filter(|line| *line == "use 3.03s").count(), 10);
    let log = run_with(&text, &order, &sets[1..]).log();
    assert_eq!(log[0], "ping 0s", "async parks those that wait");
}

/// `users` requests at once against a database server: 10 ms per statement, 2 ms of travel.
fn server(users: u32, step: &str, sets: &[&str]) -> Run {
    let text = format!(
        "{}{}[[endpoint]]\nname = \"use\"\nweight = 1\nsteps = [{step}]\n",
        burst(users),
        r#"
        [cpu]
        slice = "1h"
        [service]
        concurrency = "async"
        [database]
        engine = "postgres"
        cores = 1
        round_trip = "2ms"
        connections = { kind = "pool", size = 10 }
        [costs]
        disk.sync = "3ms"
        query.ten.engine = "10ms"
        "#
    );
    run_with(&text, &[], sets)
}

#[test]
fn statements_travel_and_queue_for_the_cores_of_the_database_server() {
    let run = server(3, READ, &[]);
    assert_eq!(run.instants(), ["12ms", "22ms", "32ms"], "one way, the queue, the way back");
    assert_eq!(run.time_at("database server"), (12 + 22 + 32) * 1_000_000);
    assert_eq!(run.seen.cpu.cores.area(), 0, "the worker's processors have no part in it");
    assert_eq!(server(3, READ, &["database.cores=2"]).instants(), ["12ms", "12ms", "22ms"]);
    assert_eq!(server(3, READ, &["cpu.speed=10"]).instants(), ["12ms", "22ms", "32ms"]);
    let narrow = ["database.connections.size=1", "database.connections.overflow=0"];
    assert_eq!(server(3, READ, &narrow).instants(), ["12ms", "24ms", "36ms"]);
}

#[test]
fn a_commit_is_a_trip_of_its_own_to_the_database_server() {
    assert_eq!(server(1, "{ write = \"ten\" }", &[]).instants(), ["17ms"], "12 ms and 5 ms");
    let transaction = "{ transaction = [{ read = \"ten\" }, { write = \"ten\" }] }";
    assert_eq!(server(1, transaction, &[]).instants(), ["29ms"]);
    assert_eq!(server(1, "{ read = \"ten\" }, { read = \"ten\" }", &[]).instants(), ["24ms"]);
}

#[test]
fn an_awaited_database_server_leaves_the_loop_to_others() {
    let step = "{ read = \"ten\" }, { cpu = \"1ms\" }";
    // Replies come at 12, 22 and 32 ms.
    assert_eq!(server(3, step, &[]).instants(), ["13ms", "23ms", "33ms"]);
    let blocked = server(3, step, &["database.driver=sync"]).instants();
    assert_eq!(blocked, ["13ms", "26ms", "39ms"]);
}

#[test]
fn a_pool_may_serve_new_requests_before_waiting_ones() {
    let text = format!(
        "{}[cpu]\ncores = 2\n[service]\nconcurrency = \"async\"\n[database]\n\
         connections = {{ kind = \"pool\", size = 1, overflow = 0 }}\n\
         [costs]\nquery.item.engine = \"10ms\"\n\
         [[endpoint]]\nname = \"twice\"\nweight = 1\n\
         steps = [{{ read = \"item\" }}, {{ read = \"item\" }}]\n\
         [[endpoint]]\nname = \"once\"\nweight = 1\nsteps = [{{ read = \"item\" }}]\n",
        burst(2)
    );
    let log = |sets: &[&str]| run_with(&text, &["twice", "once"], sets).log();
    assert_eq!(log(&[]), ["once 20ms", "twice 30ms"], "in the order in which they asked");
    // The request that returns the connection asks again before the waiting one is woken.
    let overtaking = ["costs.driver.overtaking=true"];
    assert_eq!(log(&overtaking), ["twice 20ms", "once 30ms"]);
}
