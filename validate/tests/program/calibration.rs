//! A calibration as a user meets it: the program, the real service, the file.

use std::fs;

use rustix::process::{Signal, kill_process_group};
use validate::Calibration;

use super::lab::Lab;

/// A calibration by one short round, which proves nothing, but in which every probe gave good
/// answers. On a slow machine the probes need more time for that.
fn every_cost_is_known(lab: &Lab) -> Calibration {
    for millis in [500, 1500, 4500] {
        let words = "calibrate axum --rounds 1 --warmup 100ms --format json";
        let ended = lab.end(&format!("{words} --duration {millis}ms")).with_code(3);
        let answer: Calibration = ended.json();
        // The number of parked requests depends on the machine.
        let parked = "memory.request";
        if answer.costs.iter().all(|cost| cost.rounds > 0 || cost.key == parked) {
            return answer;
        }
    }
    panic!("a probe has no good answer even in 4.5 s")
}

#[test]
fn a_calibration_writes_a_profile_that_scenarios_can_use() {
    let lab = Lab::empty();
    let answer = every_cost_is_known(&lab);
    assert_eq!((answer.rounds, answer.file.as_deref()), (1, Some("costs/axum.toml")));
    // The time to open a connection needs no probe, and is sound after one round.
    let (apart, probed): (Vec<_>, Vec<_>) =
        answer.costs.iter().partition(|cost| cost.key == "network.connect");
    assert!(probed.iter().all(|cost| !cost.sound && cost.interval.is_none()));
    assert!(apart.len() == 1 && apart[0].sound && apart[0].value > 0.0, "{apart:?}");
    assert_eq!(answer.about["written_by"], "validate calibrate axum");
    assert!(answer.about.contains_key("machine"), "{:?}", answer.about);
    // Nothing else is left: no run, no database, no probe.
    assert_eq!(lab.names("."), ["costs"]);
    assert_eq!(lab.names("costs"), ["axum.toml"]);

    let scenario = "costs = \"costs/axum.toml\"\nload = { users = 5, duration = \"1s\" }\n\
                    service = { server = \"axum\", concurrency = \"async\" }\n\
                    endpoint = [{ name = \"any\", weight = 1, steps = [{ cpu = \"1ms\" }] }]\n";
    lab.write("any.toml", scenario);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let file = lab.path("any.toml").display().to_string();
    let exit = sim::cli::run(["sim", "scenario", &file], &mut out, &mut err);
    assert_eq!(exit.code(), 0, "{}", String::from_utf8_lossy(&err));
}

#[test]
fn a_server_is_calibrated_beside_the_costs_that_are_there() {
    if !testkit::has_postgres() {
        return;
    }
    let lab = Lab::new();
    let before = "[about]\nwritten_by = \"validate calibrate axum\"\n[cpu]\nstatement = \"50us\"\n";
    lab.write("costs/axum.toml", before);
    let only = "cpu.async.trip,postgres_client.async.open,postgres.connect";
    let words = format!(
        "calibrate axum --database postgres --only {only} --rounds 1 --warmup 100ms \
         --duration 1s --format json"
    );
    let answer: Calibration = lab.end(&words).with_code(3).json();
    let keys: Vec<&str> = answer.costs.iter().map(|cost| &*cost.key).collect();
    assert_eq!(keys, ["cpu.async.trip", "postgres_client.async.open", "postgres.connect"]);
    assert!(answer.costs.iter().all(|cost| cost.rounds == 1), "{:?}", answer.doubts);
    let costs = model::read::load_costs(&lab.path("costs/axum.toml")).expect("a profile");
    let of = model::scenario::Concurrency::Async;
    assert_eq!(costs.cpu(of).statement, model::units::Span::from_micros(50));
    assert!(costs.postgres_client.is_some() && costs.about.contains_key("postgres_on"));
    // A name of the other database's costs is not known here.
    lab.end("calibrate axum --database postgres --only commit.wal")
        .refused(&["`commit.wal` is no cost"]);
    assert_eq!(lab.names("costs"), ["axum.toml"]);
}

#[test]
fn a_file_that_no_calibration_wrote_is_not_replaced_and_nothing_is_measured() {
    let lab = Lab::empty();
    let theirs = "[about]\nmethod = \"a first guess\"\n";
    lab.write("costs/axum.toml", theirs);
    let words = ["costs/axum.toml: was not written by a calibration", "--force"];
    lab.end("calibrate axum").refused(&words);
    assert_eq!(fs::read_to_string(lab.path("costs/axum.toml")).ok().as_deref(), Some(theirs));
    assert_eq!(lab.names("costs"), ["axum.toml"]);
}

#[test]
fn wrong_words_are_refused() {
    let lab = Lab::empty();
    for words in ["calibrate", "calibrate django", "calibrate axum --rounds 0"] {
        let ended = lab.end(words).refused(&[]);
        assert!(ended.err.starts_with("error: "), "{words}: {ended:?}");
    }
    lab.end("calibrate axum --out /proc/none/axum.toml").refused(&["/proc/none"]);
    assert_eq!(lab.names("."), [""; 0]);
}

#[test]
fn a_stack_that_cannot_be_set_up_is_an_error_and_nothing_is_measured() {
    let lab = Lab::empty();
    lab.write("theirs/letter", "dear");
    let ended = lab.end("calibrate fastapi --environment theirs").refused(&[]);
    // Without Python the error names that first.
    let told = ["theirs is there already", "python3"].map(|words| ended.err.contains(words));
    assert!(told.contains(&true), "{ended:?}");
    assert_eq!(lab.names("."), ["theirs"]);
    assert_eq!(lab.names("theirs"), ["letter"]);
}

#[test]
fn an_interrupt_leaves_no_file_and_no_process() {
    let lab = Lab::empty();
    let run = lab.start("calibrate axum --duration 1h");
    lab.process("worker-process");
    kill_process_group(run.pid(), Signal::INT).expect("a process of ours");
    run.ended().refused(&["interrupted: no profile was written"]);
    assert_eq!(lab.names("costs"), [""; 0]);
    lab.no_process_is_left();
}
