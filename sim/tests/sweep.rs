//! A scenario at several values of one or two keys.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use model::objective::State;
use model::read::Resolved;
use model::sweep::{Axis, Figures, Knee, Sweep};
use render::Format;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;
use sim::sweep::{Plan, csv};
use support::scenario;

fn axes(vary: &[&str]) -> Vec<Axis> {
    vary.iter().map(|text| text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))).collect()
}

fn few(replications: u32) -> Effort {
    Effort { replications, replications_max: replications, precision: None, ..Effort::default() }
}

fn sweep(resolved: &Resolved, vary: &[&str], effort: &Effort) -> Sweep {
    let axes = axes(vary);
    let plan = Plan::new(resolved, &axes).unwrap_or_else(|problems| panic!("{problems}"));
    let stop = AtomicBool::new(false);
    plan.run(effort, &stop, &|_| {}).unwrap_or_else(|stuck| panic!("{stuck:?}"))
}

const SHORT: [&str; 2] = ["load.warmup=5s", "load.duration=20s"];

#[test]
fn a_point_has_the_numbers_of_the_scenario_with_its_values() {
    let resolved = scenario("v5.toml", &SHORT, &["p99 < 10s"]);
    let swept = sweep(&resolved, &["service.workers=1..2", "load.users=50,100"], &few(4));
    let values: Vec<&[String]> = swept.points.iter().map(|point| &point.values[..]).collect();
    assert_eq!(values, [["1", "50"], ["1", "100"], ["2", "50"], ["2", "100"]]);
    let sets = ["service.workers=2", "load.users=50"];
    let alone = scenario("v5.toml", &[&SHORT[..], &sets].concat(), &["p99 < 10s"]);
    let report = predict(&alone, &few(4), Experiment::None, &mut |_| {}).expect("it ends");
    let point = swept.point(&["2", "50"]).expect("it was asked for");
    assert_eq!(point.figures, Figures::of(&report));
    assert_eq!(point.objectives, report.objectives);
    assert_eq!(point.error_interval.value, report.error_share);
    assert_eq!(point.replications, 4);
}

/// Users think for 200 ms and need 10 ms: throughput is min(N / 0.21, 100), which bends at 21 users.
#[test]
fn the_knee_of_a_closed_network_is_where_its_asymptotes_cross() {
    let sets = ["load.warmup=5s", "load.duration=40s"];
    let resolved = scenario("theory/closed.toml", &sets, &[]);
    let swept = sweep(&resolved, &["load.users=5..80*2"], &few(4));
    assert_eq!(swept.lines.len(), 1);
    assert_eq!(swept.lines[0].knee, Knee::At("20".into()));
    let knees = swept.points.iter().filter(|point| swept.is_knee(point));
    assert_eq!(knees.map(|point| point.values[0].as_str()).collect::<Vec<_>>(), ["20"]);
    // Of two keys there is a knee for each value of the second: twice the speed, twice the users.
    let swept = sweep(&resolved, &["load.users=5..160*2", "cpu.speed=1,2"], &few(4));
    let knees: Vec<Knee> = swept.lines.iter().map(|line| line.knee.clone()).collect();
    assert_eq!(knees, [Knee::At("20".into()), Knee::At("40".into())]);
}

/// Quantiles of M/M/1, which are exponential: ln(100) / (mu - lambda), at 99 % confidence.
#[test]
fn quantiles_along_a_sweep_are_those_of_mm1() {
    let sets = ["load.warmup=5s", "load.duration=200s"];
    let resolved = scenario("theory/mm1.toml", &sets, &["p99 < 100ms"]);
    let effort = Effort { confidence: 0.99, ..few(20) };
    let swept = sweep(&resolved, &["load.rate=20/s..80/s:20/s"], &effort);
    for (point, rate) in swept.points.iter().zip([20.0, 40.0, 60.0, 80.0]) {
        let wanted = 100f64.ln() / (100.0 - rate);
        let p99 = point.figures.p99.expect("answers");
        assert!(p99.contains(wanted), "{rate}/s: {p99:?} instead of {wanted}");
        let kept = wanted < 0.1;
        assert_eq!(point.kept(), Some(kept), "{rate}/s");
        assert_eq!(point.objectives[0].state == State::Kept, kept);
    }
}

#[test]
fn the_answer_has_the_same_bytes_on_one_thread_and_on_many() {
    let resolved = scenario("v6.toml", &SHORT, &["p99 < 20s"]);
    let vary = ["load.users=20..100:20", "upstream.partner.max_in_flight=10,50"];
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| sweep(&resolved, &vary, &few(3)))
    };
    let (one, four) = (on(1), on(4));
    assert_eq!(one, four);
    let json = |sweep: &Sweep| render::json(sweep);
    assert_eq!(json(&one), json(&four));
    assert_eq!(csv(&one), csv(&four));
    #[cfg(feature = "parquet")]
    assert_eq!(sim::sweep::parquet(&one), sim::sweep::parquet(&four));
    let back: Sweep = serde_json::from_str(&json(&one)).expect("its own form");
    assert_eq!(back, one);
}

