//! Runs that end before their time. Whatever happens, nothing runs on.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::lab::{Lab, Running};

/// A run that has begun to measure, in rounds of a minute.
fn measuring(lab: &Lab, options: &str) -> Running {
    let run = lab.start(&format!(
        "run shop.toml --warmup 0s --duration 60s --costs platform.toml {options}"
    ));
    lab.process("worker-process");
    run
}

/// Waits until some requests were answered: the database is written to.
fn is_busy(lab: &Lab) {
    super::lab::until("the load", || {
        let worker = lab.processes("worker-process").first().copied()?;
        let io = std::fs::read_to_string(format!("/proc/{}/io", worker.as_raw_nonzero())).ok()?;
        let wrote = io.lines().find_map(|line| line.strip_prefix("syscw: "))?;
        (wrote.parse::<u64>().ok()? > 200).then_some(())
    });
}

/// What there is is told when the program is told to `end`.
fn tells_what_it_has(end: impl Fn(Pid)) {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    is_busy(&lab);
    end(run.pid());
    let ended = run.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.starts_with("shop: INCONCLUSIVE: "), "{ended:?}");
    assert!(ended.out.contains("interrupted"), "{ended:?}");
    assert!(ended.err.contains("kept in runs/shop-"), "{ended:?}");
    lab.is_clean(1);
}

#[test]
fn ctrl_c_tells_what_there_is() {
    // A terminal tells the whole group of the program.
    tells_what_it_has(|group| kill_process_group(group, Signal::INT).expect("it is ours"));
}

#[test]
fn who_is_terminated_alone_ends_its_child_in_good_order() {
    tells_what_it_has(|pid| kill_process(pid, Signal::TERM).expect("it is ours"));
}

#[test]
fn a_ladder_that_is_interrupted_tells_the_rungs_that_it_has() {
    let lab = Lab::new();
    lab.write("more.toml", "extends = \"shop.toml\"\nservice.workers = 2\n");
    let words = "ladder more.toml --duration 1s --costs platform.toml --format json";
    let run = lab.start(words);
    super::lab::until("the second rung", || {
        (lab.processes("worker-process").len() == 2).then_some(())
    });
    run.signal(Signal::INT);
    let ended = run.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let rungs = ended.json()["rungs"].as_array().map(Vec::len);
    assert!(matches!(rungs, Some(1 | 2)), "{ended:?}");
    lab.is_clean(lab.runs().len());
    assert_eq!(rungs, Some(lab.runs().len()));
}

#[test]
fn who_interrupts_twice_does_not_wait() {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    is_busy(&lab);
    // It will not say what it has counted for a long time.
    let worker = lab.process("worker-process");
    kill_process(worker, Signal::STOP).expect("it is ours");
    run.signal(Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(500));
    run.signal(Signal::INT);
    assert_eq!(run.ended().code, Some(130));
    // What is stopped cannot hear that its parent has gone.
    kill_process(worker, Signal::CONT).expect("it is ours");
    lab.is_left_alone();
}

#[test]
fn an_interrupt_while_everything_starts_leaves_nothing() {
    if ignores_interrupts() {
        // A job in the background, which ignores interrupts until it listens: nothing to be seen.
        return;
    }
    for delay in [0, 1, 4, 16, 32, 64, 128, 256] {
        let lab = Lab::new();
        let run = lab.start("run shop.toml --duration 60s --costs platform.toml");
        std::thread::sleep(std::time::Duration::from_millis(delay));
        run.signal(Signal::INT);
        let ended = run.ended();
        // Before it can hear of it the signal just ends it; after that it says so.
        let kept = match ended.code {
            None => 0,
            Some(2) if ended.err.contains("interrupted before anything was measured") => 0,
            Some(3) => 1,
            _ => panic!("{ended:?}"),
        };
        lab.is_clean(kept);
    }
}

#[test]
fn a_process_that_dies_while_it_is_measured_makes_no_verdict() {
    let deaths = [
        ("worker-process", "the worker 0 ended unexpectedly"),
        ("upstream-process", "the upstream ended unexpectedly"),
    ];
    for (process, told) in deaths {
        let lab = Lab::new();
        let words = "run shop.toml --duration 3s --costs platform.toml --format json";
        let run = lab.start(words);
        lab.process("worker-process");
        is_busy(&lab);
        kill_process(lab.process(process), Signal::KILL).expect("it is ours");
        let ended = run.ended();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let reasons = &ended.json()["comparisons"][0]["reasons"];
        let named = reasons.as_array().is_some_and(|reasons| {
            reasons.iter().any(|reason| reason.as_str().is_some_and(|text| text.starts_with(told)))
        });
        assert!(named, "{reasons}");
        lab.is_clean(1);
    }
}

#[test]
fn a_program_that_is_killed_leaves_no_process() {
    let lab = Lab::new();
    let run = measuring(&lab, "");
    is_busy(&lab);
    run.signal(Signal::KILL);
    assert_eq!(run.ended().code, None);
    lab.is_left_alone();
    // The folder of the killed one stays until somebody measures here again.
    lab.measures("run shop.toml").answered();
    let runs = lab.runs();
    assert!(runs.iter().all(|name| !name.starts_with('.')), "{runs:?}");
}

/// True if who started the tests made them deaf for SIGINT, as a shell does with jobs in the
/// background: programs that they start are so too, until they listen for themselves.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (Signal::INT.as_raw() - 1)) != 0
}
