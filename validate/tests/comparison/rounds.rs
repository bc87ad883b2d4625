//! Rounds that are paired, and rounds that are not.

use model::report::Report;
use model::station::StationId;
use validate::{Comparison, Judgement, Metric, Row, Scope, Verdict};

use super::sample::*;

/// How much slower than the whole each round was, on both sides.
const SHARED: [f64; 5] = [0.8, 1.0, 1.2, 0.9, 1.1];

/// The canned reports in rounds that share their noise, the prediction being `factor` times
/// slower.
fn shared(factor: f64) -> (Report, Report) {
    let mut predicted = predicted();
    slow_down(&mut predicted, factor);
    (in_rounds(predicted, &SHARED), in_rounds(measured(), &SHARED))
}

fn without_rounds(mut report: Report) -> Report {
    report.rounds.clear();
    report
}

fn find<'a>(comparison: &'a Comparison, scope: &Scope, metric: Metric) -> &'a Row {
    let row = comparison.rows.iter().find(|row| row.scope == *scope && row.metric == metric);
    row.expect("a row")
}

fn overall(comparison: &Comparison, metric: Metric) -> &Row {
    comparison.overall(metric).expect("a row")
}

#[test]
fn noise_that_both_sides_share_does_not_blur_a_small_error() {
    let (p, m) = shared(1.02);
    let paired = compared(&p, &m);
    assert_eq!(paired.verdict, Verdict::Agree, "{:?}", paired.reasons);
    let row = overall(&paired, Metric::Throughput);
    assert!(row.paired && row.margin < Some(0.01), "{row:?}");
    // A single round may be as far off as the rounds are apart.
    assert!(row.noise > Some(0.15), "{row:?}");
    let unpaired = compared(&without_rounds(p), &m);
    assert_eq!(unpaired.verdict, Verdict::Inconclusive);
    let row = overall(&unpaired, Metric::Throughput);
    assert!(!row.paired && row.verdict == Judgement::WithinNoise, "{row:?}");
    assert_eq!(row.noise, overall(&paired, Metric::Throughput).noise);
    assert_eq!(row.error, overall(&paired, Metric::Throughput).error);
}

#[test]
fn noise_that_both_sides_share_does_not_hide_an_error() {
    let (p, m) = shared(1.25);
    assert_eq!(judgement(&compared(&p, &m), Metric::Throughput), Judgement::Disagree);
    let unpaired = compared(&without_rounds(p), &m);
    assert_eq!(judgement(&unpaired, Metric::Throughput), Judgement::WithinNoise);
}

#[test]
fn noise_of_one_side_alone_stays_in_the_differences() {
    let m = in_rounds(measured(), &SHARED);
    for factors in [[1.0; 5], [1.2, 1.0, 0.8, 1.1, 0.9]] {
        let comparison = compared(&in_rounds(predicted(), &factors), &m);
        let row = overall(&comparison, Metric::Mean);
        assert!(row.paired && row.margin >= row.noise, "{row:?}");
        assert_eq!(row.verdict, Judgement::WithinNoise);
    }
}

#[test]
fn the_margin_is_the_t_interval_of_the_differences() {
    let mut p = in_rounds(predicted(), &[1.0; 3]);
    for (round, throughput) in p.rounds.iter_mut().zip([41.0, 42.0, 43.0]) {
        round.throughput = about(throughput, 0.0);
    }
    p.throughput = about(42.0, 0.3);
    let comparison = compared(&p, &in_rounds(measured(), &[1.0; 3]));
    let row = overall(&comparison, Metric::Throughput);
    // t at two degrees of freedom, over the root of three, relative to 40/s.
    assert!((row.margin.expect("known") - 4.3027 / 3f64.sqrt() / 40.0).abs() < 1e-5, "{row:?}");
    assert_eq!((row.error, row.noise), (Some(0.05), Some(0.0)));
}

#[test]
fn endpoints_and_stations_have_noise_from_rounds_too() {
    let (p, m) = shared(1.0);
    let (class, station) = (Scope::Class("pay".into()), Scope::Station("cpu".into()));
    let numbers = [(&class, Metric::P99), (&class, Metric::Throughput)];
    let numbers = numbers.into_iter().chain([
        (&station, Metric::Utilisation),
        (&station, Metric::WaitingTime),
        (&station, Metric::InFlight),
    ]);
    let unpaired = compared(&without_rounds(p.clone()), &m);
    let paired = compared(&p, &m);
    for (scope, metric) in numbers {
        let (row, other) = (find(&paired, scope, metric), find(&unpaired, scope, metric));
        assert!(row.paired && !other.paired, "{row:?}");
        assert_eq!(row.noise, other.noise);
        assert!(row.noise.is_some() && other.margin >= other.noise, "{other:?}");
    }
    assert!(find(&paired, &class, Metric::P99).noise > Some(0.1));
}