#[test]
fn the_table_of_a_file_has_a_row_for_each_point() {
    let resolved = scenario("v6.toml", &SHORT, &["p99 < 20s", "errors < 1%"]);
    let swept = sweep(&resolved, &["upstream.partner.latency.p50=1s,\"2s\""], &few(2));
    let text = csv(&swept).expect("a table");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|one| one == name).expect(name);
    let rows: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("rows of one length");
    assert_eq!(rows.len(), 2);
    for (row, point) in rows.iter().zip(&swept.points) {
        assert_eq!(row[column("upstream.partner.latency.p50")], point.values[0]);
        let number = |name: &str| row[column(name)].parse::<f64>().expect("a number");
        assert_eq!(number("throughput_low"), point.figures.throughput.low);
        assert_eq!(number("p99"), point.figures.p99.expect("answers").value);
        assert_eq!(row[column("keep errors < 1%")], *"true");
        assert_eq!(row[column("kept")], point.kept().expect("objectives").to_string());
    }
}

/// The file is read back by the library that wrote it.
#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_has_the_cells_of_the_table() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let resolved = scenario("v6.toml", &SHORT, &["p99 < 20s"]);
    let swept = sweep(&resolved, &["load.users=10,300"], &few(2));
    let bytes = sim::sweep::parquet(&swept).expect("a file");
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a file");
    let rows: Vec<_> =
        reader.get_row_iter(None).expect("rows").collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 2);
    for (row, point) in rows.iter().zip(&swept.points) {
        let cell = |name: &str| {
            row.get_column_iter().find(|(column, _)| *column == name).map(|(_, cell)| cell.clone())
        };
        assert_eq!(cell("load.users"), Some(Field::Str(point.values[0].clone())));
        assert_eq!(cell("replications"), Some(Field::Long(2)));
        let p99 = point.figures.p99.expect("answers").value;
        assert_eq!(cell("p99"), Some(Field::Double(p99)));
        let full = point.figures.full.clone().map_or(Field::Null, Field::Str);
        assert_eq!(cell("full"), Some(full));
        assert_eq!(cell("kept"), point.kept().map(Field::Bool));
    }
}

#[test]
fn an_interrupted_sweep_keeps_the_points_that_are_done() {
    let resolved = scenario("v6.toml", &SHORT, &[]);
    let axes = axes(&["load.users=1..40"]);
    let plan = Plan::new(&resolved, &axes).expect("it is right");
    let stop = AtomicBool::new(false);
    let after_three = |done: usize| {
        if done == 3 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let swept = plan.run(&few(2), &stop, &after_three).expect("it ends");
    assert!((3..40).contains(&swept.points.len()), "{}", swept.points.len());
    assert!(!swept.is_complete());
    assert_eq!(swept.wanted, 40);
    assert_eq!(swept.lines[0].knee, Knee::Unknown);
    assert!(swept.warnings.iter().any(|one| one.starts_with("interrupted: ")), "{swept:?}");
    // Those that are there are those of the whole.
    let whole = sweep(&resolved, &["load.users=1..40"], &few(2));
    for point in &swept.points {
        assert!(whole.points.contains(point), "{point:?}");
    }
    let text = render::Answer::print(
        &render::sweep::Shown { sweep: &swept, show: Default::default() },
        Format::Text,
        render::Paint::default(),
    );
    assert!(text.contains("points are there"), "{text}");
}

/// Calls take 4 s at the median: a window of two seconds ends before the slow ones do.
#[test]
fn a_window_that_is_too_short_for_the_slow_requests_is_told() {
    let sets = ["load.warmup=0s", "load.duration=2s"];
    let swept = sweep(&scenario("v6.toml", &sets, &[]), &["load.users=100,200"], &few(3));
    assert!(swept.points.iter().all(|point| point.cut_short), "{swept:?}");
    let told = "at 2 of 2 points slow requests are still in flight";
    assert!(swept.warnings.iter().any(|one| one.starts_with(told)), "{:?}", swept.warnings);
    let long = scenario("v5.toml", &SHORT, &[]);
    let swept = sweep(&long, &["load.users=20,40"], &few(3));
    assert!(swept.points.iter().all(|point| !point.cut_short), "{swept:?}");
}

#[test]
fn what_cannot_be_swept_is_refused_with_every_problem() {
    let resolved = scenario("v5.toml", &[], &[]);
    let refused = |vary: &[&str]| {
        let axes = axes(vary);
        Plan::new(&resolved, &axes).map(|_| ()).expect_err("it is wrong").to_string()
    };
    let unknown = refused(&["load.usrs=1..50"]);
    assert_eq!(unknown.matches("unknown key `load.usrs`").count(), 1, "{unknown}");
    let both = refused(&["service.workers=0..2", "load.duration=0s,10s"]);
    assert!(both.contains("service.workers=0") && both.contains("load.duration=0s"), "{both}");
    assert!(
        refused(&["load.users=1,2", "load.users=3,4"]).contains("`load.users` is varied twice")
    );
    let three = ["load.users=1,2", "service.workers=1,2", "cpu.speed=1,2"];
    assert!(refused(&three).contains("3 keys are varied at once"));
    let many = ["load.users=1..10000", "service.workers=1..200"];
    assert!(refused(&many).contains("2000000 points"), "{}", refused(&many));
}
