//! A number of one report, with its interval.

use model::distribution::standard_normal;
use model::report::Run;
use model::statistics::{Estimate, round_significant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Confidence of an interval where the report's own makes no sense.
const CONFIDENCE: f64 = 0.95;
/// Confidences between which an interval has a length that is a number.
const SENSIBLE: std::ops::RangeInclusive<f64> = 0.001..=0.999_999;

/// The confidence of the intervals of a run.
pub(crate) fn confidence(run: &Run) -> f64 {
    Some(run.confidence).filter(|c| SENSIBLE.contains(c)).unwrap_or(CONFIDENCE)
}

/// A value and its interval, if the report knows it. Never infinite, never not a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The value.
    pub value: f64,
    /// Lower end of its confidence interval; none if not known.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Side {
    /// A value whose interval is not known.
    pub fn alone(value: f64) -> Option<Side> {
        value.is_finite().then_some(Side { value, low: None, high: None })
    }

    /// `estimate`, as a run of that kind knows it: a single run whose interval has no length
    /// has none.
    pub fn of(estimate: &Estimate, run: &Run) -> Option<Side> {
        let alone = Side::alone(estimate.value)?;
        let known = estimate.low.is_finite()
            && estimate.high.is_finite()
            && (run.replications > 1 || estimate.low < estimate.high);
        Some(match known {
            true => Side { low: Some(estimate.low), high: Some(estimate.high), ..alone },
            false => alone,
        })
    }

    /// The same value, known to within `half`. None of these numbers is below zero.
    #[must_use]
    pub(crate) fn within(self, half: f64) -> Side {
        let low = round_significant((self.value - half).max(0.0)).min(self.value);
        let high = round_significant(self.value + half).max(self.value);
        match high.is_finite() {
            true => Side { low: Some(low), high: Some(high), ..self },
            false => self,
        }
    }

    /// `part` of `whole` requests, with Wilson's interval, which has a length where nothing
    /// was seen too: no error among ten requests does not say that there are none.
    ///
    /// The interval holds for requests that fail independently of each other. Real ones
    /// fail in bursts, so it is the least that the noise can be.
    pub fn share(part: f64, whole: f64, run: &Run) -> Option<Side> {
        let sane = part >= 0.0 && whole > 0.0 && part <= whole && whole.is_finite();
        let share = sane.then(|| part / whole)?;
        let z = standard_normal(0.5 + confidence(run) / 2.0);
        let shrink = 1.0 + z * z / whole;
        let middle = (share + z * z / (2.0 * whole)) / shrink;
        let spread = share * (1.0 - share) / whole + z * z / (4.0 * whole * whole);
        let half = z * libm::sqrt(spread) / shrink;
        let (low, high) = ((middle - half).max(0.0), (middle + half).min(1.0));
        Side::alone(round_significant(share)).map(|side| Side {
            low: Some(round_significant(low).min(side.value)),
            high: Some(round_significant(high).max(side.value)),
            ..side
        })
    }

    /// The longer half of the interval: the shorter one may have been cut off at zero.
    pub fn half(&self) -> Option<f64> {
        let (low, high) = (self.low?, self.high?);
        Some((high - self.value).max(self.value - low).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(replications: u32) -> Run {
        Run { replications, confidence: 0.95, warmup: 1.0, duration: 10.0, samples: 100 }
    }

    #[test]
    fn one_run_without_an_interval_has_none_and_two_that_agree_have_one_of_no_length() {
        let exact = Estimate::exact(3.0);
        assert_eq!(Side::of(&exact, &run(1)).and_then(|side| side.half()), None);
        assert_eq!(Side::of(&exact, &run(2)).and_then(|side| side.half()), Some(0.0));
        let batches = Estimate { value: 3.0, low: 0.0, high: 7.0 };
        assert_eq!(Side::of(&batches, &run(1)).and_then(|side| side.half()), Some(4.0));
        assert_eq!(Side::of(&Estimate::exact(f64::NAN), &run(2)), None);
    }

    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        let none = Side::share(0.0, 10.0, &run(1)).expect("a share");
        assert_eq!((none.value, none.low), (0.0, Some(0.0)));
        assert!((none.high.expect("an end") - 0.2775).abs() < 1e-4);
        let half = Side::share(5.0, 10.0, &run(1)).expect("a share");
        assert!((half.low.expect("an end") - 0.2366).abs() < 1e-4);
        assert!((half.high.expect("an end") - 0.7634).abs() < 1e-4);
        for (part, whole) in [(0.0, 0.0), (2.0, 1.0), (-1.0, 2.0), (f64::NAN, 1.0)] {
            assert_eq!(Side::share(part, whole, &run(1)), None);
        }
    }
}
