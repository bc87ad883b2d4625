//! The verdict on whether a service recovers from a peak.

use model::report::{Recovery, Report};
use validate::Verdict;

use super::sample::*;

/// Of four runs so many recovered, each after a second.
fn recovering(recovered: u32) -> Option<Recovery> {
    Some(Recovery {
        last_change: 30.0,
        watched: 60.0,
        runs: 4,
        recovered,
        after: (recovered > 0).then(|| about(1.0, 0.1)),
        answered: f64::from(recovered) / 4.0,
        budget: None,
    })
}

fn with(mut report: Report, recovered: u32) -> Report {
    report.recovery = recovering(recovered);
    report
}

#[test]
fn a_service_that_recovers_against_the_prediction_refutes_it() {
    for (p, m) in [(0, 4), (4, 0)] {
        let comparison = compared(&with(predicted(), p), &with(measured(), m));
        assert_eq!(comparison.verdict, Verdict::Disagree, "{p} {m}");
        assert!(comparison.reasons[0].starts_with("recovers, predicted: "), "{comparison:?}");
    }
}

#[test]
fn runs_that_differ_refute_nothing_and_both_sides_are_told() {
    for (p, m) in [(4, 4), (0, 0), (2, 4), (0, 1)] {
        let comparison = compared(&with(predicted(), p), &with(measured(), m));
        assert_eq!(comparison.verdict, Verdict::Agree, "{p} {m}");
        assert!(comparison.warnings[0].contains("; measured: "), "{comparison:?}");
    }
    let one_side = compared(&with(predicted(), 0), &measured());
    assert!(one_side.warnings.is_empty(), "{one_side:?}");
}

#[test]
fn a_measurement_that_proves_nothing_does_not_refute_it() {
    let mut m = with(measured(), 4);
    m.measurement.as_mut().expect("a measurement").inconclusive = vec!["too noisy".into()];
    let comparison = compared(&with(predicted(), 0), &m);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    assert!(comparison.warnings.iter().any(|told| told.starts_with("recovers, ")));
}
