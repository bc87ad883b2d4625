//! PgBouncer between real services and a real server.

use rustix::process::{Pid, Signal, kill_process};
use testkit::{free_port, has_pgbouncer, has_postgres};

use crate::fastapi::python::options;
use crate::shop::connections;
use crate::support::{Kept, Lab};

/// Six users, each in a transaction of two round trips, on two connections to the server.
const ORDERS: &str = r#"
    load = { users = 6, warmup = "300ms", duration = "1500ms" }
    service.concurrency = "async"
    [database]
    engine = "postgres"
    round_trip = "2ms"
    pooler = "pgbouncer"
    pgbouncer = { pool_mode = "session", default_pool_size = 2 }
    connections = { kind = "pool", size = 2, overflow = 0 }
    [[endpoint]]
    name = "order"
    weight = 1
    steps = [{ read = "item" }, { transaction = [{ read = "item" }, { write = "sale" }] }]
"#;

fn is_pooled(kept: &Kept) {
    kept.has_errors_of(&[]);
    assert!(kept.report.run.samples > 0);
    let processes = &kept.measurement().processes;
    let pooler = processes.iter().find(|process| process.name == "PgBouncer");
    assert!(pooler.is_some_and(|one| one.cpu > 0.0 && one.memory > 0), "{processes:?}");
    let server = kept.measurement().database.as_ref().expect("there was a server");
    assert!(server.version.contains("behind PgBouncer 1."), "{server:?}");
    // Those that it keeps to the server, whatever the service has to it.
    assert!(server.sessions_peak <= 2, "{server:?}");
    let station = kept.station("database pooler").expect("it is used");
    assert!(station.capacity == Some(2) && station.utilisation > 0.0, "{station:?}");
}

fn has_both() -> bool {
    has_postgres() && has_pgbouncer()
}

#[test]
fn axum_keeps_its_sessions_at_a_pooler() {
    if !has_both() {
        return;
    }
    let lab = Lab::new(ORDERS);
    is_pooled(&lab.run(""));
    is_pooled(&lab.run("--set service.concurrency=threadpool"));
    let ended = lab.end("run shop.toml --set database.pgbouncer.pool_mode=transaction");
    assert!(ended.with_code(2).err.contains("sqlx prepares"));
    lab.only_runs_are_left(2);
}

#[test]
fn fastapi_shares_few_connections_by_transaction() {
    let Some(on) = options().filter(|_| has_both()) else { return };
    let lab = Lab::new(ORDERS);
    for sets in ["async", "threadpool", "async --set service.workers=2"] {
        // Three times as many as the pooler has to the server.
        let kept = lab.run(&format!(
            "{on} --set database.pgbouncer.pool_mode=transaction \
             --set database.connections.size=6 --set service.concurrency={sets}"
        ));
        is_pooled(&kept);
    }
    is_pooled(&lab.run(&on));
    lab.only_runs_are_left(4);
}

#[test]
fn a_pooler_without_room_or_patience_says_so() {
    if !has_both() {
        return;
    }
    let lab = Lab::new(ORDERS);
    let many = "--set database.connections.size=6";
    let clients = format!("{many} --set database.pgbouncer.max_client_conn=3");
    let waits = format!("{many} --set database.pgbouncer.query_wait_timeout=200ms");
    for on in ["".to_string()].into_iter().chain(options()) {
        lab.run(&format!("{on} {clients}")).has_errors_of(&["max_client_conn"]);
        lab.run(&format!("{on} {waits}")).has_errors_of(&["query_wait_timeout"]);
    }
}

#[test]
fn a_pooler_ends_with_its_run_however_that_ends() {
    if !has_both() {
        return;
    }
    let lab = Lab::new(ORDERS);
    let port = free_port();
    let run = lab.start(&format!("run shop.toml --port {port} --warmup 0s --duration 1h"));
    lab.wait_for("the load", || (connections(port) >= 6).then_some(()));
    for part in ["remover", "database-process"] {
        for process in lab.processes(part) {
            kill_process(process, Signal::KILL).expect("a process of ours");
        }
    }
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    let is_pooler = |pid: &Pid| {
        let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
        std::fs::read_to_string(path).is_ok_and(|line| line.contains("pgbouncer-"))
    };
    lab.wait_for("the end of PgBouncer", || {
        (!lab.processes("").iter().any(is_pooler)).then_some(())
    });
    lab.run("--duration 500ms --warmup 0s");
    lab.only_runs_are_left(1);
    lab.no_process_is_left();
}
