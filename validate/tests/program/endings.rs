//! Runs that end early. No process is left, however they end.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use testkit::{Running, in_time, starts_deaf_to_interrupts};

use serde_json::Value;

use super::lab::Lab;

/// A run that is measuring, and does so until it is interrupted.
fn measuring(lab: &Lab, options: &str) -> Running {
    let words = "run shop.toml --warmup 0s --duration 5m --costs platform.toml";
    let run = lab.start(&format!("{words} {options}"));
    is_busy(lab, None);
    run
}

/// Waits until a worker that is not `old` writes to the database.
fn is_busy(lab: &Lab, old: Option<Pid>) {
    lab.wait_for("the load", || {
        let worker = lab.processes("worker-process").into_iter().find(|pid| Some(*pid) != old)?;
        let io = std::fs::read_to_string(format!("/proc/{}/io", worker.as_raw_nonzero())).ok()?;
        let wrote = io.lines().find_map(|line| line.strip_prefix("syscw: "))?;
        (wrote.parse::<u64>().ok()? > 200).then_some(())
    });
}

/// A run that is told to `end` is reported as far as it came.
fn is_reported(end: impl Fn(Pid)) {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    end(run.pid());
    let ended = run.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.starts_with("shop: INCONCLUSIVE: "), "{ended:?}");
    assert!(ended.out.contains("interrupted"), "{ended:?}");
    assert!(ended.err.contains("kept in runs/shop-"), "{ended:?}");
    lab.only_runs_are_left(1);
}

#[test]
fn an_interrupted_run_is_reported_as_far_as_it_came() {
    // A terminal signals the whole group of the program.
    is_reported(|group| kill_process_group(group, Signal::INT).expect("it is ours"));
}

#[test]
fn a_program_that_is_terminated_ends_its_child_in_good_order() {
    is_reported(|pid| kill_process(pid, Signal::TERM).expect("it is ours"));
}

#[test]
fn an_interrupted_ladder_reports_the_rungs_that_it_has() {
    in_time(|seconds| {
        let lab = Lab::new();
        lab.write("more.toml", "extends = \"shop.toml\"\nservice.workers = 2\n");
        let words = "ladder more.toml --costs platform.toml --format json";
        let mut run = lab.start(&format!("{words} --duration {seconds}s"));
        let two = || lab.processes("worker-process").len() == 2;
        lab.wait_for("the second rung", || (run.has_ended() || two()).then_some(()));
        if run.has_ended() {
            return None;
        }
        run.signal(Signal::INT);
        let ended = run.ended();
        if ended.code != Some(3) {
            return None;
        }
        let rungs = ended.json::<Value>()["rungs"].as_array().map(Vec::len);
        assert!(matches!(rungs, Some(1 | 2)), "{ended:?}");
        lab.only_runs_are_left(rungs.unwrap_or(0));
        Some(())
    });
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    lab.interrupted_twice(run);
}

#[test]
fn an_interrupt_while_everything_starts_leaves_nothing() {
    if starts_deaf_to_interrupts() {
        return;
    }
    for delay in [0, 1, 4, 16, 32, 64, 128, 256] {
        let lab = Lab::new();
        let run = lab.start("run shop.toml --duration 5m --costs platform.toml");
        lab.interrupted_after(std::time::Duration::from_millis(delay), run);
    }
}

#[test]
fn a_process_that_dies_while_it_is_measured_makes_no_verdict() {
    let deaths = [
        ("worker-process", "the worker 0 ended unexpectedly"),
        ("upstream-process", "the upstream ended unexpectedly"),
        ("witness-process", "the witness ended unexpectedly"),
    ];
    for (process, told) in deaths {
        let lab = Lab::new();
        let run = measuring(&lab, "--format json");
        let victim = lab.process(process);
        kill_process(victim, Signal::KILL).expect("a process of ours");
        if process == "worker-process" {
            is_busy(&lab, Some(victim));
        }
        run.signal(Signal::INT);
        let ended = run.ended().with_code(3);
        let comparison = &ended.json::<Value>()["comparisons"][0];
        let reasons = comparison["reasons"].as_array().expect("a list");
        let text = |reason: &Value| reason.as_str().is_some_and(|text| text.starts_with(told));
        assert!(reasons.iter().any(text), "{reasons:?}");
        lab.only_runs_are_left(1);
    }
}

#[test]
fn a_program_that_is_killed_leaves_no_process() {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    lab.no_process_is_left();
    // The folder of the killed run stays until the next run.
    lab.measures("run shop.toml");
    let runs = lab.names("runs");
    assert!(runs.iter().all(|name| !name.starts_with('.')), "{runs:?}");
}

#[test]
fn an_interrupted_size_reports_the_loads_that_it_has() {
    let lab = Lab::new();
    let words = "size shop.toml --set upstream.partner.max_in_flight=2 --keep p90<300ms --warmup 0s \
                 --duration 20s --costs platform.toml --repeat 1 --format json";
    let run = lab.start(words);
    is_busy(&lab, None);
    kill_process(run.pid(), Signal::TERM).expect("it is ours");
    let ended = run.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let proof: Value = ended.json();
    assert!(proof["size"]["holds"].is_object(), "{proof}");
    assert!(proof["loads"].as_array().is_some_and(|loads| loads.len() < 3), "{proof}");
    assert_eq!(proof["verdict"], "inconclusive", "{proof}");
    lab.only_runs_are_left(1);
}
