//! The rows of a comparison: one number each.

use model::station::StationId;
use validate::{Comparison, Judgement, Metric, Row, Scope, Unit, Verdict};

use super::sample::*;

fn find<'a>(comparison: &'a Comparison, scope: &Scope, metric: Metric) -> &'a Row {
    let row = comparison.rows.iter().find(|row| row.scope == *scope && row.metric == metric);
    row.expect("a row")
}

#[test]
fn a_row_has_both_sides_the_error_and_the_noise() {
    let (mut p, m) = (predicted(), measured());
    p.throughput = about(42.0, 0.005);
    let comparison = compared(&p, &m);
    let row = comparison.overall(Metric::Throughput).expect("a row");
    let (p, m) = (row.predicted.expect("a side"), row.measured.expect("a side"));
    assert_eq!((p.value, m.value), (42.0, 40.0));
    assert!((m.low.expect("known") - 39.2).abs() < 1e-9);
    assert_eq!((row.error, row.noise, row.unit), (Some(0.05), Some(0.02), Unit::Relative));
    let margin = (0.0210f64 / 4.0).hypot(0.02);
    assert!((row.margin.expect("known") - margin).abs() < 1e-6, "{row:?}");
    assert!(row.headline && row.tolerance == 0.05);
}

#[test]
fn shares_are_compared_in_points() {
    let (mut p, m) = (predicted(), measured());
    fill(&mut p, "cpu", 0.53);
    let comparison = compared(&p, &m);
    let row = comparison.overall(Metric::Utilisation).expect("a row");
    assert_eq!((row.unit, row.verdict), (Unit::Points, Judgement::Agree));
    assert!((row.error.expect("an error") - 0.03).abs() < 1e-9);
    fill(&mut p, "cpu", 0.58);
    assert_eq!(judgement(&compared(&p, &m), Metric::Utilisation), Judgement::Disagree);
}

#[test]
fn errors_of_one_side_only_are_told_by_kind() {
    let (mut p, m) = (predicted(), measured());
    p.errors.insert("rejected".into(), 200.0);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Disagree);
    assert_eq!(judgement(&comparison, Metric::ErrorShare), Judgement::Disagree);
    let kinds: Vec<(&str, f64, f64, Judgement)> = comparison
        .rows
        .iter()
        .filter_map(|row| {
            let (p, m) = (row.predicted?.value, row.measured?.value);
            Some((row.error_kind.as_deref()?, p, m, row.verdict))
        })
        .collect();
    let [(rejected, p, m, verdict), (timeout, _, _, other)] = kinds[..] else {
        panic!("{kinds:?}");
    };
    assert_eq!((rejected, timeout, other), ("rejected", "timeout", Judgement::Agree));
    assert!((p - 1000.0 / 13_015.0).abs() < 1e-9 && m == 0.0);
    assert_eq!(verdict, Judgement::Disagree);
}

#[test]
fn kinds_that_did_not_occur_are_left_out() {
    let (mut p, mut m) = (predicted(), measured());
    for report in [&mut p, &mut m] {
        report.errors.insert("rejected".into(), 0.0);
        report.errors.insert("timeout".into(), 0.0);
    }
    let comparison = compared(&p, &m);
    assert!(comparison.rows.iter().all(|row| row.error_kind.is_none()));
    assert_eq!(judgement(&comparison, Metric::ErrorShare), Judgement::Agree);
}

#[test]
fn no_error_among_a_few_answers_does_not_say_that_there_are_none() {
    let (mut p, mut m) = (predicted(), measured());
    for report in [&mut p, &mut m] {
        report.errors.clear();
    }
    m.run.samples = 50;
    assert_eq!(judgement(&compared(&p, &m), Metric::ErrorShare), Judgement::WithinNoise);
}

