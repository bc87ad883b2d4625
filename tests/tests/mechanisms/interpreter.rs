//! The interpreter lock: one thread of a process at a time.

use crate::stage::{burst, run_in_order, run_with};

/// Two requests of 19 ms of work each, on two cores.
fn two_requests(step: &str, sets: &[&str]) -> crate::stage::Run {
    let text = format!(
        "{}{}\n[[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{step}]\n",
        burst(2),
        r#"
        [cpu]
        cores = 2
        [service]
        concurrency = "threadpool"
        spread = "round-robin"
        [database]
        connections = { kind = "pool" }
        [costs.query.slow]
        engine = "19ms"
        "#
    );
    run_with(&text, &[], sets)
}

/// A pool thread that does `step`, beside one that computes without end.
fn beside_a_spinner(step: &str, sets: &[&str]) -> Vec<String> {
    let text = format!(
        "{}[service]\nconcurrency = \"threadpool\"\n\
         [database]\nconnections = {{ kind = \"pool\" }}\n\
         [costs.query.short]\nengine = \"1ms\"\n\
         [[endpoint]]\nname = \"victim\"\nweight = 1\nsteps = [{step}]\n\
         [[endpoint]]\nname = \"spinner\"\nweight = 1\nsteps = [{{ cpu = \"100ms\" }}]\n",
        burst(2)
    );
    run_with(&text, &["victim", "spinner"], sets).log()
}

#[test]
fn computing_threads_of_one_process_share_one_core() {
    let run = two_requests("{ cpu = \"19ms\" }", &[]);
    // The lock changes hands each 5 ms: the first has 0-5, 10-15, 20-25 and 30-34 ms.
    assert_eq!(run.instants(), ["34ms", "38ms"]);
    assert_eq!(run.seen.cpu.cores.area(), 38_000_000, "two cores, one in use");
    assert_eq!(run.seen.cpu.cores.peak(), 2, "the threads that wait for the lock came to ask");
    assert_eq!(run.seen.interpreter.held.area(), 38_000_000);
}

#[test]
fn computing_processes_use_a_core_each() {
    let run = two_requests("{ cpu = \"19ms\" }", &["service.workers=2"]);
    assert_eq!(run.instants(), ["19ms", "19ms"]);
}

#[test]
fn without_the_lock_threads_use_a_core_each() {
    let run = two_requests("{ cpu = \"19ms\" }", &["costs.interpreter.lock=false"]);
    assert_eq!(run.instants(), ["19ms", "19ms"]);
}

#[test]
fn the_database_engine_computes_without_the_lock() {
    let run = two_requests("{ read = \"slow\" }", &[]);
    assert_eq!(run.instants(), ["19ms", "19ms"]);
    assert_eq!(run.time_at("interpreter lock"), 0);
}

#[test]
fn a_short_sleep_beside_a_spinning_thread_takes_a_switch_interval_longer() {
    let alone = run_in_order(
        r#"
        costs = {}
        load = { users = 1, think_time = "1h", duration = "1s" }
        service.concurrency = "threadpool"
        endpoint = [{ name = "victim", weight = 1, steps = [{ sleep = "1ms" }] }]
        "#,
        &["victim"],
    );
    assert_eq!(alone.log(), ["victim 1ms"]);
    let sleep = "{ sleep = \"1ms\" }";
    let beside = beside_a_spinner(sleep, &[]);
    assert_eq!(beside, ["victim 6ms", "spinner 100ms"], "it asks for the lock after 5 ms");
    let interval = ["costs.interpreter.switch_interval=\"2ms\""];
    assert_eq!(beside_a_spinner(sleep, &interval)[0], "victim 3ms");
}

#[test]
fn a_thread_back_from_the_engine_queues_for_the_lock_again() {
    let beside = beside_a_spinner("{ read = \"short\" }", &["cpu.cores=2"]);
    assert_eq!(beside, ["victim 6ms", "spinner 100ms"], "1 ms in the engine, 5 ms for the lock");
    let free = ["cpu.cores=2", "costs.interpreter.lock=false"];
    assert_eq!(beside_a_spinner("{ read = \"short\" }", &free)[0], "victim 1ms");
}

#[test]
fn the_loop_needs_the_lock_too() {
    // The ping needs no thread, but the loop that serves it waits for the spinner.
    let text = format!(
        "{}[cpu]\ncores = 2\n[service]\nconcurrency = \"threadpool\"\n[costs]\n\
         [[endpoint]]\nname = \"spinner\"\nweight = 1\nsteps = [{{ cpu = \"100ms\" }}]\n\
         [[endpoint]]\nname = \"ping\"\nweight = 1\nconcurrency = \"async\"\n",
        burst(2)
    );
    let run = run_in_order(&text, &["spinner", "ping"]);
    assert_eq!(run.log(), ["ping 5ms", "spinner 100ms"]);
}
