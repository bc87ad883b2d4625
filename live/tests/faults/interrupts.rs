//! Ctrl-C, and a polite request to end.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::ours::Shop;
use crate::support::running::until;
use crate::support::{Kept, Running};

/// A run keeps what it has when it is told to `end`.
fn keeps_what_it_has(end: impl Fn(Pid)) {
    let shop = Shop::new();
    let mut run = shop.start("");
    shop.is_busy();
    end(run.pid());
    let ended = run.ended().with_code(3);
    let kept = shop.lab.kept(&ended);
    let measurement = kept.measurement();
    assert!(measurement.interrupted && kept.report.run.samples > 0);
    assert!(measurement.inconclusive.iter().any(|why| why.contains("interrupted")), "{ended:?}");
    kept.has_errors_of(&[]);
    assert!(kept.report.run.duration < 60.0);
    // Its children are asked at the end as at any other.
    assert_eq!(measurement.processes.len(), 3, "{:?}", measurement.processes);
    assert!(kept.station("upstream partner").is_some_and(|station| station.visits > 0.0));
    shop.is_gone(1);
}

#[test]
fn a_run_that_is_interrupted_keeps_what_it_has() {
    // A terminal tells the whole group of the program.
    keeps_what_it_has(|group| kill_process_group(group, Signal::INT).expect("it is ours"));
}

#[test]
fn a_run_that_is_terminated_keeps_what_it_has() {
    keeps_what_it_has(|pid| kill_process(pid, Signal::TERM).expect("it is ours"));
}

#[test]
fn a_run_that_is_interrupted_while_it_warms_up_has_counted_nothing() {
    let shop = Shop::new();
    let mut run = shop.start("--warmup 60s");
    shop.is_busy();
    run.signal(Signal::INT);
    let ended = run.ended().with_code(3);
    let kept = shop.lab.kept(&ended);
    assert!(kept.measurement().interrupted);
    assert_eq!(kept.report.run.samples, 0);
    assert!(kept.measurement().accounting.good > 0, "the warm-up is accounted for");
    shop.is_gone(1);
    let folder = kept.folder.display();
    shop.lab.live(&format!("compare {folder} {folder}")).with_code(0);
}

#[test]
fn who_interrupts_twice_does_not_wait() {
    let shop = Shop::new();
    let mut run = shop.start("");
    shop.is_busy();
    // It will not say what it has counted for a long time.
    let worker = shop.process("worker-process", None);
    kill_process(worker, Signal::STOP).expect("it is ours");
    run.signal(Signal::INT);
    sleep(Duration::from_millis(500));
    run.signal(Signal::INT);
    run.ended().with_code(130);
    // What is stopped cannot hear that its parent has gone.
    kill_process(worker, Signal::CONT).expect("it is ours");
    shop.is_left_alone();
}

#[test]
fn an_interrupt_while_a_child_does_not_start_is_heard() {
    let shop = Shop::new();
    let mut run = shop.start("");
    // Stopped before it is ready, if it can be caught; if not, this is any other interrupt.
    let upstream = shop.process("upstream-process", None);
    kill_process(upstream, Signal::STOP).expect("it is ours");
    run.signal(Signal::INT);
    let code = run.ended().code;
    let kept = match code {
        Some(2) => 0,
        Some(3) => 1,
        _ => panic!("{code:?}"),
    };
    shop.is_gone(kept);
}

#[test]
fn an_interrupt_while_everything_starts_leaves_nothing() {
    if ignores_interrupts() {
        // A job in the background, which ignores interrupts until it listens: nothing to be seen.
        return;
    }
    for delay in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let shop = Shop::new();
        let mut run = shop.start("");
        sleep(Duration::from_millis(delay));
        run.signal(Signal::INT);
        let ended = run.ended();
        // Before it can hear of it the signal just ends it; after that it says so.
        let kept = match ended.code {
            None => 0,
            Some(2) if ended.err.contains("interrupted before anything was measured") => 0,
            Some(3) => 1,
            _ => panic!("{ended:?}"),
        };
        shop.is_gone(kept);
    }
}

#[test]
fn a_ladder_that_is_interrupted_keeps_the_rungs_that_it_has() {
    keeps_those_that_it_has("ladder more.toml");
}

#[test]
fn a_run_of_several_that_is_interrupted_keeps_those_that_it_has() {
    keeps_those_that_it_has("run shop.toml more.toml");
}

/// A `command` that measures the shop and then more is interrupted at the second of them.
fn keeps_those_that_it_has(command: &str) {
    let shop = Shop::new();
    shop.lab.write("more.toml", "extends = \"shop.toml\"\nservice.workers = 2\n");
    let words = format!("{command} --repeat 2 --duration 1s --format json");
    let mut session = Running::start(shop.lab.command(&words));
    let two = || (shop.processes("worker-process").len() == 2).then_some(());
    until("the second scenario", two);
    session.signal(Signal::INT);
    let ended = session.ended().with_code(3);
    let rungs = ended.json::<serde_json::Value>()["rungs"].as_array().map(Vec::len);
    let left = shop.lab.left();
    assert_eq!(rungs, Some(left.len()), "{ended:?}");
    assert!(matches!(left.len(), 1 | 2), "{left:?}");
    let kept: Vec<Kept> = left.iter().map(|folder| Kept::read(folder)).collect();
    let first = kept.iter().find(|kept| kept.report.scenario == "shop").expect("it was measured");
    assert!(!first.measurement().interrupted && first.report.run.samples > 0);
    shop.is_gone(left.len());
}

/// True if who started the tests made them deaf for SIGINT, as a shell does with jobs in the
/// background: programs that they start are so too, until they listen for themselves.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (Signal::INT.as_raw() - 1)) != 0
}