#[test]
fn endpoints_and_stations_of_one_side_only_are_told() {
    let (mut p, mut m) = (predicted(), measured());
    p.stations.push(station(StationId::InterpreterLock, Some(1), 0.3));
    m.stations.push(station(StationId::DatabaseLock, Some(1), 0.1));
    m.classes[1].name = "refund".into();
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Agree);
    let why = |scope: Scope, metric| {
        let row = find(&comparison, &scope, metric);
        assert_eq!((row.verdict, row.error), (Judgement::NotJudged, None));
        row.why.clone().expect("a reason")
    };
    let station = |name: &str| Scope::Station(name.into());
    let class = |name: &str| Scope::Class(name.into());
    assert_eq!(why(station("interpreter lock"), Metric::Utilisation), "not in the measurement");
    assert_eq!(why(station("database lock"), Metric::WaitingTime), "not in the prediction");
    assert_eq!(why(class("pay"), Metric::Throughput), "not in the measurement");
    assert_eq!(why(class("refund"), Metric::Throughput), "not in the prediction");
}

#[test]
fn each_group_of_the_load_is_compared_and_decides_nothing() {
    let group = |name: &str, class: &model::report::Class| model::report::LoadAnswer {
        name: name.into(),
        throughput: class.throughput,
        response_time: class.response_time,
        errors: class.errors.clone(),
        sent: 400.0,
        dropped: 0.0,
    };
    let (mut p, mut m) = (predicted(), measured());
    for report in [&mut p, &mut m] {
        let classes = report.classes.iter().zip(["page", "poller"]);
        report.groups = classes.map(|(class, name)| group(name, class)).collect();
    }
    m.groups[1].response_time.p50 *= 2.0;
    let comparison = compared(&p, &m);
    let find = |name: &str| find(&comparison, &Scope::Group(name.into()), Metric::P50).verdict;
    assert_eq!((find("page"), find("poller")), (Judgement::Agree, Judgement::Disagree));
    assert_eq!(comparison.verdict, Verdict::Agree);
    let text = render::Answer::page(&comparison).text(render::Paint::default());
    let line = text.lines().find(|line| line.starts_with("poller")).expect("a row");
    assert!(text.contains("Errors by load (") && line.contains('!'), "{text}");
    // One load has no groups.
    assert!(
        !compared(&predicted(), &measured())
            .rows
            .iter()
            .any(|row| { matches!(row.scope, Scope::Group(_)) })
    );
}

#[test]
fn a_rare_endpoint_has_no_far_quantiles() {
    let (p, mut m) = (predicted(), measured());
    m.classes[1].throughput = about(0.5, 0.02);
    let comparison = compared(&p, &m);
    let pay = Scope::Class("pay".into());
    assert_eq!(find(&comparison, &pay, Metric::P99).verdict, Judgement::NotJudged);
    assert_eq!(
        find(&comparison, &pay, Metric::P95).why.as_deref(),
        Some("150 good answers were measured, and it takes 200")
    );
    assert_eq!(find(&comparison, &pay, Metric::P50).verdict, Judgement::Agree);
    assert_eq!(find(&comparison, &pay, Metric::Throughput).verdict, Judgement::Disagree);
}

#[test]
fn twice_of_next_to_nothing_is_no_error() {
    let (mut p, m) = (predicted(), measured());
    let cpu = Scope::Station("cpu".into());
    // The mean is 260 ms, with one visit each: 1 % of it is 2.6 ms.
    p.stations[0].waiting_time_mean = 0.0225;
    let comparison = compared(&p, &m);
    assert_eq!(find(&comparison, &cpu, Metric::WaitingTime).verdict, Judgement::Agree);
    p.stations[0].waiting_time_mean = 0.0235;
    let comparison = compared(&p, &m);
    let row = find(&comparison, &cpu, Metric::WaitingTime);
    assert_eq!((row.verdict, row.noise), (Judgement::Disagree, None));
}

#[test]
fn a_station_without_a_capacity_has_neither_use_nor_waits() {
    let comparison = compared(&predicted(), &measured());
    let bank = Scope::Station("upstream bank".into());
    let metrics: Vec<Metric> =
        comparison.rows.iter().filter(|row| row.scope == bank).map(|row| row.metric).collect();
    assert_eq!(metrics, [Metric::InFlight]);
}
