//! Numbers that are known apart, corrected by what several of them are together.

use nalgebra::{DMatrix, DVector};

/// Several of the numbers together.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    /// How often it holds each number.
    pub(super) counts: Vec<f64>,
    /// The measured sum, and its standard deviation.
    pub(super) value: f64,
    pub(super) error: f64,
}

/// The numbers with their standard deviations.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) means: Vec<f64>,
    pub(super) deviations: Vec<f64>,
    /// The correlation of what any two of them are off by, from 0 to 1.
    pub(super) correlation: f64,
}

impl Known {
    /// The posterior means and standard deviations of a Bayesian linear regression with known
    /// variances (Bishop, "Pattern recognition and machine learning", 3.3): these numbers, taken as
    /// jointly normal, are the prior, and the `sums` are observed. Unchanged where the sums cannot be
    /// used.
    ///
    /// A number with a small standard deviation hardly changes; one with a large one changes until the
    /// sums are right. The more the numbers are correlated, the more each changes by the same number of its
    /// own deviations.
    pub(super) fn corrected(&self, sums: &[Sum]) -> Known {
        let count = self.means.len();
        let asked = DMatrix::from_fn(sums.len(), count, |row, place| {
            sums[row].counts.get(place).copied().unwrap_or(0.0)
        });
        let prior = DVector::from_column_slice(&self.means);
        let spread = DMatrix::from_fn(count, count, |row, column| {
            let shared = if row == column { 1.0 } else { self.correlation };
            shared * self.deviations[row] * self.deviations[column]
        });
        let errors = sums.iter().map(|sum| sum.error * sum.error);
        let noise = DMatrix::from_diagonal(&DVector::from_iterator(sums.len(), errors));
        let seen = DVector::from_iterator(sums.len(), sums.iter().map(|sum| sum.value));
        let across = &spread * asked.transpose();
        let Some(known) = (&asked * &across + noise).cholesky() else { return self.clone() };
        let means = &prior + &across * known.solve(&(seen - &asked * &prior));
        let left = &spread - &across * known.solve(&across.transpose());
        let deviation = |variance: &f64| libm::sqrt(variance.max(0.0));
        Known {
            means: means.iter().copied().collect(),
            deviations: left.diagonal().iter().map(deviation).collect(),
            correlation: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_badly_takes_up_the_difference() {
        let known = Known {
            means: vec![1.0, 5.0, 2.0],
            deviations: vec![0.01, 1.0, 0.0],
            correlation: 0.0,
        };
        let sum = Sum { counts: vec![1.0, 2.0, 1.0], value: 15.0, error: 0.01 };
        let found = known.corrected(&[sum]);
        assert!((found.means[0] - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.means[1] - 6.0).abs() < 0.01, "{found:?}");
        assert!((found.means[2] - 2.0).abs() < 1e-12, "{found:?}");
        assert!(found.deviations[1] < 0.01 && found.deviations[2] == 0.0, "{found:?}");
    }

    /// One number, seen twice: the mean of all three, each weighted with one over its variance.
    #[test]
    fn one_number_is_the_weighted_mean() {
        let known = Known { means: vec![10.0], deviations: vec![2.0], correlation: 0.0 };
        let seen = |value| Sum { counts: vec![1.0], value, error: 1.0 };
        let found = known.corrected(&[seen(13.0), seen(15.0)]);
        let weights = [0.25, 1.0, 1.0];
        let mean = (10.0 * 0.25 + 13.0 + 15.0) / 2.25;
        assert!((found.means[0] - mean).abs() < 1e-9, "{found:?}");
        let deviation = (1.0 / weights.iter().sum::<f64>()).sqrt();
        assert!((found.deviations[0] - deviation).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn numbers_that_are_off_together_change_by_as_many_deviations() {
        let known = Known { means: vec![1.0, 5.0], deviations: vec![0.2, 0.1], correlation: 1.0 };
        let sum = Sum { counts: vec![4.0, 2.0], value: 15.0, error: 1e-3 };
        let found = known.corrected(&[sum]);
        // Both change by z deviations: 4 (1 + 0.2 z) + 2 (5 + 0.1 z) = 15 has the root z = 1.
        for (found, wanted) in found.means.iter().zip([1.2, 5.1]) {
            assert!((found - wanted).abs() < 1e-3, "{found} {wanted}");
        }
    }

    #[test]
    fn nothing_seen_changes_nothing() {
        let known = Known { means: vec![1.0, 5.0], deviations: vec![0.1, 1.0], correlation: 0.0 };
        let found = known.corrected(&[]);
        assert_eq!(found.means, known.means);
    }
}
