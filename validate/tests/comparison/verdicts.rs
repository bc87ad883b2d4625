//! The verdict of a comparison.

use model::station::StationId;
use validate::{Judgement, Metric, Regime, Tolerance, Tolerances, Verdict, compare};

use super::sample::*;

#[test]
fn a_right_prediction_agrees() {
    let comparison = compared(&predicted(), &measured());
    assert_eq!(comparison.verdict, Verdict::Agree, "{:?}", comparison.reasons);
    assert!(comparison.reasons.is_empty() && comparison.warnings.is_empty());
    assert_eq!(comparison.regime, Regime::Unsaturated);
    assert_eq!(comparison.count(Judgement::Agree, |_| true), comparison.rows.len());
}

#[test]
fn a_cost_that_is_wrong_by_a_fifth_is_caught() {
    for factor in [1.2, 1.0 / 1.2] {
        for full in [false, true] {
            let (mut p, mut m) = (predicted(), measured());
            slow_down(&mut p, factor);
            if full {
                fill(&mut p, "cpu", 0.99);
                fill(&mut m, "cpu", 0.99);
            }
            let comparison = compared(&p, &m);
            assert_eq!(comparison.verdict, Verdict::Disagree, "{factor} {full}");
            assert_eq!(judgement(&comparison, Metric::Throughput), Judgement::Disagree);
            assert!(comparison.reasons[0].starts_with("throughput: "), "{:?}", comparison.reasons);
        }
    }
}

#[test]
fn one_headline_number_is_enough_to_disagree_and_other_numbers_are_not() {
    let (mut p, m) = (predicted(), measured());
    set_time(&mut p, "p90", about(0.8, 0.005));
    p.in_flight.mean = about(20.0, 0.005);
    p.classes[0].response_time.mean = 9.0;
    fill(&mut p, "loop", 0.9);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Agree, "{:?}", comparison.reasons);
    assert_eq!(comparison.count(Judgement::Disagree, |_| true), 4);
    set_time(&mut p, "p95", about(0.7, 0.005));
    assert_eq!(compared(&p, &m).verdict, Verdict::Disagree);
}

#[test]
fn costs_whose_calibration_was_disturbed_refute_nothing() {
    let (mut p, m) = (predicted(), measured());
    let in_doubt = ["cpu.async.call", "cache.call"].map(String::from);
    let agrees = compared(&p, &m).with_costs_in_doubt(&in_doubt);
    assert_eq!((agrees.verdict, agrees.reasons.len()), (Verdict::Agree, 0));
    assert!(agrees.warnings[0].contains("2 of the costs"), "{:?}", agrees.warnings);
    slow_down(&mut p, 2.0);
    let sound = compared(&p, &m).with_costs_in_doubt(&[]);
    assert_eq!((sound.verdict, sound.warnings), (Verdict::Disagree, compared(&p, &m).warnings));
    let comparison = compared(&p, &m).with_costs_in_doubt(&in_doubt);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert!(comparison.reasons[0].contains("`cpu.async.call`"), "{:?}", comparison.reasons);
    assert!(comparison.reasons[1].starts_with("throughput: "), "{:?}", comparison.reasons);
}

#[test]
fn a_measurement_that_proves_nothing_refutes_nothing() {
    let (mut p, mut m) = (predicted(), measured());
    slow_down(&mut p, 2.0);
    let doubt = "other programs used 49.5 % of the service's processor".to_string();
    m.measurement.as_mut().expect("a measurement").inconclusive = vec![doubt.clone()];
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert_eq!((&comparison.reasons, &comparison.doubts), (&vec![doubt.clone()], &vec![doubt]));
}

#[test]
fn too_few_answers_leave_the_far_quantiles_open() {
    let (p, mut m) = (predicted(), measured());
    for (samples, open) in [(999, vec![Metric::P99]), (199, vec![Metric::P95, Metric::P99])] {
        thin(&mut m, samples);
        let comparison = compared(&p, &m);
        assert_eq!(comparison.verdict, Verdict::Inconclusive);
        assert_eq!(
            comparison.reasons.iter().filter(|r| r.contains("it takes")).count(),
            open.len()
        );
        for metric in open {
            assert_eq!(judgement(&comparison, metric), Judgement::NotJudged);
        }
        assert_eq!(judgement(&comparison, Metric::P50), Judgement::Agree);
    }
}

