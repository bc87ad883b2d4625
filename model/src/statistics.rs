//! Intervals for means over independent replications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

use crate::distribution::standard_normal;

/// A value and its confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// Lower end of the confidence interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// A value known exactly.
    pub fn exact(value: f64) -> Estimate {
        Estimate { value, low: value, high: value }
    }

    /// Mean of independent samples with its Student t interval:
    /// `mean ± t(n-1, 1-α/2) s/√n`. One sample has no interval: its ends are infinite
    /// in theory and equal to the value here, with [`Estimate::half_width`] zero, so
    /// callers ask for two samples at least.
    pub fn of_mean(samples: &[f64], confidence: f64) -> Estimate {
        let n = samples.len() as f64;
        if samples.is_empty() {
            return Estimate::exact(0.0);
        }
        let mean = samples.iter().sum::<f64>() / n;
        if samples.len() < 2 {
            return Estimate::exact(mean);
        }
        let variance = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        let half = t_quantile(n - 1.0, confidence) * libm::sqrt(variance / n);
        Estimate { value: mean, low: mean - half, high: mean + half }
    }

    /// The interval of a ratio of paired samples, `mean(a)/mean(b)`, from the paired
    /// differences `a - r b` (Fieller's approximation to first order).
    pub fn of_ratio(numerators: &[f64], denominators: &[f64], confidence: f64) -> Estimate {
        let base = Estimate::of_mean(denominators, confidence).value;
        if base == 0.0 {
            return Estimate::exact(0.0);
        }
        let ratio = Estimate::of_mean(numerators, confidence).value / base;
        let residuals: Vec<f64> =
            numerators.iter().zip(denominators).map(|(a, b)| (a - ratio * b) / base).collect();
        let spread = Estimate::of_mean(&residuals, confidence);
        Estimate {
            value: ratio,
            low: ratio - spread.half_width(),
            high: ratio + spread.half_width(),
        }
    }

    /// Half the length of the interval.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// The half width relative to the value; zero for a value of zero.
    pub fn relative_half_width(&self) -> f64 {
        if self.value == 0.0 { 0.0 } else { self.half_width() / self.value.abs() }
    }

    /// True if `value` lies in the interval.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The same numbers, each rounded by [`round_significant`].
    pub fn rounded(&self) -> Estimate {
        Estimate {
            value: round_significant(self.value),
            low: round_significant(self.low),
            high: round_significant(self.high),
        }
    }
}

/// The two-sided Student t quantile: P(|T| <= t) = `confidence` at `freedom` degrees.
///
/// # Panics
/// Unless `freedom > 0` and `0 < confidence < 1`.
pub fn t_quantile(freedom: f64, confidence: f64) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom above zero");
    let probability = 0.5 + confidence / 2.0;
    // Newton's method from the normal quantile, which lies below: the distribution function
    // is concave there, so that each step comes closer from the same side.
    let mut t = standard_normal(probability);
    for _ in 0..NEWTON_STEPS {
        let step = (probability - distribution.cdf(t)) / distribution.pdf(t);
        t += step;
        if step.abs() <= 1e-12 * t {
            break;
        }
    }
    t
}

/// Enough for one degree of freedom at a confidence of 99.9 %; two or three are usual.
const NEWTON_STEPS: u32 = 200;

/// Rounds to nine significant digits: more than any simulation knows, few enough that the
/// last bits of a machine's arithmetic do not show.
pub fn round_significant(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    format!("{x:.8e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_are_those_of_the_tables() {
        for (freedom, confidence, t) in [
            (1.0, 0.95, 12.706),
            (9.0, 0.95, 2.262),
            (9.0, 0.99, 3.250),
            (29.0, 0.95, 2.045),
            (1.0, 0.999, 636.619),
            (1000.0, 0.95, 1.962),
        ] {
            assert!((t_quantile(freedom, confidence) - t).abs() < 1e-3);
        }
    }

    #[test]
    fn a_mean_has_the_interval_of_the_textbook() {
        let estimate = Estimate::of_mean(&[9.0, 10.0, 11.0], 0.95);
        assert_eq!(estimate.value, 10.0);
        assert!((estimate.half_width() - 4.3027 / 3f64.sqrt()).abs() < 1e-3);
        assert!(estimate.contains(12.0) && !estimate.contains(13.0));
    }

    #[test]
    fn pairing_removes_common_noise_from_a_ratio() {
        let noise = [1.0, 3.0, 2.0, 5.0, 4.0];
        let doubled: Vec<f64> = noise.iter().map(|x| 2.0 * x).collect();
        let ratio = Estimate::of_ratio(&doubled, &noise, 0.95);
        assert_eq!(ratio.value, 2.0);
        assert!(ratio.half_width() < 1e-12);
    }

    #[test]
    fn rounding_keeps_nine_digits() {
        assert_eq!(round_significant(1.0 / 3.0), 0.333333333);
        assert_eq!(round_significant(69.6), 69.6);
        assert_eq!(round_significant(0.0), 0.0);
    }
}
