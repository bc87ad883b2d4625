//! Bottlenecks of both sides.

use model::station::StationId;
use validate::Verdict;

use super::sample::*;

fn full(use_of: &[(&str, f64)], kind: fn() -> model::report::Report) -> model::report::Report {
    let mut report = kind();
    for (name, utilisation) in use_of {
        fill(&mut report, name, *utilisation);
    }
    report
}

#[test]
fn the_innermost_full_station_is_the_bottleneck() {
    let semaphore = "upstream bank semaphore";
    for (use_of, expected) in [
        (vec![], None),
        // A full CPU fills the loops that wait for it, and the calls that wait for the
        // loop.
        (vec![("cpu", 0.96), ("loop", 1.0), (semaphore, 1.0)], Some("cpu")),
        // Handlers that block: the loop is held, the CPU idles.
        (vec![("cpu", 0.02), ("loop", 1.0)], Some("loop")),
        // A slow upstream: CPU and loop idle.
        (vec![("cpu", 0.24), ("loop", 0.2), (semaphore, 0.999)], Some(semaphore)),
    ] {
        let (p, m) = (full(&use_of, predicted), full(&use_of, measured));
        let both = compared(&p, &m).bottleneck;
        assert_eq!(both.predicted.as_deref(), expected);
        assert_eq!(both.measured.as_deref(), expected);
        assert_eq!(both.right, Some(true));
    }
}

#[test]
fn another_bottleneck_is_told() {
    let p = full(&[("upstream bank semaphore", 1.0)], predicted);
    let m = full(&[("cpu", 0.97), ("upstream bank semaphore", 0.7)], measured);
    let comparison = compared(&p, &m);
    assert_eq!(comparison.bottleneck.right, Some(false));
    let told = "the bottleneck is another: `upstream bank semaphore` is full in the prediction, \
                `cpu` is full when measured";
    assert!(comparison.warnings.iter().any(|warning| warning == told), "{comparison:?}");
}

#[test]
fn the_line_between_full_and_not_full_is_no_difference() {
    let p = full(&[("cpu", 0.94)], predicted);
    let m = full(&[("cpu", 0.955)], measured);
    let both = compared(&p, &m).bottleneck;
    assert_eq!((both.predicted, both.right), (None, Some(true)));
    let p = full(&[("cpu", 0.8)], predicted);
    assert_eq!(compared(&p, &m).bottleneck.right, Some(false));
    // The loop is full on both sides; the CPU is nearly so on one.
    let p = full(&[("cpu", 0.96), ("loop", 1.0)], predicted);
    let m = full(&[("cpu", 0.94), ("loop", 1.0)], measured);
    assert_eq!(compared(&p, &m).bottleneck.right, Some(true));
}

#[test]
fn a_predicted_bottleneck_that_was_not_measured_leaves_the_cause_open() {
    let mut p = predicted();
    p.stations.push(station(StationId::InterpreterLock, Some(1), 0.99));
    let comparison = compared(&p, &measured());
    assert_eq!(comparison.bottleneck.right, None);
    assert_eq!(comparison.verdict, Verdict::Inconclusive);
    let told = "the predicted bottleneck, `interpreter lock`, is not in the measurement";
    assert_eq!(comparison.reasons, [told]);
    // A wrong prediction stays wrong, and the cause is told.
    slow_down(&mut p, 1.5);
    let comparison = compared(&p, &measured());
    assert_eq!(comparison.verdict, Verdict::Disagree);
    assert!(comparison.warnings.iter().any(|warning| warning == told));
}
