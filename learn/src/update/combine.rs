//! One interval from two, each of which was learned by itself.
//!
//! Where they agree, the weighted mean: weights are the inverse squares of the standard errors,
//! and the error of the mean is widened by the Birge ratio if that is above one (Birge 1932, "The
//! calculation of errors by the method of least squares"; as the Particle Data Group averages
//! measurements). Where they contradict each other, the difference is one of the runs and not of
//! chance: the random-effects mean of DerSimonian and Laird 1986 ("Meta-analysis in clinical
//! trials"), and an interval that holds both.

use model::Quantity;
use model::read::Interval;

/// Standard errors from the middle to the ends of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;
/// The 95 % quantile of chi squared with one degree of freedom.
const CHI_SQUARED: f64 = 3.841_458_820_694_124;
/// Significant digits of what is written.
const DIGITS: i32 = 4;

/// Two intervals together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Combined {
    pub(super) interval: Interval,
    /// The two cannot both be right.
    pub(super) contradicts: bool,
}

/// A number with its standard error.
#[derive(Clone, Copy)]
struct Measured {
    value: f64,
    error: f64,
}

/// Combines two intervals of the same key.
pub(super) fn combine(ours: &Interval, theirs: &Interval) -> Combined {
    // Costs are positive and often skewed, so that their logarithms are nearer to normal.
    let positive = [ours, theirs].iter().all(|one| one.low.number() > 0.0);
    let scale: fn(f64) -> f64 = if positive { f64::ln } else { |number| number };
    let back: fn(f64) -> f64 = if positive { f64::exp } else { |number| number };
    let [a, b] = [ours, theirs].map(|one| Measured {
        value: scale(one.value.number()),
        error: (scale(one.high.number()) - scale(one.low.number())) / (2.0 * Z),
    });
    let (mean, half, contradicts) = weighted(a, b);
    let number = |number: f64| ours.value.at(back(number));
    let (low, high) = (number(mean - half), number(mean + half));
    let (low, high) = if contradicts {
        (least([low, ours.low, theirs.low]), most([high, ours.high, theirs.high]))
    } else {
        (low, high)
    };
    let value = number(mean).rounded(DIGITS);
    Combined {
        interval: Interval {
            low: least([low.rounded(DIGITS), value, value]),
            value,
            high: most([high.rounded(DIGITS), value, value]),
        },
        contradicts,
    }
}

/// The mean, half of its 95 % interval, and whether the two contradict each other.
fn weighted(a: Measured, b: Measured) -> (f64, f64, bool) {
    // A number without any error is taken to be as sure as the last digit that is written.
    let tiny = 1e-4 * a.value.abs().max(b.value.abs()).max(1e-9);
    let [va, vb] = [a, b].map(|one| one.error.max(tiny) * one.error.max(tiny));
    let mean_of = |[wa, wb]: [f64; 2]| (wa * a.value + wb * b.value) / (wa + wb);
    let weights = [1.0 / va, 1.0 / vb];
    let mean = mean_of(weights);
    let sum = weights[0] + weights[1];
    let squares = |value: f64| (value - mean) * (value - mean);
    let chi_squared = weights[0] * squares(a.value) + weights[1] * squares(b.value);
    if chi_squared <= CHI_SQUARED {
        let birge = chi_squared.sqrt().max(1.0);
        return (mean, Z * birge / sum.sqrt(), false);
    }
    let of_squares = weights[0] * weights[0] + weights[1] * weights[1];
    let between = (chi_squared - 1.0) / (sum - of_squares / sum);
    let weights = [1.0 / (va + between), 1.0 / (vb + between)];
    (mean_of(weights), Z / (weights[0] + weights[1]).sqrt(), true)
}

fn least(numbers: [Quantity; 3]) -> Quantity {
    numbers.into_iter().fold(numbers[0], |a, b| if b.number() < a.number() { b } else { a })
}

fn most(numbers: [Quantity; 3]) -> Quantity {
    numbers.into_iter().fold(numbers[0], |a, b| if b.number() > a.number() { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval([low, value, high]: [f64; 3]) -> Interval {
        let [low, value, high] = [low, value, high].map(Quantity::Number);
        Interval { low, value, high }
    }

    #[test]
    fn two_that_agree_are_surer_than_either() {
        let one = interval([-0.96, 1.0, 2.96]);
        let both = combine(&one, &one);
        assert!(!both.contradicts);
        assert_eq!(both.interval.value, Quantity::Number(1.0));
        // The error of a mean of two: one over the root of two.
        let half = both.interval.high.number() - 1.0;
        assert!((half - 1.96 / 2f64.sqrt()).abs() < 1e-3, "{half}");
    }

    #[test]
    fn the_surer_one_weighs_more() {
        let both = combine(&interval([90.0, 100.0, 110.0]), &interval([104.0, 105.0, 106.0]));
        assert!(!both.contradicts);
        assert!((both.interval.value.number() - 105.0).abs() < 0.2, "{both:?}");
    }

    #[test]
    fn two_that_contradict_each_other_are_both_held() {
        let (old, new) = (interval([9.0, 10.0, 11.0]), interval([19.0, 20.0, 21.0]));
        let both = combine(&old, &new);
        assert!(both.contradicts);
        let Interval { low, value, high } = both.interval;
        assert!(low.number() <= 9.0 && high.number() >= 21.0, "{both:?}");
        assert!((value.number() - 14.0).abs() < 1.5, "{both:?}");
        // It does not matter which came first.
        assert_eq!(combine(&new, &old), both);
    }

    #[test]
    fn numbers_that_disagree_a_little_are_widened_by_the_birge_ratio() {
        // Two of equal error, 2.4 errors apart: chi squared is 2.88, the ratio its root.
        let [a, b] = [0.0, 2.4].map(|value| Measured { value, error: 1.0 });
        let (mean, half, contradicts) = weighted(a, b);
        assert!(!contradicts);
        assert!((mean - 1.2).abs() < 1e-12);
        assert!((half - Z * 2.88f64.sqrt() / 2f64.sqrt()).abs() < 1e-9, "{half}");
    }

    #[test]
    fn the_random_effects_are_those_of_the_closed_form() {
        // Equal errors s at distance d: the variance between is d^2/2 - s^2, so that the error
        // of the mean is d/2.
        let [a, b] = [0.0, 10.0].map(|value| Measured { value, error: 1.0 });
        let (mean, half, contradicts) = weighted(a, b);
        assert!(contradicts);
        assert!((mean - 5.0).abs() < 1e-12 && (half - Z * 5.0).abs() < 1e-9, "{mean} {half}");
    }
}
