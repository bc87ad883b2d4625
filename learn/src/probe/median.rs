//! The middle of measured values, which a few disturbed ones do not move.

use model::statistics::Estimate;

/// From so many values on, their least and their largest hold the median with 95 % confidence:
/// that all lie on one side of it has the probability `2 / 2^n`, 3 % for 6.
const ENOUGH: usize = 6;

/// The median and a 95 % interval of it, by the ranks of the values: a sign test (Conover,
/// "Practical nonparametric statistics", 3.2). Of fewer than six values it is the mean, with the
/// interval of Student's t.
///
/// Another program, or another guest of the same host, may double the CPU time of a single batch.
pub(super) fn median(values: &[f64]) -> Estimate {
    let count = values.len();
    if count < ENOUGH {
        return Estimate::of_mean(values, 0.95);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = count / 2;
    let value =
        if count % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
    let out = left_out(count);
    Estimate { value, low: sorted[out], high: sorted[count - 1 - out] }
}

/// How many values on each side the interval leaves out: the most with which the probability that
/// the median lies beyond, on either side, is 5 % at most.
fn left_out(count: usize) -> usize {
    let (mut term, mut below) = (libm::pow(0.5, count as f64), 0.0);
    let mut out = 0;
    loop {
        below += term;
        if 2.0 * below > 0.05 || 2 * out >= count {
            return out.saturating_sub(1);
        }
        out += 1;
        term *= (count - out + 1) as f64 / out as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_batch_does_not_move_it() {
        let values = [1.27, 1.24, 2.9, 1.2, 1.27, 1.5, 1.27, 1.4];
        let found = median(&values);
        assert!((found.value - 1.27).abs() < 1e-9, "{found:?}");
        assert_eq!((found.low, found.high), (1.2, 2.9));
        assert_eq!(median(&values[..3]), Estimate::of_mean(&values[..3], 0.95));
        assert!((median(&[3.0, 1.0, 2.0, 5.0, 4.0, 6.0]).value - 3.5).abs() < 1e-9);
    }

    /// Conover, table A3: the largest rank whose binomial probability is 0.025 at most.
    #[test]
    fn the_interval_leaves_out_as_many_as_the_binomial_distribution_allows() {
        let known = [(6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (20, 5), (50, 17)];
        for (count, out) in known {
            assert_eq!(left_out(count), out, "of {count}");
        }
    }
}
