//! Processes that are killed.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::ours::Shop;
use crate::support::{Kept, Running};

/// A run in whose window a worker dies.
fn outlives_a_worker(options: &str) -> Kept {
    let shop = Shop::new();
    let run = shop.start(&format!("--warmup 1500ms --duration 2500ms {options}"));
    shop.is_busy();
    // So that there is something to lose; if the window is not open yet, no harm is done.
    sleep(Duration::from_millis(2000));
    let victim = shop.process("worker-process", None);
    kill_process(victim, Signal::KILL).expect("it is ours");
    shop.process("worker-process", Some(victim));
    shop.serves();
    let ended = run.ended().with_code(3);
    let kept = shop.lab.kept(&ended);
    let measurement = kept.measurement();
    assert!(!measurement.interrupted);
    let told = measurement.inconclusive.iter().any(|why| {
        why.contains("worker 0") && why.contains("SIGKILL") && why.contains("took its place")
    });
    assert!(told, "{:?}", measurement.inconclusive);
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
    kept
}

#[test]
fn a_worker_that_dies_is_replaced_and_told_of() {
    let kept = outlives_a_worker("--set load.keep_alive=false");
    kept.has_errors_of(&["disconnected"]);
}

#[test]
fn a_request_on_a_kept_connection_is_sent_once_again() {
    // Clients cannot tell a server that dies from one that closes an idle connection.
    outlives_a_worker("").has_errors_of(&[]);
}

#[test]
fn an_upstream_that_dies_fails_its_callers() {
    let shop = Shop::new();
    let run = shop.start("--duration 3s");
    shop.is_busy();
    let victim = shop.process("upstream-process", None);
    kill_process(victim, Signal::KILL).expect("it is ours");
    let ended = run.ended().with_code(3);
    let kept = shop.lab.kept(&ended);
    kept.has_errors_of(&["upstream_failed"]);
    let measurement = kept.measurement();
    let told = measurement.inconclusive.iter().any(|why| why.contains("the upstream ended"));
    assert!(told, "{:?}", measurement.inconclusive);
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
}

#[test]
fn a_program_that_is_killed_takes_its_processes_with_it() {
    let shop = Shop::new();
    let mut run = shop.start("");
    shop.is_busy();
    assert_eq!(shop.processes("worker-process").len(), 1);
    assert_eq!(shop.processes("upstream-process").len(), 1);
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    shop.is_left_alone();
    // The folder of the database stays: nobody was left to clear it away.
    assert_eq!(shop.lab.left().len(), 1);
    // But whoever comes next does so.
    shop.lab.kept(&shop.lab.live("run shop.toml --duration 500ms"));
    shop.is_gone(1);
}

#[test]
fn a_worker_that_cannot_be_replaced_ends_the_run_at_once() {
    let shop = Shop::new();
    let program = shop.lab.path("live");
    fs::copy(env!("CARGO_BIN_EXE_live"), &program).expect("the folder is ours");
    // Far longer than the test would wait.
    let options = format!("run shop.toml --port {} --warmup 0s --duration 1h", shop.port);
    let run = Running::start(shop.lab.command_of(&program, &options));
    shop.is_busy();
    fs::remove_file(&program).expect("the folder is ours");
    let victim = shop.process("worker-process", None);
    kill_process(victim, Signal::KILL).expect("it is ours");
    let ended = run.ended().with_code(2);
    assert!(ended.err.contains("error: shop: cannot start the worker 0"), "{ended:?}");
    // What there is is told and kept, and says what it is worth.
    assert!(ended.out.contains("good answers/s measured"), "{ended:?}");
    let kept = shop.lab.kept(&ended);
    let measurement = kept.measurement();
    assert!(measurement.interrupted && measurement.accounting.good > 0);
    let told = measurement.inconclusive.iter().any(|why| why.contains("cannot start the worker 0"));
    assert!(told, "{:?}", measurement.inconclusive);
    shop.is_gone(1);
}

#[test]
fn a_service_by_itself_replaces_a_worker_too() {
    let shop = Shop::new();
    let words = format!("serve shop.toml --port {}", shop.port);
    let mut serve = Running::start(shop.lab.command(&words));
    assert_eq!(serve.address(), shop.address());
    let victim = shop.process("worker-process", None);
    kill_process(victim, Signal::KILL).expect("it is ours");
    shop.process("worker-process", Some(victim));
    shop.serves();
    serve.signal(Signal::INT);
    let ended = serve.ended().with_code(0);
    assert!(ended.err.contains("worker 0") && ended.err.contains("took its place"), "{ended:?}");
    shop.is_gone(0);
}
