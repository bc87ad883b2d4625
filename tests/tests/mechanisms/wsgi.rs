//! gunicorn's own classes of workers: `sync` and `gthread`.

use crate::stage::{Run, run_with};

/// Four users who come together, of two workers whose handler takes 10 ms.
fn four_users(service: &str, sets: &[&str]) -> Run {
    let text = format!(
        "load = {{ users = 4, think_time = \"0s\", duration = \"105ms\", timeout = \"never\" }}\n\
         service = {{ server = \"gunicorn\", workers = 2, {service} }}\n\
         cpu.cores = 2\n\
         costs = {{}}\n\
         endpoint = [{{ name = \"job\", weight = 1, steps = [{{ block = \"10ms\" }}] }}]\n"
    );
    run_with(&text, &[], sets)
}

const SYNC: &str = "worker_class = \"sync\", concurrency = \"blocking\"";

#[test]
fn a_sync_worker_closes_each_connection_and_takes_the_next_that_waits() {
    let run = four_users(SYNC, &[]);
    // Two at a time, from any user: the others wait to be accepted.
    let log = run.log();
    assert_eq!(log[..2], ["job 10ms"; 2]);
    assert_eq!(log[2..4], ["job 20ms"; 2]);
    assert_eq!(log[4..6], ["job 30ms"; 2]);
    assert_eq!(run.seen.good(), 20);
    let opened = run.seen.event_loop.connections.entries();
    assert!(opened >= 20, "each request has a connection of its own: {opened}");
}

#[test]
fn no_sync_worker_idles_while_a_connection_waits() {
    // Two workers, three users who come together: the first request takes a second, the others 10 ms.
    let text = r#"
        load = { users = 3, think_time = "0s", duration = "500ms", timeout = "never" }
        service = { server = "gunicorn", workers = 2, worker_class = "sync", concurrency = "blocking" }
        cpu.cores = 2
        costs = {}
        endpoint = [
            { name = "short", weight = 9, steps = [{ block = "10ms" }] },
            { name = "long", weight = 1, steps = [{ block = "1s" }] },
        ]
    "#;
    let order = ["long", "short", "short"];
    let shared = run_with(text, &order, &[]);
    // The other worker serves both who are left in turns, whichever worker had them before.
    assert_eq!(shared.log()[..3], ["short 10ms", "short 20ms", "short 30ms"]);
    let served = |run: &Run, user: u64| {
        run.outcomes().iter().filter(|one| one.lane == user && one.error.is_none()).count()
    };
    assert!(served(&shared, 1) > 1 && served(&shared, 2) > 1, "{:?}", shared.log());
}

#[test]
fn a_sync_worker_waits_for_the_request_of_the_connection_that_it_has() {
    // A client needs 1 ms to open each of its connections before it sends on them.
    let text = r#"
        load = { users = 4, think_time = "1h", duration = "200ms", timeout = "never" }
        service = { server = "gunicorn", workers = 4, worker_class = "sync", concurrency = "blocking" }
        cpu.cores = 4
        costs.network.connect = "1ms"
        endpoint = [{ name = "job", weight = 1, steps = [{ block = "50ms" }] }]
    "#;
    let run = run_with(text, &[], &[]);
    let last = run.outcomes().iter().map(|one| one.settled.secs_f64()).fold(0.0, f64::max);
    assert!(last < 0.06, "each has a worker of its own: {:?}", run.log());
}

#[test]
fn a_gthread_worker_serves_as_many_as_it_has_threads_and_keeps_connections() {
    let gthread = "worker_class = \"gthread\", concurrency = \"threadpool\"";
    let one = four_users(gthread, &["service.spread=round-robin"]);
    assert_eq!(one.seen.good(), 20, "one thread each unless the scenario says otherwise");
    let two = four_users(gthread, &["service.spread=round-robin", "service.threads=2"]);
    assert_eq!(two.seen.good(), 40);
    assert_eq!(two.seen.event_loop.connections.entries(), 4, "they are kept");
}

#[test]
fn a_gthread_handler_visits_its_pool_once() {
    // FastAPI validates the reply and opens the session in visits of their own.
    let text = r#"
        load = { users = 1, think_time = "1s", duration = "900ms" }
        service = { server = "gunicorn", concurrency = "threadpool", threads = 4 }
        database = { engine = "sqlite", hold = "request" }
        costs = { query.row.engine = "1ms" }
        endpoint = [{ name = "job", weight = 1, steps = [{ read = "row" }] }]
    "#;
    let visits = |set: &str| run_with(text, &[], &[set]).seen.threads.in_use.entries();
    assert_eq!(visits("service.worker_class=uvicorn"), 3);
    assert_eq!(visits("service.worker_class=gthread"), 1);
}

#[test]
fn a_sync_worker_gives_its_sign_of_life_before_each_connection() {
    // The second request runs from 1 s to 4.4 s, and the supervisor looks at 4 s. The sign of a
    // UvicornWorker is of 0 s then, as it gives one every 2 s; that of a sync worker is of 1 s, and no
    // older than the timeout.
    let text = r#"
        load = { rate = "1/s", spacing = "even", duration = "4.5s", max_users = 1, timeout = "never" }
        service = { server = "gunicorn", worker_timeout = "3s", boot = "0s", concurrency = "blocking" }
        costs = {}
        endpoint = [
            { name = "quick", weight = 1, steps = [{ block = "1ms" }] },
            { name = "slow", weight = 1, steps = [{ block = "3.4s" }] },
        ]
    "#;
    let killed = |class: &str| {
        let set = format!("service.worker_class={class}");
        run_with(text, &["quick", "slow"], &[&set]).seen.process.killed
    };
    assert_eq!((killed("sync"), killed("uvicorn")), (0, 1));
    let longer = text.replace("3.4s", "4.5s").replace("4.5s\", max", "8s\", max");
    let run = run_with(&longer, &["quick", "slow"], &["service.worker_class=sync"]);
    assert_eq!(run.seen.process.killed, 1, "one that takes longer is killed: {:?}", run.log());
}

#[test]
fn a_sync_worker_that_has_answered_its_last_ends_at_once() {
    let run = four_users(&format!("{SYNC}, max_requests = 2, boot = \"0s\""), &[]);
    assert_eq!(run.seen.good(), 20, "another takes its place without a pause");
    assert_eq!(run.seen.process.recycled, 10);
}
