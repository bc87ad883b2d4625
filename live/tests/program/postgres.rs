//! A Postgres server of a measurement's own: the services at it, and that it ends and vanishes.

mod faults;
mod pooler;
mod rows;

use std::net::SocketAddr;

use rustix::process::{Pid, Signal, kill_process};
use testkit::{free_port, get, has_postgres};

use crate::deaths::is_told;
use crate::fastapi::python::options;
use crate::shop::connections;
use crate::support::{Kept, Lab};

const ORDERS: &str = r#"
    load = { users = 5, warmup = "300ms", duration = "1200ms" }
    service.concurrency = "async"
    costs.query.slow.engine = "1ms"
    [database]
    engine = "postgres"
    round_trip = "300us"
    connections = { kind = "pool", size = 2, overflow = 1 }
    [[endpoint]]
    name = "order"
    weight = 1
    steps = [{ read = "item" }, { transaction = [{ read = "item" }, { write = "slow" }] }]
    [[endpoint]]
    name = "sell"
    weight = 1
    steps = [{ write = "sale" }]
"#;

/// What is known of a run without errors at a server: it has worked, and is accounted for.
fn is_served(kept: &Kept, connections: Option<u64>) {
    kept.has_errors_of(&[]);
    let (report, measurement) = (&kept.report, kept.measurement());
    assert!(report.run.samples > 0);
    let server = measurement.database.as_ref().expect("there was a server");
    assert!(server.version.starts_with(|first: char| first.is_ascii_digit()), "{server:?}");
    assert!(server.utilisation > 0.0 && server.watching > 0.0 && server.memory > 0, "{server:?}");
    assert!(server.looks > 0 && server.sessions_peak > 0, "{server:?}");
    let counts = server.counts.expect("it answers");
    assert!(counts.commits > 0.0 && counts.wal_bytes > 0.0, "{counts:?}");
    let place = report.time.iter().find(|part| part.place.to_string() == "database server");
    assert!(place.is_some_and(|part| part.seconds > 0.0), "{:?}", report.time);
    let station = kept.station("database server").expect("statements visit it");
    assert!(station.visits > 0.0 && station.utilisation > 0.0, "{station:?}");
    let pool = kept.station("database pool").expect("connections are taken");
    assert_eq!(pool.capacity, connections, "{pool:?}");
    assert!(kept.station("database lock").is_none() && kept.station("disk").is_none());
}

#[test]
fn axum_is_served_whatever_its_handlers_wait_like() {
    if !has_postgres() {
        return;
    }
    let lab = Lab::new(ORDERS);
    for (sets, connections) in [
        ("--set service.concurrency=async", Some(3)),
        ("--set service.concurrency=threadpool --set service.workers=2", Some(6)),
        ("--set service.concurrency=blocking", Some(3)),
        ("--set database.driver=sync --set database.round_trip=0s", Some(3)),
        ("--set database.connections.kind=per-operation", None),
        (
            "--set database.hold=request --set service.server=axum --set costs.interpreter.lock=false",
            Some(3),
        ),
    ] {
        is_served(&lab.run(sets), connections);
    }
    lab.only_runs_are_left(6);
}

#[test]
fn fastapi_is_served_by_psycopg_and_by_asyncpg() {
    let Some(on) = options().filter(|_| has_postgres()) else { return };
    let lab = Lab::new(ORDERS);
    for (sets, connections) in [
        ("--set service.concurrency=async", Some(3)),
        ("--set service.concurrency=threadpool", Some(3)),
        ("--set service.concurrency=async --set database.connections.kind=per-operation", None),
    ] {
        let kept = lab.run(&format!("{on} {sets}"));
        is_served(&kept, connections);
        for library in ["psycopg", "asyncpg", "sqlalchemy"] {
            let versions = &kept.measurement().versions;
            assert!(versions.contains_key(library), "{versions:?}");
        }
    }
    lab.only_runs_are_left(3);
}

#[test]
fn a_server_that_shares_the_processors_of_the_service_runs_on_them() {
    if !has_postgres() {
        return;
    }
    let lab = Lab::new(ORDERS);
    let cpus = |sets: &str| {
        let kept = lab.run(sets);
        is_served(&kept, Some(3));
        let cpu = kept.station("cpu").expect("there is one").utilisation;
        let measurement = kept.measurement();
        let server = measurement.database.clone().expect("there was a server");
        assert!(cpu >= server.utilisation || server.cpus != measurement.service_cpus, "{server:?}");
        (server.cpus, measurement.service_cpus.clone(), measurement.load_cpus.clone())
    };
    let (server, service, _) = cpus("--set database.cpu=shared");
    assert_eq!(server, service);
    let (server, _, load) = cpus("--set database.cpu=own");
    assert!(server.iter().all(|cpu| load.contains(cpu)), "{server:?} {load:?}");
    lab.only_runs_are_left(2);
}

