//! Shards of a sweep, and their merge: the bytes of one process.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use model::read::Resolved;
use model::sweep::{Axis, Sweep};
use proptest::prelude::*;
use sim::replicate::Effort;
use sim::sweep::part::merge::Merged;
use sim::sweep::part::{self, BUILD, Head, Numbered, Share};
use sim::sweep::{Form, Plan};

mod support;

use support::scenario;

const POINTS: usize = 12;

fn effort() -> Effort {
    Effort { replications: 2, replications_max: 2, precision: None, ..Effort::default() }
}

fn axes() -> Vec<Axis> {
    ["load.users=5..20:5", "service.workers=1..3"].map(|text| text.parse().expect("a list")).into()
}

fn resolved() -> Resolved {
    scenario("v5.toml", &["load.warmup=1s", "load.duration=4s"], &["p99 < 4s", "errors < 1%"])
}

/// All points of one small sweep, and the answer of one process.
static WHOLE: LazyLock<(Head, Vec<Numbered>, Sweep)> = LazyLock::new(|| {
    let (resolved, axes, never) = (resolved(), axes(), AtomicBool::new(false));
    let plan = Plan::new(&resolved, &axes).expect("it is right");
    let points = plan.points(&effort(), &never, &|_| {}).expect("it ends");
    let whole = plan.run(&effort(), &never, &|_| {}).expect("it ends");
    assert_eq!(points.len(), POINTS);
    (Head::new(plan.job(&effort()), Share { index: 1, of: 1 }), points, whole)
});

/// A part with these points.
fn part(name: &str, shard: Share, points: &[Numbered]) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    part::write(&Head { shard, ..WHOLE.0.clone() }, points, &mut bytes).expect("memory");
    (name.to_string(), bytes)
}

fn written(form: Form, sweep: &Sweep, merged: Option<&Merged<'_, (String, Vec<u8>)>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let done = match merged {
        Some(merged) => sim::sweep::write(form, merged.sweep(), merged.points(), &mut bytes),
        None => sim::sweep::write(form, sweep, sim::sweep::told(sweep), &mut bytes),
    };
    done.expect("memory");
    bytes
}

fn refused(parts: &[(String, Vec<u8>)]) -> String {
    Merged::of(parts).map(|_| ()).expect_err("it is wrong").to_string()
}

#[test]
fn the_document_that_is_written_point_by_point_is_the_whole_one() {
    let whole = &WHOLE.2;
    let json = String::from_utf8(written(Form::Json, whole, None)).expect("UTF-8");
    assert_eq!(json, render::json(whole));
}

#[test]
fn a_shard_that_is_computed_by_itself_has_the_points_of_the_whole() {
    let (resolved, axes, never) = (resolved(), axes(), AtomicBool::new(false));
    for index in 1..=5 {
        let share = Share { index, of: 5 };
        let plan = Plan::of_share(&resolved, &axes, share).expect("it is right");
        let points = plan.points(&effort(), &never, &|_| {}).expect("it ends");
        let wanted: Vec<&Numbered> = share.indices(POINTS).map(|point| &WHOLE.1[point]).collect();
        assert_eq!(points.iter().collect::<Vec<_>>(), wanted);
    }
}

proptest! {
    /// Any split, in any order, with parts that are there twice.
    #[test]
    fn any_split_in_any_order_has_the_bytes_of_one_process(
        of_point in prop::collection::vec(0usize..5, POINTS),
        again in prop::collection::vec(0usize..5, 0..4),
        order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
        backwards in any::<bool>(),
    ) {
        let points_of = |number: usize| {
            let mut points: Vec<Numbered> = WHOLE.1.iter()
                .filter(|point| of_point[point.index as usize] == number).cloned().collect();
            if backwards { points.reverse(); }
            points
        };
        let shard = |number: usize| Share { index: number as u64 + 1, of: 5 };
        let parts: Vec<(String, Vec<u8>)> = order.iter().chain(&again).enumerate()
            .map(|(name, number)| part(&format!("{name}.jsonl"), shard(*number), &points_of(*number)))
            .collect();
        let merged = Merged::of(&parts).expect("all points are there");
        for form in [Form::Json, Form::Csv] {
            prop_assert_eq!(written(form, &WHOLE.2, Some(&merged)), written(form, &WHOLE.2, None));
        }
        #[cfg(feature = "parquet")]
        prop_assert_eq!(
            written(Form::Parquet, &WHOLE.2, Some(&merged)), written(Form::Parquet, &WHOLE.2, None)
        );
    }
}

