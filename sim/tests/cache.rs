//! Answers that were computed before: found again, by the same build and for the same question alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use model::sweep::{Axis, Point};
use sim::replicate::Effort;
use sim::store::{MOST, Store};
use sim::sweep::Plan;

mod support;

use support::scenario;

const SHORT: [&str; 2] = ["load.warmup=1s", "load.duration=3s"];

/// Standard output, in a folder.
fn sim(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let done = command.current_dir(folder).args(words).output().expect("sim starts");
    assert!(done.status.success(), "{words:?}: {done:?}");
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Replaces a number of each answer, and its digest with it: who reads it then has read the file.
fn forge(folder: &Path) {
    use sha2::{Digest, Sha256};

    for file in files(folder) {
        let text = fs::read_to_string(&file).expect("text");
        let (_, answer) = text.split_once('\n').expect("a digest");
        let answer = answer.replacen("\"replications\":2", "\"replications\":77", 1);
        let digest = Sha256::digest(answer.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(&file, format!("{digest}\n{answer}")).expect("the folder is ours");
    }
}

const SWEEP: [&str; 10] = [
    "sweep",
    "v5.toml",
    "--set",
    "load.duration=3s",
    "--set",
    "load.warmup=1s",
    "--replications",
    "2",
    "--format",
    "csv",
];

#[test]
fn a_sweep_computes_what_is_new_alone() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let cache = folder.path().join(".rung/cache");
    let first = sim(folder.path(), &[&SWEEP[..], &["--vary", "load.users=5,10"]].concat());
    assert_eq!(files(&cache).len(), 2);
    forge(&cache);
    let second = sim(folder.path(), &[&SWEEP[..], &["--vary", "load.users=5,10,20"]].concat());
    let runs = |text: &str| -> Vec<String> {
        text.lines().skip(1).filter_map(|row| row.split(',').nth(1).map(String::from)).collect()
    };
    assert_eq!(runs(&first), ["2", "2"]);
    assert_eq!(runs(&second), ["77", "77", "2"]);
    assert_eq!(files(&cache).len(), 3);
    // Without it all is computed, and nothing is kept.
    let none = [&SWEEP[..], &["--vary", "load.users=5,10,20,40", "--no-cache"]].concat();
    assert_eq!(runs(&sim(folder.path(), &none)), ["2"; 4]);
    assert_eq!(files(&cache).len(), 3);
    // A shard uses the points that another command has computed.
    let shard = [&SWEEP[..8], &["--vary", "load.users=5,10", "--shard", "1/2"]].concat();
    assert!(sim(folder.path(), &shard).contains("\"replications\":77"));
}

#[test]
fn a_folder_is_shared_from_anywhere() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, two) = (one.expect("a folder"), two.expect("a folder"));
    let shared = tempfile::tempdir().expect("a folder");
    let cache = shared.path().display().to_string();
    let words = [&SWEEP[..], &["--vary", "load.users=5,10", "--cache", &cache]].concat();
    let first = sim(one.path(), &words);
    forge(shared.path());
    assert_ne!(sim(two.path(), &words), first);
    assert_eq!(files(one.path()).len() + files(two.path()).len(), 0);
}

#[test]
fn whatever_an_answer_depends_on_is_part_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let store = Store::new(folder.path(), MOST);
    let never = AtomicBool::new(false);
    let few = Effort { replications: 2, replications_max: 2, precision: None, ..Effort::default() };
    let points = |sets: &[&str], keep: &[&str], effort: &Effort| -> Vec<Point> {
        let resolved = scenario("v5.toml", &[&SHORT[..], sets].concat(), keep);
        let axes: Vec<Axis> = vec!["load.users=5,10".parse().expect("a list")];
        let plan = Plan::new(&resolved, &axes).expect("it is right").with_store(Some(&store));
        let points = plan.points(effort, &never, &|_| {}).expect("it ends");
        points.into_iter().map(|one| one.point).collect()
    };
    let first = points(&[], &[], &few);
    let mut known = 2;
    assert_eq!(files(folder.path()).len(), known);
    let surer = Effort { confidence: 0.99, ..few };
    let more = Effort { replications: 3, replications_max: 3, ..few };
    type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a Effort);
    let cases: [Case<'_>; 6] = [
        (&["seed=2"], &[], &few),
        (&["service.workers=4"], &[], &few),
        (&["costs.cpu.async.request=2ms"], &[], &few),
        (&[], &["p99 < 3s"], &few),
        (&[], &[], &surer),
        (&[], &[], &more),
    ];
    for (sets, keep, effort) in cases {
        assert_ne!(points(sets, keep, effort), first, "{sets:?} {keep:?} {effort:?}");
        known += 2;
        assert_eq!(files(folder.path()).len(), known, "{sets:?} {keep:?} {effort:?}");
    }
    // The same question in other words has the same answer.
    assert_eq!(points(&["load.think_time=0s"], &[], &few), first);
    assert_eq!(files(folder.path()).len(), known);
}

/// A report that is found again is told in the same words, to people and to programs.
#[test]
fn a_report_is_the_same_when_it_is_found_again() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for words in [
        &["scenario", "v6.toml", "--replications", "2", "--set", "load.duration=5s"][..],
        &["scenario", "v3.toml", "--replications", "2", "--set", "load.duration=5s"],
        &["ladder", "v3.toml", "--replications", "2", "--set", "load.duration=5s"],
    ] {
        for form in ["text", "json"] {
            let words = [words, &["--format", form]].concat();
            let computed = sim(folder.path(), &[&words[..], &["--no-cache"]].concat());
            let kept = sim(folder.path(), &words);
            let found = sim(folder.path(), &words);
            assert_eq!(computed, kept, "{words:?}");
            assert_eq!(kept, found, "{words:?}");
        }
    }
    let cache = folder.path().join(".rung/cache");
    // A ladder is read as a whole: each of its rungs has an answer of its own.
    assert_eq!(files(&cache).len(), 5);
    forge(&cache);
    let told = sim(
        folder.path(),
        &["scenario", "v3.toml", "--replications", "2", "--set", "load.duration=5s"],
    );
    assert!(told.contains("77 runs"), "{told}");
}
