//! Processes that are killed.

use std::fs;

use rustix::process::{Signal, kill_process};
use testkit::in_time;

use crate::shop::Shop;
use crate::support::Kept;

/// One of the reasons why the run proves nothing has all of `words`.
pub(crate) fn is_told(kept: &Kept, words: &[&str]) {
    let all = &kept.measurement().inconclusive;
    assert!(all.iter().any(|why| words.iter().all(|word| why.contains(word))), "{all:?}");
}

/// A run in which a worker dies and is replaced, and which is interrupted after that.
fn outlives_a_worker(options: &str) -> Kept {
    let shop = Shop::new();
    let run = shop.start(&format!("--warmup 0s {options}"));
    shop.is_busy();
    let victim = shop.lab.process("worker-process");
    kill_process(victim, Signal::KILL).expect("a process of ours");
    shop.lab.process_instead_of(victim, "worker-process");
    shop.answers_with(200);
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    is_told(&kept, &["worker 0", "SIGKILL", "took its place"]);
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
    kept
}

#[test]
fn a_worker_that_dies_is_replaced() {
    let kept = outlives_a_worker("--set load.keep_alive=false");
    kept.has_errors_of(&["disconnected"]);
}

#[test]
fn a_request_on_a_kept_connection_is_sent_once_again() {
    // Clients cannot tell a server that dies from one that closes an idle connection.
    outlives_a_worker("").has_errors_of(&[]);
}

#[test]
fn a_run_goes_on_to_its_end_after_a_worker_has_died() {
    let kept = in_time(|seconds| {
        let shop = Shop::new();
        let mut run = shop.start(&format!("--warmup 0s --duration {seconds}s"));
        shop.lab.wait_for("the load", || (run.has_ended() || shop.is_loaded()).then_some(()));
        let victim = shop.lab.processes("worker-process").first().copied()?;
        kill_process(victim, Signal::KILL).expect("a process of ours");
        shop.lab.wait_for("another worker", || {
            let found = shop.lab.processes("worker-process").into_iter().find(|it| *it != victim);
            (run.has_ended() || found.is_some()).then_some(())
        });
        if run.has_ended() {
            return None;
        }
        let kept = shop.lab.kept(&run.ended().with_code(3));
        shop.is_gone(1);
        Some(kept)
    });
    is_told(&kept, &["worker 0", "took its place"]);
    assert!(!kept.measurement().interrupted);
}

#[test]
fn an_upstream_that_dies_fails_its_callers() {
    let shop = Shop::new();
    let run = shop.start("--warmup 0s");
    shop.is_busy();
    let victim = shop.lab.process("upstream-process");
    kill_process(victim, Signal::KILL).expect("a process of ours");
    shop.answers_with(502);
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    kept.has_errors_of(&["upstream_failed"]);
    is_told(&kept, &["the upstream ended"]);
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
}

#[test]
fn a_program_that_is_killed_takes_its_processes_with_it() {
    let shop = Shop::new();
    let run = shop.start("");
    shop.is_busy();
    assert_eq!(shop.lab.processes("worker-process").len(), 1);
    assert_eq!(shop.lab.processes("upstream-process").len(), 1);
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    shop.lab.no_process_is_left();
    shop.lab.is_free(shop.address());
    // The folder of the database goes with them.
    assert_eq!(shop.lab.names("runs"), [""; 0]);
    shop.lab.kept(&shop.lab.end("run shop.toml --warmup 0s --duration 500ms"));
    shop.is_gone(1);
}

#[test]
fn a_worker_that_cannot_be_replaced_ends_the_run_at_once() {
    let shop = Shop::new();
    let program = shop.lab.path("live");
    fs::copy(env!("CARGO_BIN_EXE_live"), &program).expect("a folder of ours");
    let words = format!("run shop.toml --port {} --warmup 0s", shop.port);
    let run = shop.lab.start_command(shop.lab.command_of(&program, &words));
    shop.is_busy();
    fs::remove_file(&program).expect("a folder of ours");
    kill_process(shop.lab.process("worker-process"), Signal::KILL).expect("a process of ours");
    let ended = run.ended().with_code(2);
    assert!(ended.err.contains("error: shop: cannot start the worker 0"), "{ended:?}");
    // The measurement so far is printed and kept, with the reason why it proves nothing.
    assert!(ended.out.contains("good answers/s measured"), "{ended:?}");
    let kept = shop.lab.kept(&ended);
    assert!(kept.measurement().interrupted && kept.measurement().accounting.good > 0);
    is_told(&kept, &["cannot start the worker 0"]);
    shop.is_gone(1);
}

#[test]
fn a_service_by_itself_replaces_a_worker_too() {
    let shop = Shop::new();
    let mut serve = shop.lab.start(&format!("serve shop.toml --port {}", shop.port));
    assert_eq!(serve.address(), shop.address());
    let victim = shop.lab.process("worker-process");
    kill_process(victim, Signal::KILL).expect("a process of ours");
    shop.lab.process_instead_of(victim, "worker-process");
    shop.answers_with(200);
    serve.signal(Signal::INT);
    let ended = serve.ended().with_code(0);
    assert!(ended.err.contains("worker 0") && ended.err.contains("took its place"), "{ended:?}");
    shop.is_gone(0);
}