#[test]
fn rounds_of_other_seeds_or_another_number_are_not_paired() {
    let (p, m) = shared(1.02);
    let mut swapped = p.clone();
    swapped.rounds.swap(0, 1);
    let mut fewer = p.clone();
    fewer.rounds.truncate(4);
    for (p, has) in [
        (swapped, "has rounds of other seeds"),
        (fewer, "has 4 rounds"),
        (without_rounds(p.clone()), "does not list its rounds"),
    ] {
        let comparison = compared(&p, &m);
        assert!(comparison.rows.iter().all(|row| !row.paired));
        let told = format!("5 rounds were measured and the prediction {has}: their noise");
        assert!(
            comparison.warnings.iter().any(|warning| warning.starts_with(&told)),
            "{:?}",
            comparison.warnings
        );
        assert_eq!(judgement(&comparison, Metric::Throughput), Judgement::WithinNoise);
    }
    let paired = compared(&p, &m);
    assert!(paired.is_paired() && paired.warnings.is_empty(), "{:?}", paired.warnings);
    // One round makes no pair, and no warning says so.
    let one = |report: Report| in_rounds(report, &[1.0]);
    let comparison = compared(&one(predicted()), &one(measured()));
    assert!(!comparison.is_paired());
    assert!(comparison.warnings.iter().all(|warning| !warning.contains("rounds")));
}

#[test]
fn numbers_that_a_round_lacks_are_not_paired() {
    let (p, mut m) = shared(1.0);
    m.rounds[2].classes.retain(|class| class.name != "pay");
    m.rounds[3].stations.retain(|station| station.id != StationId::Cpu);
    let comparison = compared(&p, &m);
    let row = |scope, metric| find(&comparison, &scope, metric);
    let (cart, pay) = (Scope::Class("cart".into()), Scope::Class("pay".into()));
    assert!(row(cart, Metric::P50).paired);
    // The interval of the whole report is used.
    let throughput = row(pay.clone(), Metric::Throughput);
    assert_eq!((throughput.paired, throughput.noise), (false, Some(0.02)));
    let median = row(pay, Metric::P50);
    assert_eq!((median.paired, median.noise), (false, None));
    // The rounds of the prediction still have the median, and give a margin.
    assert!(median.margin > Some(0.1) && median.verdict == Judgement::WithinNoise, "{median:?}");
    for scope in [Scope::Station("cpu".into()), Scope::Overall] {
        assert!(!row(scope, Metric::Utilisation).paired);
    }
    assert!(row(Scope::Station("loop".into()), Metric::Utilisation).paired);
}

#[test]
fn a_round_without_answers_has_no_times() {
    let (mut p, m) = shared(1.0);
    p.rounds[1].run.samples = 0;
    p.rounds[1].classes[0].throughput = about(0.0, 0.0);
    let comparison = compared(&p, &m);
    assert!(!overall(&comparison, Metric::Mean).paired);
    assert!(overall(&comparison, Metric::Throughput).paired);
    assert!(!find(&comparison, &Scope::Class("cart".into()), Metric::P50).paired);
}

#[test]
fn no_error_in_any_round_does_not_say_that_there_are_none() {
    let reports = |samples| {
        let [mut p, mut m] = [predicted(), measured()];
        [&mut p, &mut m].into_iter().for_each(|report| thin(report, samples));
        (in_rounds(p, &[1.0; 5]), in_rounds(m, &[1.0; 5]))
    };
    let (p, m) = reports(50);
    let comparison = compared(&p, &m);
    let row = overall(&comparison, Metric::ErrorShare);
    assert!(!row.paired && row.noise > Some(0.01), "{row:?}");
    assert_eq!(row.verdict, Judgement::WithinNoise);
    assert!(overall(&comparison, Metric::Throughput).paired);
    let (p, mut m) = reports(10_000);
    m.rounds[0].errors.insert("timeout".into(), 20.0);
    let comparison = compared(&p, &m);
    let row = overall(&comparison, Metric::ErrorShare);
    assert!(row.paired && row.margin > Some(0.001), "{row:?}");
}
