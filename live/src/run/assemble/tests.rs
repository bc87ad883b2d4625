use model::measurement::Measurement;
use model::stream::replication_seed;

use super::*;
use crate::run::sample::{self, RATE, SECOND, WINDOW, cold, cut, round};

fn measurement(report: &Report) -> &Measurement {
    report.measurement.as_ref().expect("it is measured")
}

fn warned(report: &Report, words: &str) -> bool {
    report.warnings.iter().any(|warning| warning.contains(words))
}

#[test]
fn a_round_is_told_as_it_was() {
    let report = sample::report(&[round(1)]);
    assert_eq!((report.run.replications, report.run.duration), (1, WINDOW as f64));
    assert_eq!(report.run.samples, RATE * WINDOW);
    assert_eq!(report.throughput.value, RATE as f64);
    assert_eq!((report.arrivals.sent, report.arrivals.rate), (1000.0, 100.0));
    assert_eq!((report.response_time.mean, report.error_share), (0.02, 0.0));
    assert_eq!(report.in_flight.mean.value, 2.0);
    assert_eq!(report.published.as_ref().map(|figure| figure.error), Some(0.25));
    // What the process had at most, not what it had at the end.
    assert_eq!((report.memory.mean, report.memory.peak), ((12 << 20) as f64, (15 << 20) as f64));
    let time: f64 = report.time.iter().map(|part| part.seconds).sum();
    assert!((time - report.response_time.mean).abs() < 1e-9, "{:?}", report.time);
    assert!(!report.cut_short && warned(&report, "only 1000 good answers"));
    let how = measurement(&report);
    assert_eq!(how.inconclusive, [""; 0]);
    assert!(how.accounting.adds_up());
    let names: Vec<&str> = how.processes.iter().map(|process| &*process.name).collect();
    assert_eq!(names, ["worker 0", "mock upstream", "load generator"]);
    let used: Vec<f64> = how.processes.iter().map(|process| process.utilisation).collect();
    assert_eq!(used, [0.5, 0.1, 0.1]);
    assert_eq!(how.connections.opened, 2);
    assert_eq!((&*how.upstreams[0].name, how.upstreams[0].calls), ("partner", 1200));
}

#[test]
fn only_an_open_load_falls_behind() {
    let slow = || {
        let mut slow = round(1);
        slow.tally.sent = 12 * RATE;
        slow
    };
    assert_eq!(sample::report(&[slow()]).falls_behind, None);
    let report = sample::report_under("load = { rate = \"120/s\"", &[slow()]);
    // 120 a second were sent in the ten seconds, and 100 answered.
    assert_eq!(report.falls_behind, Some(Estimate::exact(20.0)));
    assert_eq!(sample::report_under("load = { rate = \"120/s\"", &[round(1)]).falls_behind, None);
}

#[test]
fn work_after_replies_that_piles_up_falls_behind() {
    // 100 pieces a second begin and so many end, each after so many seconds in the mean.
    let piles = |ended: u64, seconds: u64| {
        let mut piles = round(1);
        let left = (100 - ended) * 10;
        let gauge = &mut piles.close.workers[0].stations.after;
        (gauge.entries, gauge.value) = (1000, left);
        gauge.area = ended * 10 * seconds * 1_000_000_000;
        sample::report_with_after(&[piles]).falls_behind
    };
    assert_eq!(piles(80, 1), Some(Estimate::exact(20.0)));
    assert_eq!(piles(99, 1), None, "a few are always under way");
    assert_eq!(piles(80, 5), None, "those that are left may only be long");
    assert_eq!(piles(0, 0), None);
}

#[test]
fn stations_hold_what_is_in_flight() {
    let report = sample::report(&[round(1)]);
    let at = |name: &str| {
        let mut named = report.stations.iter().filter(|station| station.id.to_string() == name);
        named.next().map_or(0.0, |station| station.in_flight_mean)
    };
    // A tenth of the two is on its way back, and the loop is busy half of the time.
    let held = at("cpu") + at("upstream partner") + at("loop") - 0.5;
    assert!((held - 1.9).abs() < 1e-6, "{:?}", report.stations);
}

#[test]
fn one_round_has_intervals_over_stretches_of_it() {
    let mut uneven = round(1);
    for heard in &mut uneven.seconds {
        heard.good[0] += heard.second.index % 3;
    }
    let report = sample::report(&[uneven]);
    assert_eq!(report.throughput.value, RATE as f64);
    assert!(report.throughput.half_width() > 0.0);
    let names: Vec<&str> = report.response_time_intervals.keys().map(String::as_str).collect();
    // A second has a hundred samples.
    assert_eq!(names, ["mean", "p50", "p90"]);
    assert_eq!(sample::report(&[round(1)]).throughput.half_width(), 0.0);
}

#[test]
fn rounds_have_intervals_over_rounds() {
    let report = sample::report(&[round(1), round(3), round(2)]);
    assert_eq!((report.run.replications, report.run.duration), (3, WINDOW as f64));
    assert_eq!(report.throughput.value, 2.0 * RATE as f64);
    assert!(report.throughput.low < 100.0 && report.throughput.high > 300.0);
    let names: Vec<&str> = report.response_time_intervals.keys().map(String::as_str).collect();
    // The first round has a thousand samples.
    assert_eq!(names, ["mean", "p50", "p90", "p95", "p99"]);
    assert_eq!(report.arrivals.sent, 2000.0);
    assert_eq!(measurement(&report).upstreams[0].calls, 6 * 1200);
    assert!(!warned(&report, "rounds count"));
}

