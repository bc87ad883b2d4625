//! Reports that cannot be compared, and those that can but differ.

use validate::{Mismatch, Tolerances, Verdict, compare};

use super::sample::*;

fn refused(predicted: &model::report::Report, measured: &model::report::Report) -> Mismatch {
    compare(predicted, measured, &Tolerances::default()).expect_err("a mismatch")
}

#[test]
fn reports_that_are_no_pair_are_refused_with_the_reason() {
    let (p, m) = (predicted(), measured());
    let told = |mismatch: Mismatch| (mismatch.to_string(), mismatch.advice());
    let (why, advice) = told(refused(&m, &m));
    assert_eq!(why, "both reports are measured: there is no prediction to judge");
    assert!(advice.contains("live compare"));
    assert_eq!(refused(&p, &p), Mismatch::BothPredicted);
    assert_eq!(refused(&m, &p), Mismatch::Swapped);
    let mut other = m.clone();
    other.schema = 7;
    let (why, _) = told(refused(&p, &other));
    assert_eq!(why, "the measured report has the form 7, and this program reads 1");
    let mut other = m.clone();
    other.scenario = "v2".into();
    let (why, _) = told(refused(&p, &other));
    assert_eq!(why, "the prediction is of scenario `shop`, the measurement of `v2`");
    let mut other = m;
    other.seed = 2;
    let (why, advice) = told(refused(&p, &other));
    assert!(why.contains("seed 1, the measurement from seed 2"), "{why}");
    assert!(advice.contains("--seed"));
}

#[test]
fn differences_that_allow_a_comparison_are_told() {
    let (mut p, mut m) = (predicted(), measured());
    m.digest = "1".into();
    m.run.duration = 30.0;
    m.run.replications = 1;
    p.cut_short = true;
    m.stations[2].capacity = Some(20);
    let comparison = compared(&p, &m);
    let told = comparison.warnings.join("\n");
    for part in [
        "the inputs differ (digests)",
        "the prediction counts for 60 s, the measurement for 30 s",
        "the prediction's window is too short",
        "measured once",
        "`upstream bank semaphore` has room for 10 in the prediction, 20 measured",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(comparison.verdict, Verdict::Agree);
}
