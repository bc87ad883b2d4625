//! Worker processes that end while the service runs, and what becomes of their requests.

use sim::engine::Record;

use crate::stage::{Run, run_in_order, run_with};

/// A user of gunicorn with a timeout of 2 s and workers that need 500 ms to start.
fn supervised(load: &str, service: &str, steps: &str) -> Run {
    let text = format!(
        "load = {{ users = 1, duration = \"10s\", timeout = \"never\"{load} }}\n\
         service = {{ server = \"gunicorn\", worker_timeout = \"2s\", boot = \"500ms\"{service} }}\n\
         costs = {{}}\n\
         endpoint = [{{ name = \"job\", weight = 1, steps = [{steps}] }}]\n"
    );
    run_with(&text, &[], &[])
}

#[test]
fn a_worker_whose_loop_is_blocked_for_too_long_is_killed_and_replaced() {
    let run = supervised("", ", concurrency = \"async\"", "{ block = \"4s\" }");
    // Its last sign of life is the one it gave when it began. The supervisor looks at whole
    // seconds; the next process serves half a second later, and what waits for it at once.
    let killed = ["job 3s worker_killed", "job 6s worker_killed", "job 9s worker_killed"];
    assert_eq!(run.log(), killed);
    assert_eq!(run.seen.process.killed, 3);
    assert_eq!(run.seen.process.down.area(), 3 * 500_000_000);
}

#[test]
fn what_leaves_the_loop_free_may_take_as_long_as_it_likes() {
    let sleeps = supervised("", ", concurrency = \"async\"", "{ sleep = \"4s\" }");
    assert_eq!(
        (sleeps.log(), sleeps.seen.process.killed),
        (vec!["job 4s".into(), "job 8s".into()], 0)
    );
    let thread = supervised("", ", concurrency = \"threadpool\"", "{ block = \"4s\" }");
    assert_eq!(thread.log(), ["job 4s", "job 8s"]);
    let patient = run_with(
        "load = { users = 1, duration = \"10s\" }\n\
         service = { server = \"gunicorn\", concurrency = \"async\" }\n\
         endpoint = [{ name = \"job\", weight = 1, steps = [{ block = \"4s\" }] }]\n\
         costs = {}\n",
        &[],
        &[],
    );
    assert_eq!(patient.log(), ["job 4s", "job 8s"], "30 s unless the scenario says otherwise");
}

#[test]
fn the_age_of_the_last_sign_counts_too() {
    // Signs come at whole seconds. A block from 0.9 s on has one that is 0.9 s old: at 3 s it is
    // older than 2 s, at 2 s it is not.
    let blocks = |span: &str| {
        let text = format!(
            "load = {{ rate = \"1/s\", spacing = \"even\", duration = \"4.5s\", max_users = 1 }}\n\
             service = {{ server = \"gunicorn\", worker_timeout = \"2s\", boot = \"0s\", \
                          concurrency = \"async\" }}\n\
             costs = {{}}\n\
             endpoint = [{{ name = \"late\", weight = 1, \
                            steps = [{{ sleep = \"900ms\" }}, {{ block = \"{span}\" }}] }}]\n"
        );
        run_with(&text, &[], &[]).log()
    };
    assert_eq!(blocks("3.05s")[0], "late 3s worker_killed");
    assert_eq!(blocks("2.05s")[0], "late 2.95s");
}

#[test]
fn all_requests_of_the_worker_end_with_it_and_no_others() {
    let text = r#"
        load = { users = 3, think_time = "1h", duration = "20s", timeout = "never" }
        service = { server = "gunicorn", concurrency = "async", workers = 2, spread = "round-robin",
                    worker_timeout = "2s" }
        costs = {}
        endpoint = [
            { name = "waits", weight = 1, steps = [{ sleep = "5s" }] },
            { name = "blocks", weight = 1, steps = [{ block = "10s" }] },
        ]
    "#;
    let run = run_in_order(text, &["waits", "waits", "blocks"]);
    let mut log = run.log();
    log.sort();
    assert_eq!(log, ["blocks 3s worker_killed", "waits 3s worker_killed", "waits 5s"]);
}

