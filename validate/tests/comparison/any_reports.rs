//! Properties of the comparison of any two reports.

use model::report::Report;
use model::statistics::Estimate;
use proptest::prelude::*;
use render::Answer;
use validate::{Comparison, Metric, Summary, Tolerance, Tolerances, Verdict, compare};

use super::sample::*;

/// Impossible numbers, and some possible ones.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), any::<f64>(), 0.0..1e3]
}

/// Puts numbers into every place of a report that is compared.
fn disturb(report: &mut Report, numbers: &[f64], samples: u64) {
    let mut next = numbers.iter().copied().cycle();
    let mut number = || next.next().unwrap_or(0.0);
    let mut estimate = || Estimate { value: number(), low: number(), high: number() };
    report.throughput = estimate();
    report.in_flight.mean = estimate();
    report.response_time_intervals.values_mut().for_each(|interval| *interval = estimate());
    for class in &mut report.classes {
        class.throughput = estimate();
        class.response_time.mean = estimate().value;
        class.response_time.p99 = estimate().value;
    }
    for station in &mut report.stations {
        station.utilisation_interval = estimate();
        station.utilisation = station.utilisation_interval.value;
        station.waiting_time_mean = estimate().value;
        station.in_flight_mean = estimate().value;
        station.visits = estimate().value;
    }
    report.errors.values_mut().for_each(|count| *count = estimate().value);
    report.response_time.mean = estimate().value;
    report.run.duration = estimate().value;
    report.run.warmup = estimate().value;
    report.run.confidence = estimate().value;
    report.run.samples = samples;
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Disagree => 0,
        Verdict::Inconclusive => 1,
        Verdict::Agree => 2,
    }
}

/// Every metric's tolerance is `share`.
fn all(share: f64) -> Tolerances {
    let each = Metric::ALL.into_iter().map(|metric| Tolerance::new(metric, share));
    each.fold(Tolerances::default(), Tolerances::with)
}

proptest! {
    #[test]
    fn no_number_breaks_a_comparison_or_its_json(
        p in prop::collection::vec(any_number(), 7..40),
        m in prop::collection::vec(any_number(), 7..40),
        samples in (0u64..2000, 0u64..2000),
        disturbed in 0usize..4,
    ) {
        let [mut predicted, mut measured] =
            [predicted(), measured()].map(|report| in_rounds(report, &[1.0; 3]));
        for (report, numbers, samples) in
            [(&mut predicted, &p, samples.0), (&mut measured, &m, samples.1)]
        {
            disturb(report, numbers, samples);
            // Each round begins at another of the numbers.
            for (index, round) in report.rounds.iter_mut().enumerate().take(disturbed) {
                disturb(round, &numbers[index + 1..], samples / 3);
            }
        }
        let comparison = compared(&predicted, &measured);
        // JSON has null for NaN and infinity, which cannot be read back as a number.
        let json = serde_json::to_string(&comparison).expect("a document");
        let read: Comparison = serde_json::from_str(&json).expect("plain numbers");
        prop_assert_eq!(read.verdict, comparison.verdict);
        let text = comparison.page().text(render::Paint::default());
        prop_assert!(!text.contains("NaN") && !text.contains("inf "), "{}", text);
        let summary = serde_json::to_string(&Summary::of(&[comparison.clone(), comparison]));
        let summary: Result<Summary, _> = serde_json::from_str(&summary.expect("a document"));
        prop_assert!(summary.is_ok());
    }

    #[test]
    fn only_what_differs_between_paired_rounds_is_a_margin(
        shared in prop::collection::vec(0.5..2.0f64, 2..10), factor in 0.5..2.0f64,
    ) {
        let p = in_rounds(predicted(), &shared);
        let m = in_rounds(measured(), &shared);
        let same = compared(&p, &m);
        prop_assert_eq!(same.verdict, Verdict::Agree);
        prop_assert_eq!(same.overall(Metric::P99).and_then(|row| row.margin), Some(0.0));
        // With other costs on one side the differences are as large as the shared noise times
        // the error.
        let mut slow = predicted();
        slow_down(&mut slow, factor);
        let other = compared(&in_rounds(slow, &shared), &m);
        let row = other.overall(Metric::P99).expect("a row");
        let (error, noise) = (row.error.expect("an error"), row.noise.expect("known"));
        prop_assert!((row.margin.expect("known") - error.abs() * noise).abs() < 1e-6);
    }

    #[test]
    fn a_wider_tolerance_never_turns_a_verdict_against_a_prediction(
        factor in 0.7..1.4f64, noise in 0.0..0.2f64, narrow in 0.0..0.4f64, more in 0.0..0.4f64,
    ) {
        let (mut p, mut m) = (predicted(), measured());
        slow_down(&mut p, factor);
        m.throughput = about(40.0, noise);
        set_time(&mut m, "p99", about(0.9, noise));
        let verdict = |tolerance| compare(&p, &m, &all(tolerance)).expect("a pair").verdict;
        prop_assert!(rank(verdict(narrow)) <= rank(verdict(narrow + more)));
    }

    #[test]
    fn a_faster_clock_on_both_sides_changes_no_verdict(factor in 0.5..2.0f64, power in -8i32..8) {
        let (mut p, mut m) = (predicted(), measured());
        slow_down(&mut p, factor);
        let before = compared(&p, &m);
        // Powers of two scale without rounding; the lengths of the windows stay, so that
        // rare endpoints lose samples: only the whole service is compared.
        for report in [&mut p, &mut m] {
            slow_down(report, f64::powi(2.0, power));
        }
        let after = compared(&p, &m);
        prop_assert_eq!(before.verdict, after.verdict);
        for metric in Metric::OVERALL {
            prop_assert_eq!(judgement(&before, metric), judgement(&after, metric));
        }
    }
}
