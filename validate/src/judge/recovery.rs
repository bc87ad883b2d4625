//! Whether a service recovers from a peak of its load, predicted against measured.

use model::report::{Recovery, Report};

use super::comparison::{Comparison, Verdict};

/// Adds to `comparison` what either side says of a recovery. Where one side's runs all recover, and
/// none of the other's do, the prediction is wrong, unless the measurement is unsound.
pub(super) fn judge(comparison: &mut Comparison, predicted: &Report, measured: &Report) {
    let (Some(p), Some(m)) = (&predicted.recovery, &measured.recovery) else { return };
    let told = format!("recovers, predicted: {}; measured: {}", p.sentence(), m.sentence());
    let differ = matches!((sure(p), sure(m)), (Some(p), Some(m)) if p != m);
    let sound = comparison.doubts.is_empty() && comparison.measured.samples > 0;
    if differ && sound {
        comparison.verdict = Verdict::Disagree;
        comparison.reasons.push(told);
    } else {
        comparison.warnings.push(told);
    }
}

/// Whether it recovers; none if runs differ.
fn sure(recovery: &Recovery) -> Option<bool> {
    match recovery.recovered {
        0 => Some(false),
        all if all == recovery.runs => Some(true),
        _ => None,
    }
}
