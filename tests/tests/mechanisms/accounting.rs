//! Accounting: where the time of a request went, to the nanosecond.

use crate::stage::{Run, burst, run_in_order, run_with};

const MS: u128 = 1_000_000;

fn assert_adds_up(run: &Run) {
    for class in &run.seen.classes {
        assert_eq!(class.time.iter().sum::<u128>(), class.sum, "parts add up to the whole");
    }
}

fn places(run: &Run) -> Vec<(String, u128)> {
    assert_adds_up(run);
    run.places()
}

/// Places and microseconds, as [`places`] has them.
fn micros(expected: &[(&str, u128)]) -> Vec<(String, u128)> {
    expected.iter().map(|&(place, micros)| (place.to_string(), micros * 1000)).collect()
}

const RICH: &str = r#"
    [database]
    pragmas = 2
    [upstream.partner]
    latency = "40ms"
    failures = "0%"
    [costs.cpu]
    accept = "1ms"
    request = "2ms"
    hop = "250us"
    statement = "500us"
    open = "1500us"
    pragma = "250us"
    commit = "750us"
    close = "600us"
    call = "700us"
    [costs.query.item]
    engine = "3ms"
    [costs.disk]
    sync = "5ms"
    unlink = "1ms"
    [[endpoint]]
    name = "everything"
    weight = 1
    steps = [
        { write = "item" },
        { call = "partner" },
        { sleep = "7ms" },
        { block = "9ms" },
        { cpu = "4ms" },
    ]
"#;

fn rich(concurrency: &str, sets: &[&str]) -> Run {
    let service = format!("[service]\nconcurrency = \"{concurrency}\"\n");
    run_with(&format!("{}{service}{RICH}", burst(1)), &[], sets)
}

#[test]
fn a_request_that_visits_many_places_spends_in_each_what_it_costs() {
    let run = rich("threadpool", &[]);
    // CPU: the request, a hop there and back, opening with two pragmas, statement and
    // commit, the engine, closing, the call, the handler. Disk: four syncs, one file.
    let cpu = 2000 + 2 * 250 + 1500 + 2 * 250 + 500 + 750 + 3000 + 600 + 700 + 4000;
    let expected = [
        ("loop", 1000),
        ("cpu", cpu),
        ("disk", 4 * 5000 + 1000),
        ("sleep", 7000),
        ("block", 9000),
        ("upstream partner", 40_000),
    ];
    assert_eq!(places(&run), micros(&expected));
    assert_eq!(run.instants(), ["92.05ms"]);
}

#[test]
fn the_models_differ_in_their_hops_only() {
    // Blocking has none. Async hops to the connection's thread for opening, for the write
    // and for closing, each there and back.
    let cpu_of_blocking = 2000 + 1500 + 2 * 250 + 500 + 750 + 3000 + 600 + 700 + 4000;
    for (concurrency, hops) in [("blocking", 0), ("threadpool", 2), ("async", 6)] {
        let cpu = rich(concurrency, &[]).time_at("cpu");
        assert_eq!(cpu, (cpu_of_blocking + 250 * hops) * 1000, "{concurrency}");
    }
}

#[test]
fn a_switch_is_cpu_time_of_the_thread_switched_to() {
    let plain = rich("threadpool", &[]).time_at("cpu");
    let switched = rich("threadpool", &["costs.machine.context_switch=\"10us\""]);
    assert_adds_up(&switched);
    // To the loop before there is a task, to the pool thread, and to the loop again.
    assert_eq!(switched.time_at("cpu"), plain + 20_000);
    assert_eq!(switched.instants(), ["92.08ms"]);
}

/// Requests that begin one after the other at one place, and what waits there.
fn contended(setting: &str, steps: &[(&str, &str)], sets: &[&str]) -> Run {
    let mut text = burst(steps.len() as u32) + setting;
    for (name, steps) in steps {
        text += &format!("[[endpoint]]\nname = \"{name}\"\nweight = 1\nsteps = [{steps}]\n");
    }
    let order: Vec<&str> = steps.iter().map(|&(name, _)| name).collect();
    run_with(&text, &order, sets)
}

#[test]
fn every_wait_is_booked_where_it_is_waited() {
    let setting = |concurrency: &str| {
        format!(
            "[cpu]\ncores = 4\n[service]\nconcurrency = \"{concurrency}\"\n\
             [database]\njournal_mode = \"wal\"\nsynchronous = \"off\"\n\
             connections = {{ kind = \"pool\", size = 1, overflow = 0 }}\n\
             [upstream.partner]\nlatency = \"30ms\"\nmax_in_flight = 1\n\
             [upstream.other]\nlatency = \"30ms\"\nmax_connections = 1\n\
             [costs.query.item]\nengine = \"30ms\"\n"
        )
    };
    // Both begin at once, and the second waits until the first is through.
    for (concurrency, step, place, there) in [
        ("blocking", "{ sleep = \"30ms\" }", "connect", "sleep"),
        ("async", "{ cpu = \"30ms\" }", "connect", "cpu"),
        ("async", "{ sleep = \"1ms\" }, { cpu = \"30ms\" }", "loop", "cpu"),
        ("async", "{ read = \"item\" }", "database pool", "cpu"),
        ("async", "{ call = \"partner\" }", "upstream partner semaphore", "upstream partner"),
        ("async", "{ call = \"other\" }", "upstream other connections", "upstream other"),
        ("threadpool", "{ read = \"item\" }", "database pool", "cpu"),
        ("threadpool", "{ call = \"partner\" }", "upstream partner semaphore", "upstream partner"),
    ] {
        let run = contended(&setting(concurrency), &[("a", step), ("b", step)], &[]);
        assert_adds_up(&run);
        assert_eq!(run.time_at(place), 30 * MS, "{concurrency}: {step} waits at `{place}`");
        assert_eq!(run.time_at(there), 60 * MS, "{concurrency}: {step} is at `{there}`");
    }
    let pooled = contended(
        &setting("threadpool"),
        &[("a", "{ sleep = \"30ms\" }"), ("b", "{ sleep = \"30ms\" }")],
        &["service.threads=1"],
    );
    assert_eq!(places(&pooled), micros(&[("threads", 30_000), ("sleep", 60_000)]));
}

