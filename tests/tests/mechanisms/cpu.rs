//! The processors: slices, switches, cores, speed, quota.

use crate::stage::{burst, run_with};

/// Two processes with three milliseconds of work each.
fn two_processes(sets: &[&str]) -> Vec<String> {
    let text = format!(
        "{}{}",
        burst(2),
        r#"
        [cpu]
        slice = "1ms"
        [service]
        concurrency = "async"
        workers = 2
        spread = "round-robin"
        [costs.machine]
        context_switch = "0s"
        [[endpoint]]
        name = "work"
        weight = 1
        steps = [{ cpu = "3ms" }]
        "#
    );
    run_with(&text, &[], sets).instants()
}

/// One request after the other, with a pause of 10 ms, of one process.
fn one_process(sets: &[&str]) -> Vec<String> {
    let text = r#"
        load = { users = 1, think_time = "10ms", duration = "40ms" }
        service.concurrency = "async"
        costs.machine.context_switch = "100us"
        endpoint = [{ name = "work", weight = 1, steps = [{ cpu = "1ms" }, { sleep = "2ms" }] }]
    "#;
    run_with(text, &[], sets).instants()
}

/// A long computation of one process.
fn long_work(work: &str, sets: &[&str]) -> Vec<String> {
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{{ cpu = \"{work}\" }}]\n",
        burst(1)
    );
    run_with(&text, &[], sets).instants()
}

#[test]
fn threads_of_all_processes_take_turns_of_a_slice() {
    assert_eq!(two_processes(&[]), ["5ms", "6ms"], "turns of 1 ms: a b a b a b");
    let long = two_processes(&["cpu.slice=\"2ms\""]);
    assert_eq!(long, ["5ms", "6ms"], "turns of 2 ms: aa bb a b");
    let longer = two_processes(&["cpu.slice=\"10ms\""]);
    assert_eq!(longer, ["3ms", "6ms"], "a slice longer than the work: one after the other");
}

#[test]
fn a_slice_ends_with_a_tick_that_comes_at_any_time() {
    // The first process is done after its 3 ms, and the other follows; or a tick comes between
    // 1 and 3 ms, and the other is done 3 ms later, before the next tick.
    let first = |seed: u64| {
        let instants = two_processes(&["cpu.tick=4ms", &format!("seed={seed}")]);
        assert_eq!(instants[1], "6ms");
        instants[0].clone()
    };
    let all: Vec<String> = (1..=60).map(first).collect();
    let undisturbed = all.iter().filter(|instant| *instant == "3ms").count();
    // Half of them in the mean, with a standard deviation of 3.9.
    assert!((15..=45).contains(&undisturbed), "{all:?}");
    let others: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(others.len(), 60 - undisturbed + 1, "no two draws have the same tick");
}

#[test]
fn each_change_of_threads_costs_a_switch() {
    // The switch comes before the slice: three turns of 0.1 and 1 ms each, six switches.
    let costs = ["costs.machine.context_switch=\"100us\""];
    assert_eq!(two_processes(&costs), ["5.5ms", "6.6ms"]);
}

#[test]
fn each_change_of_processes_costs_more() {
    let cost = "costs.machine.process_switch=100us";
    assert_eq!(two_processes(&[cost]), ["5.4ms", "6.5ms"], "five changes: a b a b a b");
    assert_eq!(two_processes(&[cost, "cpu.slice=10ms"]), ["3ms", "6.1ms"], "one change");
    let fast = two_processes(&[cost, "cpu.speed=2"]);
    assert_eq!(fast, ["2.6ms", "3.15ms"], "it is CPU time like any other");
    let threads = [cost, "service.workers=1", "service.concurrency=threadpool"];
    let free = two_processes(&threads[1..]);
    assert_eq!(two_processes(&threads), free, "threads of one process do not pay it");
}

#[test]
fn a_thread_that_returns_to_its_core_pays_no_switch() {
    let expected = ["3.1ms", "16.1ms", "29.1ms"];
    assert_eq!(one_process(&[]), expected, "only the first dispatch is a switch");
}

#[test]
fn a_second_core_serves_a_second_process() {
    assert_eq!(two_processes(&["cpu.cores=2"]), ["3ms", "3ms"]);
}

#[test]
fn speed_divides_the_cpu_time_and_nothing_else() {
    assert_eq!(two_processes(&["cpu.speed=2", "cpu.cores=2"]), ["1.5ms", "1.5ms"]);
    // Half of the 0.1 ms of the switch and of the 1 ms of work; the wait is as long as ever.
    assert_eq!(one_process(&["cpu.speed=2"]), ["2.55ms", "15.05ms", "27.55ms"]);
}

#[test]
fn a_used_up_quota_stops_all_threads_until_the_next_period() {
    let quota = ["cpu.quota={budget=\"10ms\",period=\"100ms\"}"];
    assert_eq!(long_work("25ms", &quota), ["205ms"], "10 ms of each 100 ms");
    assert_eq!(long_work("25ms", &[]), ["25ms"]);
    let two = ["cpu.quota={budget=\"4ms\",period=\"50ms\"}", "cpu.cores=2"];
    assert_eq!(two_processes(&two), ["51ms", "51ms"], "two cores use it up in half the time");
}

#[test]
fn one_thread_never_exhausts_a_quota_of_one_processor_and_two_do() {
    let docker = "cpu.quota={budget=\"100ms\",period=\"100ms\"}";
    assert_eq!(long_work("250ms", &[docker]), ["250ms"]);
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\nworkers = 2\nspread = \"round-robin\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{{ cpu = \"60ms\" }}]\n",
        burst(2)
    );
    let run = run_with(&text, &[], &[docker, "cpu.cores=2"]);
    assert_eq!(run.instants(), ["110ms", "110ms"], "burnt in 50 ms, stalled for 50 ms");
    assert_eq!(run.time_at("cpu wait"), 2 * 50_000_000, "a stall is waiting for the CPU");
}

