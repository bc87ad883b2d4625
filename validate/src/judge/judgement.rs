//! The rule by which a predicted number agrees with a measured one.
//!
//! Let `d` be the predicted value minus the measured one, `H` the half width of its
//! interval, and `A` what is allowed: the tolerance, times the measured value where the
//! tolerance is relative. Then the prediction
//!
//! - **agrees** if `|d| <= A` and `H <= A`;
//! - **disagrees** if `|d| > A + H`;
//! - is otherwise **within noise**: it cannot be told.
//!
//! Where both sides list equally many rounds with equal seeds, at least two, round `i` of the
//! one saw the same requests and latencies as round `i` of the other. `H` is then that of the
//! t interval of the differences between **paired** rounds, of this same number in each round.
//! Else `H` is the root of the sum of the squares of both half widths, as if the noise of both
//! sides was independent. An unknown interval counts as one of no length, and
//! the row says that its noise is not known. A row says which kind of margin it has.
//!
//! Why so:
//!
//! - Part of what changes from run to run comes from the draws: a load with many slow calls is
//!   slow on both sides. That is no error of the prediction, and paired differences do not
//!   contain it. What one side alone has at random, they contain. So pairs neither hide
//!   an error behind noise that both sides share nor call anything sharp that is not; and it
//!   does not matter how much of the noise is shared.
//! - A prediction is refuted only by an error that neither tolerance nor noise explains, and
//!   confirmed only by a measurement sharp enough to have refuted it (`H <= A`). Without the
//!   second condition the worst measurement would confirm every model.
//! - To agree, the far end of the interval need not lie within the tolerance. That stricter
//!   test would punish a right prediction for the measurement's noise. The price: where both
//!   agree, the true error may be as large as `A + H`, at most twice the tolerance.
//! - Differences are compared, not ratios: too high and too low are judged alike, a unit of
//!   time makes no difference, and nothing is ever divided by a measured zero. The first-order
//!   interval of a ratio would shrink as the prediction does, and call a prediction of
//!   nothing certainly wrong beside a measurement of nearly nothing.
//! - With a wider tolerance a verdict can only go from disagree through within noise to agree.

use model::statistics::round_significant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::Unit;
use super::side::Side;

/// The judgement of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The error is within the tolerance, and so is the noise.
    Agree,
    /// The error is beyond the tolerance by more than the noise.
    Disagree,
    /// The noise is too wide to tell.
    WithinNoise,
    /// One side has no such number, or too few samples.
    NotJudged,
}

/// A judgement and what it was derived from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judged {
    /// Predicted against measured, signed; none beside a measured zero.
    pub error: Option<f64>,
    /// Half the measured interval, on the scale of the error; none if not known.
    pub noise: Option<f64>,
    /// Half the interval of the error; none if not known.
    pub margin: Option<f64>,
    /// By the rule of this module.
    pub judgement: Judgement,
}

impl Judged {
    /// Nothing is said of a number that one side does not have; `noise` is that of the measured
    /// one.
    pub(crate) fn none(noise: Option<f64>) -> Judged {
        Judged { error: None, noise, margin: None, judgement: Judgement::NotJudged }
    }
}

/// Judges `predicted` against `measured`, whose difference paired rounds know to within half
/// an interval of `paired`, if there are any. Differences up to `floor`, in the metric's own
/// unit, are negligible and within every tolerance.
pub(crate) fn judge(
    predicted: Side,
    measured: Side,
    paired: Option<f64>,
    unit: Unit,
    tolerance: f64,
    floor: f64,
) -> Judged {
    let scale = scale(measured, unit);
    let difference = predicted.value - measured.value;
    let half = paired.or_else(|| independent(predicted, measured));
    let allowed = (tolerance * scale).max(floor);
    let (off, unsure) = (difference.abs(), half.unwrap_or(0.0));
    let judgement = if off <= allowed && unsure <= allowed {
        Judgement::Agree
    } else if off > allowed + unsure {
        Judgement::Disagree
    } else {
        Judgement::WithinNoise
    };
    Judged {
        error: scaled(difference, scale),
        noise: noise(measured, unit),
        margin: half.and_then(|half| scaled(half, scale)),
        judgement,
    }
}

/// Half the interval of the difference, as if the noise of both sides was independent; none if
/// neither is known.
fn independent(predicted: Side, measured: Side) -> Option<f64> {
    match (predicted.half(), measured.half()) {
        (None, None) => None,
        (one, other) => Some(libm::hypot(one.unwrap_or(0.0), other.unwrap_or(0.0))),
    }
}

/// Half the measured interval, on the scale of the error; none if not known.
pub(crate) fn noise(measured: Side, unit: Unit) -> Option<f64> {
    scaled(measured.half()?, scale(measured, unit))
}

/// The unit of an error.
fn scale(measured: Side, unit: Unit) -> f64 {
    match unit {
        Unit::Relative => measured.value.abs(),
        Unit::Points => 1.0,
    }
}