/// The points of each of `of` shards.
fn parts_of(of: u64) -> Vec<(String, Vec<u8>)> {
    let one = |index: u64| {
        let shard = Share { index, of };
        let points: Vec<Numbered> =
            shard.indices(POINTS).map(|point| WHOLE.1[point].clone()).collect();
        part(&format!("part-{index}.jsonl"), shard, &points)
    };
    (1..=of).map(one).collect()
}

#[test]
fn splits_of_several_numbers_go_together() {
    let mut parts = parts_of(3);
    parts.remove(1);
    parts.extend(parts_of(4));
    let merged = Merged::of(&parts).expect("all points are there");
    assert_eq!(written(Form::Json, &WHOLE.2, Some(&merged)), written(Form::Json, &WHOLE.2, None));
}

#[test]
fn what_is_missing_is_named() {
    let mut parts = parts_of(4);
    parts.remove(2);
    let told = refused(&parts);
    assert!(told.contains("sim merge: shard 3/4 is missing"), "{told}");
    assert!(told.contains("--shard 3/4"), "{told}");
    parts.remove(0);
    assert!(refused(&parts).contains("shards 1/4, 3/4 are missing"), "{}", refused(&parts));
    // Of several splits, points are named.
    let mut mixed = parts_of(12);
    mixed.truncate(11);
    mixed.push(parts_of(4).remove(0));
    let told = refused(&mixed);
    assert!(told.contains("1 points are missing: users=20, workers=3"), "{told}");
    assert!(refused(&[]).contains("there is no part to merge"));
}

/// Part 2 of 4, changed.
fn changed(change: impl Fn(&str) -> String) -> Vec<(String, Vec<u8>)> {
    let mut parts = parts_of(4);
    let text = change(std::str::from_utf8(&parts[1].1).expect("UTF-8"));
    parts[1].1 = text.into_bytes();
    parts
}

#[test]
fn a_part_that_does_not_belong_is_refused() {
    type Change = fn(&str) -> String;
    let cases: [(Change, &str); 9] = [
        (|text| text.replace(BUILD, "0123456789abcdef"), "another build of sim (0123456789abcdef)"),
        (
            |text| text.replacen("\"seed\":1", "\"seed\":2", 1),
            "is of another sweep than part-1.jsonl: seed",
        ),
        (
            |text| text.replacen("p99 < 4s", "p99 < 5s", 1),
            "is of another sweep than part-1.jsonl: objectives",
        ),
        (|text| text[..text.len() / 2].into(), "part-2.jsonl: is cut off after 1 points"),
        (
            |text| text.lines().take(3).map(|line| format!("{line}\n")).collect(),
            "is cut off after 2 points",
        ),
        (|text| text.replacen("{\"end\":3}", "{\"end\":4}", 1), "has 3 points, and should have 4"),
        (|text| format!("{text}\n"), "goes on after its end"),
        (
            |text| text.replacen("\"index\":1,", "\"index\":12,", 1),
            "has a point 12, which is beyond the last",
        ),
        (|_| "load.users = 3\n".into(), "part-2.jsonl: is no part of a sweep"),
    ];
    for (change, told) in cases {
        let refused = refused(&changed(change));
        assert!(refused.contains(told), "{told}: {refused}");
        assert_eq!(refused.matches("error: ").count(), 1, "{refused}");
    }
    // One of another form.
    let other = changed(|text| text.replacen("\"schema\":1", "\"schema\":2", 1));
    assert!(refused(&other).contains("has the form 2, and this program reads 1"));
}

#[test]
fn two_answers_at_one_point_are_refused() {
    let mut parts = parts_of(4);
    let mut other = WHOLE.1[5].clone();
    other.point.replications += 1;
    parts.push(part("other.jsonl", Share { index: 2, of: 4 }, &[other]));
    let told = refused(&parts);
    assert!(
        told.contains("other.jsonl:2:1: has another answer at a point than part-2.jsonl"),
        "{told}"
    );
}

/// Runs `sim` in a folder.
fn sim(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder).args(words).output().expect("sim starts")
}

const SWEEP: [&str; 10] = [
    "sweep",
    "v5.toml",
    "--set",
    "load.duration=3s",
    "--set",
    "load.warmup=1s",
    "--vary",
    "load.users=5,10,20",
    "--replications",
    "2",
];