#[test]
fn a_server_may_cost_less_cpu_than_another() {
    let server = ["costs.server.gunicorn.cpu_scale=0.5"];
    assert_eq!(long_work("8ms", &server), ["8ms"]);
    let server = ["costs.server.gunicorn.cpu_scale=0.5", "service.server=gunicorn"];
    assert_eq!(long_work("8ms", &server), ["4ms"]);
}

#[test]
fn a_server_may_cost_more_per_request_than_another() {
    let uvicorn = ["costs.server.uvicorn.request=\"2ms\"", "costs.cpu.request=\"1ms\""];
    assert_eq!(long_work("8ms", &uvicorn), ["11ms"]);
    let gunicorn = [&uvicorn[..], &["service.server=gunicorn"]].concat();
    assert_eq!(long_work("8ms", &gunicorn), ["9ms"]);
    let scaled = [&uvicorn[..], &["costs.server.uvicorn.cpu_scale=0.5", "cpu.speed=2"]].concat();
    assert_eq!(long_work("8ms", &scaled), ["2.75ms"], "like all CPU time of a worker");
}

#[test]
fn an_idle_processor_takes_a_while_to_wake_up_and_is_not_in_use_meanwhile() {
    let sets = ["costs.machine.context_switch=\"0s\"", "costs.machine.idle_exit=\"50us\""];
    // At the start it is awake; after the sleep and after each pause it was idle.
    assert_eq!(one_process(&["costs.machine.context_switch=\"0s\""]), ["3ms", "16ms", "29ms"]);
    assert_eq!(one_process(&sets), ["3.05ms", "16.15ms", "29.25ms"]);
    let run = run_with(
        "load = { users = 1, think_time = \"10ms\", duration = \"40ms\" }\n\
         service.concurrency = \"async\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{ cpu = \"1ms\" }]\n",
        &[],
        &["costs.machine.idle_exit=\"50us\""],
    );
    assert_eq!(run.instants(), ["1ms", "12.05ms", "23.1ms", "34.15ms"]);
    assert_eq!(run.seen.cpu.cores.area(), 4 * 1_000_000, "only work is use");
    assert_eq!(run.time_at("cpu wait"), 3 * 50_000);
}

#[test]
fn a_thread_ready_while_a_processor_wakes_up_waits_for_the_rest_of_it() {
    let idle_exit = ["costs.machine.idle_exit=\"50us\""];
    let text = "load = { rate = \"25000/s\", spacing = \"even\", duration = \"100us\" }\n\
         service.concurrency = \"async\"\nservice.workers = 2\n\
         service.spread = \"round-robin\"\n[costs]\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{ cpu = \"1us\" }]\n";
    // Arrivals at 0, when it is awake, at 40 and 80 us: awake again at 90 us for both.
    let run = run_with(text, &[], &idle_exit);
    assert_eq!(run.instants(), ["1us", "91us", "92us"]);
}