#[test]
fn each_round_is_told_by_itself_with_the_seed_of_its_draws() {
    let report = sample::report(&[round(1), cut(), round(3)]);
    let alone = [round(1), round(3)].map(|round| sample::report(&[round]));
    // The second does not count, and its seed is not used again.
    for ((told, alone), turn) in report.rounds.iter().zip(&alone).zip([0, 2]) {
        assert_eq!(told.seed, replication_seed(report.seed, turn));
        assert_eq!((told.throughput, &told.run), (alone.throughput, &alone.run));
        assert_eq!((&told.classes, &told.stations), (&alone.classes, &alone.stations));
        assert_eq!(measurement(told).accounting, measurement(alone).accounting);
        assert_eq!((&told.published, told.rounds.len()), (&None, 0));
    }
    assert_eq!(report.rounds.len(), report.run.replications as usize);
    assert!(alone.iter().all(|report| report.rounds.is_empty()));
}

#[test]
fn rounds_that_were_cut_do_not_count_beside_whole_ones() {
    let whole = sample::report(&[round(1), round(1)]);
    for other in [cut(), cold()] {
        let report = sample::report(&[round(1), other.clone(), round(1)]);
        assert!(warned(&report, "2 of 3 rounds count"), "{:?}", report.warnings);
        assert_eq!((report.throughput, report.run.samples), (whole.throughput, whole.run.samples));
        assert_eq!((&report.stations, &report.time), (&whole.stations, &whole.time));
        assert_eq!(report.arrivals, whole.arrivals);
        let how = measurement(&report);
        assert!(how.interrupted && how.accounting.adds_up());
        // Every request is accounted for all the same.
        assert_eq!(
            how.accounting.sent,
            3 * measurement(&sample::report(&[round(1)])).accounting.sent
        );
    }
    // What went wrong there is told, but is no doubt about the others.
    let mut broken = cut();
    broken.troubles.push("the worker 0 failed".into());
    let report = sample::report(&[broken, round(1)]);
    assert!(warned(&report, "the worker 0 failed"));
    let doubts = &measurement(&report).inconclusive;
    assert!(!doubts.iter().any(|doubt| doubt.contains("worker 0")), "{doubts:?}");
}

#[test]
fn without_a_whole_round_one_that_was_cut_counts() {
    let report = sample::report(&[cold(), cut()]);
    assert_eq!((report.run.samples, report.throughput.value), (RATE, RATE as f64));
    assert_eq!((report.run.replications, report.run.duration), (1, 1.0));
    assert!(measurement(&report).inconclusive.iter().any(|doubt| doubt.contains("interrupted")));
    assert!(warned(&report, "1 of 2 rounds count"));
}

/// Rounds of all kinds, alone and together.
fn kinds() -> Vec<Vec<Round>> {
    let mut silent = round(1);
    silent.close.workers[0] = crate::stack::Snapshot::default();
    silent.close.upstream = None;
    silent.noise = None;
    let mut alone = Round::of_load(0, round(1).tally, Vec::new());
    alone.tally.classes[0].malformed = 1;
    let mut rejected = cold();
    rejected.tally.opened = 0;
    rejected.tally.closed = SECOND;
    let one = [round(1), cold(), cut(), silent, alone, rejected];
    let mut all: Vec<Vec<Round>> = one.iter().map(|round| vec![round.clone()]).collect();
    all.push(one.to_vec());
    all.push(vec![cold(), cold()]);
    all.push(vec![cut(), cut(), cold()]);
    all
}

#[test]
fn every_report_can_be_read_back() {
    for rounds in kinds() {
        let report = sample::report(&rounds);
        let text = render::json(&report);
        let again: Report =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(again, report);
    }
}

#[test]
fn a_run_that_never_counted_is_all_zeros() {
    let report = sample::report(&[cold()]);
    assert_eq!((report.run.samples, report.run.duration), (0, 0.0));
    assert_eq!((report.throughput.value, report.arrivals.rate), (0.0, 0.0));
    assert!(report.stations.is_empty() && report.response_time_intervals.is_empty());
    assert!(warned(&report, "no request was answered well"));
    assert!(measurement(&report).processes.iter().all(|process| process.utilisation == 0.0));
}

#[test]
fn accounts_that_cannot_be_are_a_doubt() {
    let mut odd = round(1);
    odd.tally.classes[0].malformed = 2;
    let report = sample::report(&[round(1), odd]);
    assert!(measurement(&report).inconclusive.iter().any(|doubt| doubt.starts_with("2 answers")));
}

#[test]
fn few_answers_make_rough_quantiles() {
    for (samples, words) in [(99, "all quantiles"), (100, "p99.9"), (9_999, "p99.9")] {
        let mut few = round(1);
        few.tally.classes[0].good = samples;
        assert!(warned(&sample::report(&[few]), words), "{samples}");
    }
    let mut many = round(1);
    many.tally.classes[0].good = 10_000;
    assert!(!warned(&sample::report(&[many]), "rough"));
}
