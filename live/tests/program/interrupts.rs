//! Ctrl-C, and a polite request to end.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use testkit::{in_time, starts_deaf_to_interrupts};

use crate::shop::Shop;
use crate::support::Kept;

/// A run keeps what it has measured when it is told to `end`.
fn is_kept(end: impl Fn(Pid)) {
    let shop = Shop::new();
    let run = shop.start("--warmup 0s");
    shop.is_busy();
    end(run.pid());
    let ended = run.ended().with_code(3);
    let kept = shop.lab.kept(&ended);
    let measurement = kept.measurement();
    assert!(measurement.interrupted && kept.report.run.samples > 0);
    assert!(measurement.inconclusive.iter().any(|why| why.contains("interrupted")), "{ended:?}");
    kept.has_errors_of(&[]);
    assert!(kept.report.run.duration < 3600.0);
    // Its children are asked for their counts as at any other end.
    assert_eq!(measurement.processes.len(), 3, "{:?}", measurement.processes);
    assert!(kept.station("upstream partner").is_some_and(|station| station.visits > 0.0));
    shop.is_gone(1);
}

#[test]
fn a_run_that_is_interrupted_is_kept() {
    // A terminal signals the whole group of the program.
    is_kept(|group| kill_process_group(group, Signal::INT).expect("a process of ours"));
}

#[test]
fn a_run_that_is_terminated_is_kept() {
    is_kept(|pid| kill_process(pid, Signal::TERM).expect("a process of ours"));
}

#[test]
fn a_run_that_is_interrupted_while_it_warms_up_has_counted_nothing() {
    let shop = Shop::new();
    let run = shop.start("--warmup 1h");
    shop.is_busy();
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    assert!(kept.measurement().interrupted);
    assert_eq!(kept.report.run.samples, 0);
    assert!(kept.measurement().accounting.good > 0, "the warm-up is accounted for");
    shop.is_gone(1);
    let folder = kept.folder.display();
    shop.lab.end(&format!("compare {folder} {folder}")).with_code(0);
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let shop = Shop::new();
    let run = shop.start("");
    shop.is_busy();
    shop.lab.interrupted_twice(run);
}

#[test]
fn an_interrupt_while_a_child_does_not_start_is_heard() {
    let shop = Shop::new();
    let run = shop.start("");
    // Stopped before it is ready, if that is in time; if not, this is any other interrupt.
    let upstream = shop.lab.process("upstream-process");
    kill_process(upstream, Signal::STOP).expect("a process of ours");
    run.signal(Signal::INT);
    let kept = match run.ended().code {
        Some(2) => 0,
        Some(3) => 1,
        code => panic!("{code:?}"),
    };
    shop.is_gone(kept);
}

#[test]
fn an_interrupt_while_everything_starts_leaves_nothing() {
    if starts_deaf_to_interrupts() {
        return;
    }
    for delay in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let shop = Shop::new();
        let run = shop.start("");
        shop.lab.interrupted_after(Duration::from_millis(delay), run);
        shop.lab.is_free(shop.address());
    }
}

#[test]
fn an_interrupted_ladder_keeps_the_rungs_that_it_has() {
    keeps_those_that_it_has("ladder more.toml");
}

#[test]
fn an_interrupted_run_of_several_scenarios_keeps_those_that_it_has() {
    keeps_those_that_it_has("run shop.toml more.toml");
}

/// A `command` that measures the shop and then another scenario is interrupted at the second.
fn keeps_those_that_it_has(command: &str) {
    in_time(|seconds| {
        let shop = Shop::new();
        shop.lab.write("more.toml", "extends = \"shop.toml\"\nservice.workers = 2\n");
        let words = format!("{command} --repeat 2 --duration {seconds}s --format json");
        let mut session = shop.lab.start(&words);
        let two = || shop.lab.processes("worker-process").len() == 2;
        shop.lab.wait_for("the second", || (session.has_ended() || two()).then_some(()));
        if session.has_ended() {
            return None;
        }
        session.signal(Signal::INT);
        let ended = session.ended();
        if ended.code == Some(0) {
            return None;
        }
        let rungs =
            ended.with_code(3).json::<serde_json::Value>()["rungs"].as_array().map(Vec::len);
        let left = shop.lab.files("runs");
        assert_eq!(rungs, Some(left.len()));
        assert!(matches!(left.len(), 1 | 2), "{left:?}");
        let mut kept = left.iter().map(|folder| Kept::read(folder));
        let first = kept.find(|kept| kept.report.scenario == "shop").expect("it was measured");
        assert!(!first.measurement().interrupted && first.report.run.samples > 0);
        shop.is_gone(left.len());
        Some(())
    });
}