#[test]
fn waiting_for_the_lock_for_the_interpreter_and_for_the_cpu_are_told_apart() {
    let base = "[service]\nconcurrency = \"threadpool\"\n[costs]\n";
    // 5 ms for the lock; then the loop, which is ready first, takes no time.
    let spinner = [("victim", "{ sleep = \"1ms\" }"), ("spinner", "{ cpu = \"9ms\" }")];
    let run = contended(&format!("[cpu]\ncores = 2\n{base}"), &spinner, &[]);
    assert_eq!(
        places(&run),
        micros(&[("cpu", 9_000), ("interpreter lock", 5_000), ("sleep", 1_000)])
    );
    // Without a lock the victim waits for a core until the spinner's slice ends, and then
    // its loop, which is to reply, for the slice after that.
    let sets = ["costs.interpreter.lock=false", "cpu.slice=\"4ms\""];
    let run = contended(base, &spinner, &sets);
    assert_eq!(
        places(&run),
        micros(&[("cpu wait", 3_000 + 4_000), ("cpu", 9_000), ("sleep", 1_000)])
    );
    // A database lock: the second writer looks at 1, 3, 8, 18 and 33 ms.
    let writers = "[cpu]\ncores = 2\n[service]\nconcurrency = \"threadpool\"\n\
                   [database]\njournal_mode = \"wal\"\nsynchronous = \"normal\"\n\
                   [costs.query.item]\nengine = \"20ms\"\n";
    let write = "{ write = \"item\" }";
    let run = contended(writers, &[("a", write), ("b", write)], &[]);
    assert_eq!(places(&run), micros(&[("cpu", 40_000), ("database lock", 33_000)]));
}

#[test]
fn a_dropped_handshake_is_time_to_connect_and_a_pause_is_backoff() {
    let run = contended(
        "[service]\nconcurrency = \"blocking\"\nbacklog = 1\n[costs]\n",
        &[
            ("a", "{ block = \"600ms\" }"),
            ("b", "{ sleep = \"1ms\" }"),
            ("c", "{ sleep = \"2ms\" }"),
        ],
        &[],
    );
    assert_eq!(
        places(&run),
        micros(&[("connect", 1_600_000), ("sleep", 3_000), ("block", 600_000)])
    );
    // Half of the attempts fail: of a hundred users some need a pause, all are answered.
    let retried = "[service]\nconcurrency = \"async\"\n[costs]\n\
                   [upstream.partner]\nlatency = \"10ms\"\nfailures = \"50%\"\nretries = 20\n\
                   backoff = \"5ms\"\nbackoff_factor = 1\n";
    let call = "{ call = \"partner\" }";
    let text = format!(
        "{}{retried}[[endpoint]]\nname = \"a\"\nweight = 1\nsteps = [{call}]\n",
        burst(100)
    );
    let run = run_with(&text, &[], &[]);
    assert_adds_up(&run);
    let attempts = u128::from(run.seen.attempts);
    assert_eq!(run.time_at("upstream partner"), attempts * 10 * MS);
    assert_eq!(run.time_at("upstream partner backoff"), (attempts - 100) * 5 * MS);
}

#[test]
fn a_gather_is_booked_as_its_slowest_branch() {
    let text = format!(
        "{}[service]\nconcurrency = \"async\"\n[costs]\n\
         [upstream.partner]\nlatency = \"30ms\"\n\
         [[endpoint]]\nname = \"page\"\nweight = 1\n\
         steps = [{{ gather = [{{ sleep = \"10ms\" }}, {{ call = \"partner\" }}, \
                  {{ sleep = \"20ms\" }}] }}, {{ sleep = \"5ms\" }}]\n",
        burst(1)
    );
    let run = run_in_order(&text, &["page"]);
    assert_eq!(places(&run), micros(&[("sleep", 5_000), ("upstream partner", 30_000)]));
}

#[test]
fn a_request_that_failed_is_in_no_account() {
    let run = contended(
        "[service]\nconcurrency = \"async\"\n[costs]\n\
         [upstream.dead]\nlatency = \"1s\"\ntimeout = \"10ms\"\n",
        &[("bad", "{ sleep = \"3ms\" }, { call = \"dead\" }"), ("good", "{ sleep = \"2ms\" }")],
        &[],
    );
    assert_eq!(places(&run), micros(&[("sleep", 2_000)]));
}
