//! A calibration as a user meets it: the program, the real service, the file.

mod place;

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use validate::Calibration;

use place::Place;

#[test]
fn a_calibration_writes_a_profile_that_scenarios_can_use() {
    let place = Place::new();
    // Probes that are too short to mean much, and one round, which says that it proves nothing.
    let words = "calibrate axum --rounds 1 --warmup 100ms --duration 900ms --format json";
    let (code, out, err) = place.validate(words);
    assert_eq!(code, Some(3), "{out}{err}");
    let answer: Calibration = serde_json::from_str(&out).expect("a calibration");
    assert_eq!((answer.rounds, answer.file.as_deref()), (1, Some("costs/axum.toml")));
    // What no probe tells is timed often enough to stand.
    let (apart, probed): (Vec<_>, Vec<_>) =
        answer.costs.iter().partition(|cost| cost.key == "network.connect");
    assert!(probed.iter().all(|cost| !cost.sound && cost.interval.is_none()));
    assert!(apart.len() == 1 && apart[0].sound && apart[0].value > 0.0, "{apart:?}");
    assert_eq!(answer.about["written_by"], "validate calibrate axum");
    assert!(answer.about.contains_key("machine"), "{:?}", answer.about);
    // Every probe gave good answers. How many are parked at one moment is up to the machine.
    let unknown = answer.costs.iter().filter(|cost| cost.rounds == 0).map(|cost| &*cost.key);
    let unknown: Vec<&str> = unknown.filter(|key| *key != "memory.request").collect();
    assert_eq!(unknown, [""; 0], "{:?}", answer.doubts);
    // Nothing else is left: no run, no database, no probe.
    assert_eq!(place.files("."), ["costs"]);
    assert_eq!(place.files("costs"), ["axum.toml"]);

    let scenario = "costs = \"costs/axum.toml\"\nload = { users = 5, duration = \"1s\" }\n\
                    service = { server = \"axum\", concurrency = \"async\" }\n\
                    endpoint = [{ name = \"any\", weight = 1, steps = [{ cpu = \"1ms\" }] }]\n";
    fs::write(place.path("any.toml"), scenario).expect("the folder is ours");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let file = place.path("any.toml").display().to_string();
    let exit = sim::cli::run(["sim", "scenario", &file], &mut out, &mut err);
    assert_eq!(exit.code(), 0, "{}", String::from_utf8_lossy(&err));
}

#[test]
fn a_file_of_somebody_else_is_not_replaced_nor_is_anything_measured() {
    let place = Place::new();
    fs::create_dir(place.path("costs")).expect("the folder is ours");
    let theirs = "[about]\nmethod = \"a first guess\"\n";
    fs::write(place.path("costs/axum.toml"), theirs).expect("the folder is ours");
    let (code, out, err) = place.validate("calibrate axum");
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("costs/axum.toml: was not written by a calibration"), "{err}");
    assert!(err.contains("--force"), "{err}");
    let kept = fs::read_to_string(place.path("costs/axum.toml")).expect("it is there");
    assert_eq!(kept, theirs);
    assert_eq!(place.files("costs"), ["axum.toml"]);
}

#[test]
fn wrong_words_are_refused() {
    let place = Place::new();
    for words in ["calibrate", "calibrate django", "calibrate axum --rounds 0"] {
        let (code, out, err) = place.validate(words);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{words}");
        assert!(err.starts_with("error: "), "{words}: {err}");
    }
    let (code, _, err) = place.validate("calibrate axum --out /proc/none/axum.toml");
    assert_eq!(code, Some(2));
    assert!(err.contains("/proc/none"), "{err}");
    assert_eq!(place.files("."), [""; 0]);
}

#[test]
fn a_stack_that_cannot_be_set_up_is_told_and_nothing_is_measured() {
    let place = Place::new();
    fs::create_dir(place.path("theirs")).expect("the folder is ours");
    fs::write(place.path("theirs/letter"), "dear").expect("the folder is ours");
    let (code, out, err) = place.validate("calibrate fastapi --environment theirs");
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    // Where there is no Python that is told first.
    assert!(err.contains("theirs is there already") || err.contains("python3"), "{err}");
    assert_eq!(place.files("."), ["theirs"]);
    assert_eq!(place.files("theirs"), ["letter"]);
}

/// Looks again and again until there is what `look` looks for.
fn until(what: &str, mut look: impl FnMut() -> bool) {
    /// A minute at least: the machine may be busy with other things.
    const LOOKS: u32 = 12_000;
    for _ in 0..LOOKS {
        if look() {
            return;
        }
        sleep(Duration::from_millis(5));
    }
    panic!("{what}: not for a long time");
}

/// Processes that were started in `place`, children of children included.
fn processes(place: &Place) -> usize {
    let marked = |entry: fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mark = place.mark();
        environment.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    fs::read_dir(Path::new("/proc")).expect("Linux").flatten().map(marked).filter(|m| *m).count()
}

#[test]
fn an_interrupt_leaves_no_file_and_no_process() {
    let place = Place::new();
    let mut child = place.start("calibrate axum --duration 30s");
    // The program, its child, a worker.
    until("a probe runs", || processes(&place) >= 3);
    kill_process_group(Pid::from_child(&child), Signal::INT).expect("it is ours");
    until("the end of the program", || child.try_wait().expect("it is ours").is_some());
    let ended = child.wait_with_output().expect("it is ours");
    let err = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{err}");
    assert!(err.contains("interrupted: no profile was written"), "{err}");
    assert_eq!(place.files("costs"), [""; 0]);
    until("all processes are gone", || processes(&place) == 0);
}