/// Requests that keep their connection while they wait for an upstream.
const HOLDING: &str = r#"
    load = { users = 60, duration = "3s" }
    service.concurrency = "async"
    upstream.partner.latency = "60ms"
    [database]
    engine = "postgres"
    round_trip = "0s"
    hold = "request"
    connections = { kind = "pool", size = 1, overflow = 0, timeout = "1s" }
    [[endpoint]]
    name = "quote"
    weight = 1
    steps = [{ read = "item" }, { call = "partner" }]
"#;

#[test]
fn a_pool_whose_connections_wait_for_an_upstream_runs_dry() {
    if !has_postgres() {
        return;
    }
    let lab = Lab::new(HOLDING);
    for concurrency in ["async", "threadpool"] {
        let kept = lab.run(&format!("--set service.concurrency={concurrency}"));
        kept.has_errors_of(&["pool_timeout"]);
        assert!(kept.report.run.samples > 0, "{concurrency}");
        let pool = kept.station("database pool").expect("it is used");
        assert_eq!(pool.capacity, Some(1), "{concurrency}");
        assert!(pool.utilisation > 0.5, "{pool:?}");
    }
    lab.only_runs_are_left(2);
}

#[test]
fn more_connections_than_the_server_has_are_errors() {
    if !has_postgres() {
        return;
    }
    let lab = Lab::new(HOLDING);
    let kept = lab.run(
        "--set load.users=150 --set database.connections.kind=per-operation \
         --set upstream.partner.latency=2s",
    );
    kept.has_errors_of(&["too_many_clients"]);
    assert!(kept.measurement().database.as_ref().is_some_and(|server| server.looks > 0));
}

/// A service at a server that runs until it is ended.
struct Serving {
    lab: Lab,
    run: testkit::Running,
    /// The server's first process.
    server: Pid,
}

impl Serving {
    fn new() -> Serving {
        let lab = Lab::new(ORDERS);
        let port = free_port();
        let run = lab.start(&format!("run shop.toml --port {port} --warmup 0s --duration 1h"));
        // The five users of the load, each with a connection of its own.
        lab.wait_for("the load", || (connections(port) >= 5).then_some(()));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        lab.wait_for("an answer", || {
            get(address, "/order", "").ok().filter(|reply| reply.starts_with("HTTP/1.1 200 "))
        });
        // Not sooner: what makes the cluster has the same option.
        let server = lab.process("-D");
        Serving { lab, run, server }
    }
}

/// True while `process` has not ended. One that has ended keeps its number until its parent
/// collects it, which an orphan's may do late, but has no command line.
fn runs(process: Pid) -> bool {
    let command = std::fs::read(format!("/proc/{}/cmdline", process.as_raw_pid()));
    command.is_ok_and(|command| !command.is_empty())
}

#[test]
fn a_run_that_is_killed_takes_its_server_and_its_cluster_along() {
    if !has_postgres() {
        return;
    }
    let Serving { lab, run, server } = Serving::new();
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    lab.no_process_is_left();
    assert!(!runs(server), "the server has ended");
    assert_eq!(lab.names("runs"), [""; 0]);
}

#[test]
fn a_server_that_outlives_all_others_is_ended_by_the_next_run() {
    if !has_postgres() {
        return;
    }
    let Serving { lab, run, server } = Serving::new();
    // What would end it and remove its folder.
    for part in ["remover", "database-process"] {
        for process in lab.processes(part) {
            kill_process(process, Signal::KILL).expect("a process of ours");
        }
    }
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    assert!(runs(server), "no process has told it to end");
    lab.run("--duration 500ms --warmup 0s");
    lab.only_runs_are_left(1);
    assert!(!runs(server), "the server has ended");
}

#[test]
fn a_server_that_dies_fails_its_callers() {
    if !has_postgres() {
        return;
    }
    let Serving { lab, run, server } = Serving::new();
    kill_process(server, Signal::KILL).expect("a process of ours");
    lab.wait_for("no keeper", || lab.processes("database-process").is_empty().then_some(()));
    run.signal(Signal::INT);
    let kept = lab.kept(&run.ended().with_code(3));
    is_told(&kept, &["database server", "postgres ended"]);
    lab.only_runs_are_left(1);
}
