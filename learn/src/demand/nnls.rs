//! Least squares with coefficients that are not negative.

use nalgebra::{DMatrix, DVector};

/// Relative to the diagonal: makes a singular matrix solvable and changes nothing that is seen.
const RIDGE: f64 = 1e-10;

/// The minimum of `x'Gx/2 - r'x` with all of `x` at least 0.
///
/// Bro and De Jong, "A fast non-negativity-constrained least squares algorithm", Journal of Chemometrics
/// 11 (1997): the active sets of Lawson and Hanson on the normal equations, which stay the same size
/// however many windows there are.
pub(super) fn nnls(gram: &DMatrix<f64>, right: &DVector<f64>) -> DVector<f64> {
    let n = right.len();
    let mut x = DVector::zeros(n);
    let mut passive = vec![false; n];
    let tolerance = 1e-12 * right.amax();
    // Each step frees the coefficient that helps most; rounding could free the same for ever.
    for _ in 0..3 * n {
        let slope = right - gram * &x;
        let best = (0..n).filter(|&j| !passive[j]).max_by(|&a, &b| slope[a].total_cmp(&slope[b]));
        let Some(best) = best.filter(|&j| slope[j] > tolerance) else { break };
        passive[best] = true;
        loop {
            let full = solve_some(gram, right, &passive);
            let step = (0..n)
                .filter(|&j| passive[j] && full[j] <= 0.0)
                .map(|j| x[j] / (x[j] - full[j]).max(f64::MIN_POSITIVE))
                .fold(1.0, f64::min);
            x = &x + (&full - &x) * step;
            if step >= 1.0 {
                break;
            }
            let least = 1e-14 * x.amax();
            for (j, free) in passive.iter_mut().enumerate() {
                if *free && x[j] <= least {
                    (*free, x[j]) = (false, 0.0);
                }
            }
            if !passive.contains(&true) {
                break;
            }
        }
    }
    x.map(|value: f64| value.max(0.0))
}

/// Solves for the coefficients in `chosen`; the others are 0.
fn solve_some(gram: &DMatrix<f64>, right: &DVector<f64>, chosen: &[bool]) -> DVector<f64> {
    let places: Vec<usize> = (0..right.len()).filter(|&j| chosen[j]).collect();
    let part = gram.select_rows(&places).select_columns(&places);
    let solved = solve(&part, &right.select_rows(&places));
    let mut x = DVector::zeros(right.len());
    for (&place, &value) in places.iter().zip(solved.iter()) {
        x[place] = value;
    }
    x
}

/// Solves `gram x = right` for a matrix that may be singular.
pub(super) fn solve(gram: &DMatrix<f64>, right: &DVector<f64>) -> DVector<f64> {
    inverse(gram) * right
}

/// The inverse of a matrix of sums of squares that may be singular.
pub(super) fn inverse(gram: &DMatrix<f64>) -> DMatrix<f64> {
    let n = gram.nrows();
    let scale: Vec<f64> = (0..n).map(|j| libm::sqrt(gram[(j, j)].max(f64::MIN_POSITIVE))).collect();
    let scaled = DMatrix::from_fn(n, n, |i, j| gram[(i, j)] / scale[i] / scale[j]);
    let mut ridge = RIDGE;
    loop {
        let raised = &scaled + DMatrix::identity(n, n) * ridge;
        if let Some(factor) = raised.cholesky() {
            let inverse = factor.inverse();
            return DMatrix::from_fn(n, n, |i, j| inverse[(i, j)] / scale[i] / scale[j]);
        }
        ridge *= 100.0;
        if ridge > 1.0 {
            return DMatrix::zeros(n, n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_inside_is_that_of_least_squares() {
        let gram = DMatrix::from_row_slice(2, 2, &[4.0, 1.0, 1.0, 3.0]);
        let x = nnls(&gram, &DVector::from_row_slice(&[9.0, 7.0]));
        assert!((x[0] - 20.0 / 11.0).abs() < 1e-6 && (x[1] - 19.0 / 11.0).abs() < 1e-6, "{x}");
    }

    #[test]
    fn a_negative_coefficient_becomes_zero_and_the_others_are_solved_again() {
        let gram = DMatrix::from_row_slice(2, 2, &[4.0, 3.0, 3.0, 4.0]);
        let x = nnls(&gram, &DVector::from_row_slice(&[8.0, 1.0]));
        assert!((x[0] - 2.0).abs() < 1e-6 && x[1] == 0.0, "{x}");
    }

    /// The conditions of Karush, Kuhn and Tucker, on matrices that may be singular.
    #[test]
    fn no_small_change_makes_it_better() {
        let purpose = model::stream::Purpose::new(3, "nnls");
        for case in 0..300 {
            let n = 2 + case as usize % 5;
            let uniform = |i: usize| purpose.draw(case, i as u64) as f64 / u64::MAX as f64 - 0.5;
            let rows = if case % 3 == 0 { n - 1 } else { n + 3 };
            let a = DMatrix::from_fn(rows, n, |i, j| uniform(i * n + j));
            let b = DVector::from_fn(rows, |i, _| uniform(1000 + i));
            let (gram, right) = (a.transpose() * &a, a.transpose() * &b);
            let x = nnls(&gram, &right);
            let slope = &right - &gram * &x;
            for j in 0..n {
                assert!(x[j] >= 0.0 && slope[j] < 1e-6, "case {case}: {x} {slope}");
                assert!(x[j] == 0.0 || slope[j].abs() < 1e-6, "case {case}: {x} {slope}");
            }
        }
    }
}