#[test]
fn files_of_shards_merge_to_the_file_of_one_process() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let folder = folder.path();
    fs::create_dir(folder.join("parts")).expect("the folder is ours");
    for shard in ["1/2", "2/2", "1/2"] {
        let words = [&SWEEP[..], &["--shard", shard, "-o", "parts"]].concat();
        let done = sim(folder, &words);
        assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    }
    for form in ["json", "csv", "text", "markdown"] {
        let merged = sim(folder, &["merge", "parts", "--format", form]);
        let whole = sim(folder, &[&SWEEP[..], &["--format", form]].concat());
        assert!(merged.status.success() && whole.status.success(), "{merged:?}{whole:?}");
        assert_eq!(merged.stdout, whole.stdout, "{form}");
    }
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect("written");
    for (words, name) in [(&["merge", "parts"][..], "merged.html"), (&SWEEP[..], "whole.html")] {
        let done =
            sim(folder, &[words, &["--html", name, "--format", "csv", "-o", "x.csv"]].concat());
        assert!(done.status.success(), "{done:?}");
    }
    assert_eq!(page("merged.html").replace("merged", "whole"), page("whole.html"));
    // Without a part there is no answer, and what was there before stays.
    fs::remove_file(folder.join("parts/part-2.jsonl")).expect("it was written");
    fs::write(folder.join("answer.csv"), "before").expect("the folder is ours");
    let failed = sim(folder, &["merge", "parts", "--format", "csv", "-o", "answer.csv"]);
    assert_eq!((failed.status.code(), failed.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("shard 2/2 is missing"), "{failed:?}");
    assert_eq!(page("answer.csv"), "before");
}

#[test]
fn a_shard_that_cannot_be_is_one_sentence_and_no_file() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for (shard, told) in [
        ("0/4", "there is no shard 0 of 4"),
        ("5/4", "there is no shard 5 of 4"),
        ("half", "`half` is no shard"),
        ("k8s/4", "JOB_COMPLETION_INDEX, which is not set here"),
    ] {
        let words = [&SWEEP[..], &["--shard", shard, "-o", "part.jsonl"]].concat();
        let failed = sim(folder.path(), &words);
        let err = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(2), "{err}");
        assert!(err.contains(told) && err.matches("error: ").count() == 1, "{err}");
        assert!(!folder.path().join("part.jsonl").exists());
    }
    let words = [&SWEEP[..], &["--shard", "1/2", "--format", "csv"]].concat();
    assert_eq!(sim(folder.path(), &words).status.code(), Some(2));
}

#[test]
fn a_task_of_an_array_takes_its_shard_from_its_index() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for (word, name, value) in [
        ("slurm/3", "SLURM_ARRAY_TASK_ID", "2"),
        ("k8s/3", "JOB_COMPLETION_INDEX", "1"),
        ("batch/3", "AWS_BATCH_JOB_ARRAY_INDEX", "1"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        let words = [&SWEEP[..], &["--shard", word]].concat();
        let done = command.current_dir(folder.path()).args(words).env(name, value).output();
        let done = done.expect("sim starts");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(text.contains("\"shard\":{\"index\":2,\"of\":3}"), "{word}: {text}");
        assert_eq!(text.lines().count(), 3);
    }
}

const PAGE: &str = include_str!("../../docs/scale.md");

/// Each command of the page, with runs that are short.
#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let commands: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("sim ")).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    for line in commands {
        let mut words = shlex::split(line).expect("words");
        if words[1] == "sweep" {
            let short = ["--set", "load.warmup=1s", "--set", "load.duration=2s"];
            words.extend(short.map(String::from));
            words.extend(["--replications", "2"].map(String::from));
        }
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let done = sim(folder.path(), &words);
        assert!(done.status.success(), "{line}: {done:?}");
        let file = line.split(" -o ").nth(1).expect("a file");
        assert!(folder.path().join(file).exists(), "{line}");
    }
}

/// What the page says of a part is what a part has.
#[test]
fn the_form_of_a_part_is_as_the_page_says() {
    let (_, bytes) = parts_of(4).remove(1);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let head = &lines[0];
    assert_eq!((&head["form"], &head["schema"]), (&"rung sweep part".into(), &1.into()));
    assert_eq!(head["shard"], serde_json::json!({ "index": 2, "of": 4 }));
    for key in head["job"].as_object().expect("a job").keys() {
        assert!(PAGE.contains(&format!("`job.{key}`")), "{key}");
    }
    for key in head["job"]["effort"].as_object().expect("an effort").keys() {
        assert!(PAGE.contains(&format!("`{key}`")), "{key}");
    }
    let schema = model::sweep::sweep_schema();
    let known = schema["$defs"]["Point"]["properties"].as_object().expect("a schema");
    for key in lines[1]["point"].as_object().expect("a point").keys() {
        assert!(key == "index" || known.contains_key(key), "{key}");
    }
    assert_eq!(lines[4], serde_json::json!({ "end": 3 }));
}
