//! The files of a run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use live::machine::Facts;

use crate::support::Lab;

const SHOP: &str = r#"
    load = { users = 4, warmup = "300ms", duration = "2s" }
    service.concurrency = "async"
    database.connections.kind = "pool"
    upstream.partner = { latency = "20ms", failures = "10%" }
    endpoint = [
        { name = "list", weight = 1, steps = [{ read = "items" }] },
        { name = "quote", weight = 1, steps = [{ call = "partner" }] },
    ]
"#;

/// A histogram of the log: its tag, start, length and number of values.
type Interval = (String, u64, f64, u64);

fn histograms(log: &[u8]) -> Vec<Interval> {
    let mut deserializer = Deserializer::new();
    let entries = IntervalLogIterator::new(log).map(|entry| entry.expect("an entry of the log"));
    let intervals = entries.filter_map(|entry| match entry {
        LogEntry::Interval(interval) => Some(interval),
        LogEntry::StartTime(_) | LogEntry::BaseTime(_) => None,
    });
    let read = intervals.map(|interval| {
        let bytes = STANDARD.decode(interval.encoded_histogram()).expect("base 64");
        let histogram: Histogram<u64> =
            deserializer.deserialize(&mut &*bytes).unwrap_or_else(|error| panic!("{error:?}"));
        let tag = interval.tag().map(|tag| tag.as_str().to_string()).unwrap_or_default();
        (
            tag,
            interval.start_timestamp().as_secs(),
            interval.duration().as_secs_f64(),
            histogram.len(),
        )
    });
    read.collect()
}

#[test]
fn a_run_is_kept_whole() {
    let lab = Lab::new(SHOP);
    let kept = lab.run("--repeat 2 --set load.users=5");
    let read = |name: &str| fs::read(kept.folder.join(name)).expect("it is kept");
    let text = |name: &str| String::from_utf8(read(name)).expect("it is text");
    let mut names: Vec<_> = fs::read_dir(&kept.folder)
        .expect("it is kept")
        .map(|entry| entry.expect("it is kept").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    let all = ["histograms.hlog", "machine.json", "report.json", "scenario.toml", "seconds.csv"];
    assert_eq!(names, all);

    // The folder has the permissions of other folders of this user.
    let mode = |path: &Path| fs::metadata(path).expect("it is kept").permissions().mode();
    assert_eq!(mode(&kept.folder) & 0o777, mode(&lab.path("runs")) & 0o755);

    let facts: Facts = serde_json::from_str(&text("machine.json")).expect("facts");
    assert_eq!(facts.page_size, rustix::param::page_size() as u64);

    let again = model::read::load(&kept.folder.join("scenario.toml"), &[]).expect("a scenario");
    assert_eq!(again.digest(), kept.report.digest);
    assert_eq!(again.digest(), lab.resolved(&["load.users=5"]).digest());

    // 2.3 s of load: three rows for each round, of which the last is shorter.
    let series = text("seconds.csv");
    let mut rows = series.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    assert_eq!(header[..4], ["round", "second", "seconds", "sent"]);
    let rows: Vec<Vec<f64>> =
        rows.map(|row| row.iter().map(|cell| cell.parse().expect("a number")).collect()).collect();
    let numbers: Vec<_> = rows.iter().map(|row| (row[0] as u32, row[1] as u32)).collect();
    assert_eq!(numbers, [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]);
    assert!(rows.iter().all(|row| row.len() == header.len()));
    let column = |name: &str| header.iter().position(|title| *title == name).expect("a column");
    let sum = |name: &str| rows.iter().map(|row| row[column(name)]).sum::<f64>() as u64;
    let accounting = &kept.measurement().accounting;
    assert_eq!(sum("sent"), accounting.sent);
    assert_eq!(sum("good"), accounting.good);
    assert_eq!(sum("errors"), accounting.failed());
    let last = rows.iter().filter(|row| row[1] == 2.0).map(|row| row[column("in_flight")]);
    assert_eq!(last.sum::<f64>() as u64, accounting.in_flight);

    let histograms = histograms(&read("histograms.hlog"));
    let rounds: Vec<_> =
        histograms.iter().map(|(tag, second, ..)| (tag.as_str(), *second)).collect();
    let both = ["round1", "round2"].into_iter().flat_map(|tag| (0..3).map(move |s| (tag, s)));
    assert_eq!(rounds, both.collect::<Vec<_>>());
    for ((.., count), row) in histograms.iter().zip(&rows) {
        assert_eq!(*count as f64, row[column("good")]);
    }
    assert_eq!(histograms.iter().map(|(.., count)| count).sum::<u64>(), accounting.good);
    assert_eq!(kept.report.run.replications, 2);
}
