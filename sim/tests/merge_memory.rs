//! A merge holds no points: its memory is a few numbers for each.
//!
//! The peak is read from `/proc/self/status`: the figure of this one process, so it has one test.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use model::sweep::{Axis, Point};
use sim::replicate::Effort;
use sim::sweep::part::merge::Merged;
use sim::sweep::part::{Head, Job, Line, Numbered, Share};
use sim::sweep::{Form, Plan};

mod support;

use support::scenario;

const ROWS: usize = 400;
const COLUMNS: usize = 250;
const SHARDS: u64 = 100;

/// Peak resident memory of this process so far, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A real point, and the sweep that it is from.
fn small() -> (Job, Point) {
    let effort =
        Effort { replications: 2, replications_max: 2, precision: None, ..Effort::default() };
    let sets = ["load.warmup=1s", "load.duration=3s"];
    let resolved = scenario("v5.toml", &sets, &["p99 < 4s", "errors < 1%"]);
    let axes: Vec<Axis> = vec!["load.users=5,10".parse().unwrap()];
    let plan = Plan::new(&resolved, &axes).unwrap();
    let mut points = plan.points(&effort, &AtomicBool::new(false), &|_| {}).unwrap();
    (plan.job(&effort), points.remove(0).point)
}

fn values(count: usize) -> Vec<String> {
    (1..=count).map(|value| value.to_string()).collect()
}

/// Parts of a large sweep, each point a copy of one.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let (small, point) = small();
    let axis = |key: &str, count| Axis { key: key.into(), values: values(count) };
    let vary = vec![axis("load.users", ROWS), axis("service.workers", COLUMNS)];
    let job = Job { vary, ..small };
    let part = |index: u64| {
        let shard = Share { index, of: SHARDS };
        let file = folder.join(format!("part-{index}.jsonl"));
        let mut out = BufWriter::new(File::create(&file).unwrap());
        let mut line = |text: String| writeln!(out, "{text}").unwrap();
        line(serde_json::to_string(&Head::new(job.clone(), shard)).unwrap());
        let mut count = 0;
        for index in shard.indices(ROWS * COLUMNS) {
            let values = job.values(index).into_iter().map(String::from).collect();
            let point = Point { values, ..point.clone() };
            let numbered = Line::Point(Box::new(Numbered { index: index as u64, point }));
            line(serde_json::to_string(&numbered).unwrap());
            count += 1;
        }
        line(serde_json::to_string(&Line::End(count)).unwrap());
        file
    };
    (1..=SHARDS).map(part).collect()
}

#[test]
fn a_merge_has_a_few_numbers_of_each_point_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let parts = parts(folder.path());
    let before = peak();
    let merged = Merged::of(&parts).unwrap();
    let points = (ROWS * COLUMNS) as u64;
    assert_eq!(merged.len() as u64, points);
    let mut rows = 0u64;
    let counted = merged.points().inspect(|_| rows += 1);
    sim::sweep::write(Form::Csv, merged.sweep(), counted, &mut std::io::sink()).unwrap();
    assert_eq!(rows, points);
    let grown = peak() - before;
    // A point in memory has more, its strings not counted.
    assert!(grown < points * 150, "{grown} bytes for {points} points");
    assert!(size_of::<Point>() > 200, "{} bytes", size_of::<Point>());
}