/// A difference on the scale of errors, where that is a number.
fn scaled(difference: f64, scale: f64) -> Option<f64> {
    let share = if difference == 0.0 { 0.0 } else { difference / scale };
    share.is_finite().then(|| round_significant(share))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn side(value: f64, half: f64) -> Side {
        Side { value, low: Some(value - half), high: Some(value + half) }
    }

    fn relative(predicted: Side, measured: Side, tolerance: f64) -> Judged {
        judge(predicted, measured, None, Unit::Relative, tolerance, 0.0)
    }

    #[test]
    fn the_rule_at_its_edges() {
        use Judgement::{Agree, Disagree, WithinNoise};
        for (predicted, noise, expected) in [
            (100.0, 1.0, Agree),
            (104.0, 4.0, Agree),
            (96.0, 4.0, Agree),
            (100.0, 6.0, WithinNoise),
            (108.0, 4.0, WithinNoise),
            (92.0, 4.0, WithinNoise),
            (110.0, 4.0, Disagree),
            (90.0, 4.0, Disagree),
            (112.0, 6.0, Disagree),
        ] {
            let judged = relative(side(predicted, 0.0), side(100.0, noise), 0.05);
            assert_eq!(judged.judgement, expected, "{predicted} against 100 ± {noise}");
            assert_eq!(judged.noise, Some(noise / 100.0));
        }
    }

    #[test]
    fn the_noise_of_both_sides_counts() {
        let judged = relative(side(110.0, 3.0), side(100.0, 4.0), 0.05);
        assert_eq!(judged.margin, Some(0.05));
        assert_eq!(judged.judgement, Judgement::WithinNoise);
        assert_eq!(judged.error, Some(0.1));
    }

    #[test]
    fn the_margin_of_paired_rounds_replaces_that_of_both_intervals() {
        use Judgement::{Agree, Disagree, WithinNoise};
        for (predicted, noise, paired, expected) in [
            (104.0, 20.0, 1.0, Agree),
            (108.0, 20.0, 1.0, Disagree),
            (108.0, 0.0, 4.0, WithinNoise),
            (100.0, 0.0, 6.0, WithinNoise),
        ] {
            let measured = side(100.0, noise);
            let judged =
                judge(side(predicted, noise), measured, Some(paired), Unit::Relative, 0.05, 0.0);
            assert_eq!(judged.judgement, expected, "{predicted} against 100, known to ±{paired}");
            assert_eq!((judged.noise, judged.margin), (Some(noise / 100.0), Some(paired / 100.0)));
        }
    }

    #[test]
    fn beside_a_measured_zero_there_is_no_error_in_percent() {
        let judged = relative(side(1.0, 0.1), side(0.0, 0.1), 0.05);
        assert_eq!((judged.error, judged.noise, judged.margin), (None, None, None));
        assert_eq!(judged.judgement, Judgement::Disagree);
        let same = relative(side(0.0, 0.0), side(0.0, 0.0), 0.05);
        assert_eq!((same.error, same.judgement), (Some(0.0), Judgement::Agree));
    }

    #[test]
    fn unknown_noise_is_shown_and_counts_as_none() {
        let alone = |value| Side { value, low: None, high: None };
        let judged = relative(alone(106.0), alone(100.0), 0.05);
        assert_eq!((judged.noise, judged.margin), (None, None));
        assert_eq!(judged.judgement, Judgement::Disagree);
    }

    #[test]
    fn points_are_differences_and_a_floor_forgives() {
        let judged = judge(side(0.99, 0.0), side(0.95, 0.0), None, Unit::Points, 0.05, 0.0);
        assert_eq!((judged.error, judged.judgement), (Some(0.04), Judgement::Agree));
        let tiny = judge(side(2e-6, 0.0), side(1e-6, 0.0), None, Unit::Relative, 0.05, 1e-5);
        assert_eq!((tiny.error, tiny.judgement), (Some(1.0), Judgement::Agree));
    }

    /// How far towards agreement.
    fn order(judgement: Judgement) -> u8 {
        match judgement {
            Judgement::Agree => 2,
            Judgement::WithinNoise => 1,
            _ => 0,
        }
    }

    fn sides() -> impl Strategy<Value = (Side, Side)> {
        let one = || (0.0..1e3f64, 0.0..1e2f64).prop_map(|(value, half)| side(value, half));
        (one(), one())
    }

    proptest! {
        #[test]
        fn a_wider_tolerance_only_helps(
            (p, m) in sides(), narrow in 0.0..0.5f64, more in 0.0..0.5f64,
        ) {
            let (one, other) = (relative(p, m, narrow), relative(p, m, narrow + more));
            prop_assert!(order(one.judgement) <= order(other.judgement));
        }

        #[test]
        fn the_unit_makes_no_difference((p, m) in sides(), power in -20i32..20) {
            // Powers of two scale without rounding.
            let factor = libm::ldexp(1.0, power);
            let scale = |s: Side| Side {
                value: s.value * factor,
                low: s.low.map(|x| x * factor),
                high: s.high.map(|x| x * factor),
            };
            let (one, other) = (relative(p, m, 0.05), relative(scale(p), scale(m), 0.05));
            prop_assert_eq!(one, other);
        }

        #[test]
        fn too_high_and_too_low_are_judged_alike(
            value in 1.0..1e3f64, off in 0.0..1.0f64, p in 0.0..1.0f64, m in 0.0..1.0f64,
        ) {
            // Multiples of a power of two add without rounding.
            let exact = |x: f64| (x * 1024.0).round() / 1024.0;
            let (value, off) = (exact(value), exact(off));
            let measured = side(value, exact(m));
            let high = relative(side(value + off, exact(p)), measured, 0.25);
            let low = relative(side(value - off, exact(p)), measured, 0.25);
            prop_assert_eq!(high.judgement, low.judgement);
            prop_assert_eq!(high.error.map(|e| -e + 0.0), low.error.map(|e| e + 0.0));
        }

        #[test]
        fn nothing_is_ever_infinite(
            a in any::<f64>(), b in any::<f64>(), c in any::<f64>(), d in any::<f64>(),
        ) {
            let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
            let of = |value: f64, other: f64| Side {
                value: finite(value),
                low: Some(finite(other).min(finite(value))),
                high: Some(finite(other).max(finite(value))),
            };
            let judged = relative(of(a, b), of(c, d), 0.05);
            for number in [judged.error, judged.noise, judged.margin].into_iter().flatten() {
                prop_assert!(number.is_finite());
            }
        }
    }
}
