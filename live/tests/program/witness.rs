//! The witness of the machine's speed, beside a service that runs.

use rustix::process::{Pid, Signal, kill_process};
use testkit::in_time;

use crate::shop::Shop;
use crate::support::Kept;

/// Samples that a window must have before a share of it means anything.
const ENOUGH: u64 = 5;

#[test]
fn a_run_tells_how_fast_the_machine_was_and_the_witness_takes_little() {
    in_time(|seconds| {
        let shop = Shop::new();
        let kept = shop.lab.run(&format!("--warmup 0s --duration {seconds}s"));
        let speed = kept.measurement().speed.clone()?;
        if speed.kinds.values().any(|kind| kind.count < ENOUGH) {
            return None;
        }
        assert!(speed.share > 0.0 && speed.share < 0.01, "{speed:?}");
        assert!(speed.low > 0.0 && speed.low <= speed.mean && speed.mean <= speed.high);
        let kinds: Vec<&str> = speed.kinds.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["allocation", "arithmetic", "code", "system calls"]);
        // It is none of the service's processes, nor one of the load's.
        let names: Vec<&str> =
            kept.measurement().processes.iter().map(|process| &*process.name).collect();
        assert_eq!(names, ["worker 0", "mock upstream", "load generator"]);
        Some(())
    });
}

#[test]
fn the_witness_ends_with_a_run_that_is_interrupted() {
    let shop = Shop::new();
    let run = shop.start("--warmup 0s");
    shop.is_busy();
    assert_eq!(shop.lab.processes("witness-process").len(), 1);
    run.signal(Signal::INT);
    shop.lab.kept(&run.ended().with_code(3));
    assert!(shop.lab.processes("witness-process").is_empty());
    shop.is_gone(1);
}

#[test]
fn a_witness_that_dies_is_told_and_the_run_goes_on() {
    let shop = Shop::new();
    let run = shop.start("--warmup 0s");
    shop.is_busy();
    let witness: Pid = shop.lab.process("witness-process");
    kill_process(witness, Signal::KILL).expect("a process of ours");
    run.signal(Signal::INT);
    let kept: Kept = shop.lab.kept(&run.ended().with_code(3));
    let how = kept.measurement();
    assert!(how.inconclusive.iter().any(|why| why.contains("the witness ended")), "{how:?}");
    assert_eq!(how.speed, None);
    shop.is_gone(1);
}