#[test]
fn one_disagreement_decides_whatever_else_is_open() {
    let (mut p, mut m) = (predicted(), measured());
    slow_down(&mut p, 1.5);
    thin(&mut m, 500);
    assert_eq!(compared(&p, &m).verdict, Verdict::Disagree);
}

#[test]
fn a_wide_interval_confirms_nothing() {
    let (p, mut m) = (predicted(), measured());
    m.throughput = about(40.0, 0.2);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert_eq!(judgement(&comparison, Metric::Throughput), Judgement::WithinNoise);
    let told = "throughput: the noise of ±20 % is wider than the tolerance of 5.0 %";
    assert_eq!(comparison.reasons, [told]);
    // It does not refute either.
    m.throughput = about(48.0, 0.2);
    let told = "throughput: -16.7 % is beyond the tolerance of 5.0 %, but the noise is ±20 %";
    assert_eq!(compared(&p, &m).reasons, [told]);
}

#[test]
fn without_a_good_answer_nothing_is_divided_by_nothing() {
    let (mut p, mut m) = (predicted(), measured());
    let void = |report: &mut model::report::Report| {
        report.run.samples = 0;
        report.throughput = about(0.0, 0.0);
        report.response_time = model::report::ResponseTime::default();
        report.response_time_intervals.clear();
        report.classes.iter_mut().for_each(|class| class.throughput = about(0.0, 0.0));
    };
    void(&mut m);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert_eq!(comparison.reasons, ["no good answer was measured"]);
    void(&mut p);
    assert_eq!(compared(&p, &m).verdict, Verdict::Inconclusive);
    // A prediction of no answers is wrong if there are many.
    let comparison = compared(&p, &measured());
    assert_eq!(comparison.verdict, Verdict::Disagree);
    assert_eq!(judgement(&comparison, Metric::P50), Judgement::NotJudged);
}

#[test]
fn a_full_service_may_be_off_twice_as_much_in_time() {
    let (mut p, mut m) = (predicted(), measured());
    set_time(&mut p, "p99", about(0.9 * 1.16, 0.005));
    assert_eq!(compared(&p, &m).verdict, Verdict::Disagree);
    for (name, use_of, regime) in [
        ("cpu", 0.94, Regime::Unsaturated),
        ("cpu", 0.96, Regime::Saturated),
        ("loop", 0.97, Regime::Unsaturated),
        ("loop", 0.99, Regime::Saturated),
    ] {
        let (mut p, mut m) = (p.clone(), m.clone());
        fill(&mut p, name, use_of);
        fill(&mut m, name, use_of);
        let comparison = compared(&p, &m);
        let saturated = regime == Regime::Saturated;
        assert_eq!(comparison.regime, regime, "{name} {use_of}");
        let expected = if saturated { Verdict::Agree } else { Verdict::Disagree };
        assert_eq!(comparison.verdict, expected, "{name} {use_of}");
    }
    m.stations.clear();
    let comparison = compared(&p, &m);
    assert_eq!(comparison.regime, Regime::Unknown);
    assert_eq!(comparison.overall(Metric::P99).expect("a row").tolerance, 0.1);
}

#[test]
fn a_chosen_tolerance_decides() {
    let (mut p, m) = (predicted(), measured());
    set_time(&mut p, "p99", about(0.9 * 1.16, 0.005));
    let tolerances = Tolerances::default().with(Tolerance::new(Metric::P99, 0.2));
    let verdict = compare(&p, &m, &tolerances).expect("a pair").verdict;
    assert_eq!(verdict, Verdict::Agree);
    let strict = Tolerances::default().with(Tolerance::new(Metric::Throughput, 0.01));
    let comparison = compare(&predicted(), &m, &strict).expect("a pair");
    // The measurement is not known to 1 %.
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
}

#[test]
fn a_number_that_was_not_measured_is_told_and_is_no_reason_against_the_others() {
    let (p, mut m) = (predicted(), measured());
    m.stations.retain(|station| station.id != StationId::Cpu);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.verdict, Verdict::Agree);
    assert_eq!(comparison.warnings, ["CPU in use: not in the measurement"]);
}