#[test]
fn a_killed_worker_gives_back_its_locks_of_the_database() {
    let text = r#"
        load = { users = 2, think_time = "1h", duration = "20s", timeout = "never" }
        service = { server = "gunicorn", concurrency = "blocking", workers = 2,
                    spread = "round-robin", worker_timeout = "2s" }
        database = { engine = "sqlite", journal_mode = "delete", busy_timeout = "15s",
                     connections = { kind = "per-operation" } }
        costs = { disk.sync = "1ms", query.slow.engine = "8s", query.quick.engine = "1ms" }
        cpu.cores = 2
        endpoint = [
            { name = "slow", weight = 1, steps = [{ transaction = [{ write = "slow" }] }] },
            { name = "quick", weight = 1, steps = [{ transaction = [{ write = "quick" }] }] },
        ]
    "#;
    let run = run_in_order(text, &["slow", "quick"]);
    let log = run.log();
    // The second worker polls for the lock while its own loop is blocked: it is killed as well.
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log.iter().all(|line| line.ends_with("3s worker_killed")), "{log:?}");
    assert_eq!(run.seen.database.connections.value(), 0);
    let patient = run_with(text, &["slow", "quick"], &["service.worker_timeout=never"]);
    assert!(patient.log().iter().all(|line| !line.contains("killed")), "{:?}", patient.log());
}

fn recycled(load: &str, sets: &[&str], cpu: &str) -> Run {
    let text = format!(
        "load = {{ users = 1, duration = \"500ms\"{load} }}\n\
         service = {{ concurrency = \"async\", max_requests = 3, boot = \"200ms\" }}\n\
         costs = {{}}\n\
         endpoint = [{{ name = \"job\", weight = 1, steps = [{{ cpu = \"{cpu}\" }}] }}]\n"
    );
    run_with(&text, &[], sets)
}

#[test]
fn a_worker_is_replaced_after_so_many_requests_and_finishes_what_it_has() {
    let run = recycled("", &[], "7ms");
    // The third answer comes at 21 ms, and the worker looks at 100 ms. The request that it has
    // then is answered at 105 ms; the next waits for the new process.
    assert_eq!(run.instants()[13..17], ["98ms", "105ms", "312ms", "319ms"]);
    assert!(run.outcomes().iter().all(|one| one.error.is_none()));
    let drains = run.records().filter(|record| matches!(record, Record::WorkerDrains { .. }));
    assert_eq!((drains.count(), run.seen.process.recycled), (2, 2), "again 100 ms after 305 ms");
    assert_eq!(run.seen.process.down.area(), 200_000_000 + 90_000_000, "from 410 to 500 ms");
}

#[test]
fn another_worker_serves_meanwhile() {
    let sets = ["service.workers=2", "load.duration=300ms", "service.max_requests=20"];
    let run = recycled("", &sets, "7ms");
    let instants = run.instants();
    // The boot takes the only processor every other slice.
    assert!(instants.len() > 25, "{instants:?}");
    assert_eq!(run.seen.process.recycled, 1);
}

#[test]
fn a_request_on_its_way_to_a_worker_that_ends_is_lost_or_sent_again() {
    let sets = ["costs.network.client=20ms", "load.think_time=0s"];
    // It leaves at 92 ms and arrives at 102 ms; the worker has closed its connections at 100 ms.
    let again = recycled("", &sets, "3ms");
    assert_eq!(again.log()[4], "job 313ms", "after the boot, at 300 ms");
    let lost = recycled(", keep_alive_timeout = \"1h\"", &sets, "3ms");
    assert_eq!(lost.log()[4], "job 110ms connection_closed");
}

#[test]
fn the_first_request_of_each_process_takes_more_cpu_and_others_wait_for_it() {
    let text = r#"
        load = { users = 3, duration = "600ms" }
        service = { concurrency = "async", max_requests = 20, boot = "0s", first_request = "90ms" }
        costs = {}
        endpoint = [{ name = "job", weight = 1, steps = [{ cpu = "10ms" }] }]
    "#;
    let run = run_with(text, &[], &[]);
    // The first is answered after 100 ms, and those that came with it 10 ms after each other.
    assert_eq!(run.instants()[..4], ["100ms", "110ms", "120ms", "130ms"]);
    assert!(run.seen.process.recycled >= 1);
    // 600 ms less 90 ms for each process that has begun.
    let begun = run.seen.process.recycled + 1;
    let answers = run.outcomes().len() as u64;
    assert!(answers.abs_diff((600 - 90 * begun) / 10) <= 1, "{answers} with {begun} processes");
    let warm = run_with(text, &[], &["service.first_request=0s"]);
    assert_eq!(warm.instants()[..2], ["10ms", "20ms"]);
}
