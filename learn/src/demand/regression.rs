//! A robust regression with non-negative coefficients, and how sure they are.

use model::statistics::t_quantile;
use nalgebra::{DMatrix, DVector};

use super::nnls::{inverse, nnls, solve};

/// Beyond so many standard deviations an observation weighs less: 95 % as precise as least squares where
/// nothing is wrong (Huber, "Robust estimation of a location parameter", 1964).
const HUBER: f64 = 1.345;
/// Median of the absolute value of a standard normal.
const NORMAL_MAD: f64 = 0.674_489_750_196_081_7;
/// An observation so many standard deviations away is called an outlier.
const OUTLIER: f64 = 5.0;
const ITERATIONS: u32 = 50;

/// An observation.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What explains it.
    pub(super) x: Vec<f64>,
    /// The observed values.
    pub(super) y: f64,
    /// One over its variance, up to a factor that all share.
    pub(super) weight: f64,
}

/// The regression of a number of rows.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// Coefficients, none negative.
    pub(super) value: DVector<f64>,
    /// Coefficients that may be negative: the middle of the intervals, as a bootstrap of coefficients at a
    /// bound says too little (Andrews, Econometrica 68, 2000).
    free: DVector<f64>,
    /// Their covariance.
    covariance: DMatrix<f64>,
    /// Degrees of freedom of the intervals.
    freedom: f64,
    /// Places of rows that no coefficients explain.
    pub(super) outliers: Vec<usize>,
}

impl Fit {
    /// Fits `rows`, which are in the order of time; none if there are fewer than coefficients.
    ///
    /// Huber's weights by iteratively reweighted non-negative least squares. Intervals by a block bootstrap
    /// (Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of
    /// Statistics 17, 1989).
    pub(super) fn of(rows: &[Row]) -> Option<Fit> {
        let columns = rows.first()?.x.len();
        if rows.len() <= columns {
            return None;
        }
        let (value, _) = robust(rows, nnls);
        let (free, scale) = robust(rows, solve);
        let away = residuals(rows, &free);
        let outliers = (0..rows.len()).filter(|&i| away[i].abs() > OUTLIER * scale).collect();
        let (covariance, blocks) = bootstrap(rows, &away, HUBER * scale);
        Some(Fit { value, free, covariance, freedom: blocks - 1.0, outliers })
    }

    /// The 95 % interval of a weighted sum of coefficients, cut off at 0; it holds the best guess.
    pub(super) fn interval(&self, sum: &DVector<f64>) -> [f64; 2] {
        let half = self.error(sum) * t_quantile(self.freedom, 0.95);
        let (middle, best) = (self.free.dot(sum), self.value.dot(sum));
        [(middle - half).min(best).max(0.0), (middle + half).max(best)]
    }

    /// The standard error of a weighted sum of coefficients.
    pub(super) fn error(&self, sum: &DVector<f64>) -> f64 {
        libm::sqrt((sum.transpose() * &self.covariance * sum)[(0, 0)].max(0.0))
    }

    /// The coefficient at `place` and how often it is its own 99 % interval's half width.
    pub(super) fn significance(&self, place: usize) -> (f64, f64) {
        let error = libm::sqrt(self.covariance[(place, place)].max(f64::MIN_POSITIVE));
        (self.free[place], self.free[place].abs() / (error * t_quantile(self.freedom, 0.99)))
    }
}

/// The coefficients alone.
pub(super) fn value(rows: &[Row]) -> DVector<f64> {
    robust(rows, nnls).0
}

/// The weighted sums of squares and products of `rows`, and those with what was seen.
fn normal_equations(rows: &[Row], weights: &[f64]) -> (DMatrix<f64>, DVector<f64>) {
    let n = rows[0].x.len();
    let (mut gram, mut right) = (DMatrix::zeros(n, n), DVector::zeros(n));
    for (row, weight) in rows.iter().zip(weights) {
        for (i, x) in row.x.iter().enumerate() {
            right[i] += weight * x * row.y;
            for (j, z) in row.x[..=i].iter().enumerate() {
                gram[(i, j)] += weight * x * z;
            }
        }
    }
    gram.fill_upper_triangle_with_lower_triangle();
    (gram, right)
}

type Solver = fn(&DMatrix<f64>, &DVector<f64>) -> DVector<f64>;

/// Coefficients by iteratively reweighted least squares, and the scale of what they leave.
fn robust(rows: &[Row], solver: Solver) -> (DVector<f64>, f64) {
    let mut weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
    let (gram, right) = normal_equations(rows, &weights);
    let mut x = solver(&gram, &right);
    let size = rows.iter().map(|row| row.y.abs() * libm::sqrt(row.weight)).fold(0.0, f64::max);
    let mut scale = 0.0;
    for _ in 0..ITERATIONS {
        let away = residuals(rows, &x);
        scale = mad(&away).max(1e-12 * size);
        for ((weight, row), away) in weights.iter_mut().zip(rows).zip(&away) {
            *weight = row.weight * (HUBER * scale / away.abs().max(f64::MIN_POSITIVE)).min(1.0);
        }
        let (gram, right) = normal_equations(rows, &weights);
        let next = solver(&gram, &right);
        let done = (&next - &x).amax() <= 1e-9 * next.amax();
        x = next;
        if done {
            break;
        }
    }
    (x, scale)
}

/// What the coefficients leave of each row, in units that all rows share.
fn residuals(rows: &[Row], x: &DVector<f64>) -> Vec<f64> {
    let predicted = |row: &Row| row.x.iter().zip(x.iter()).map(|(a, b)| a * b).sum::<f64>();
    rows.iter().map(|row| (row.y - predicted(row)) * libm::sqrt(row.weight)).collect()
}

/// The standard deviation by the median of absolute values.
fn mad(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes[sizes.len() / 2] / NORMAL_MAD
}

/// The covariance of the coefficients over samples of blocks of rows, and the number of blocks.
///
/// In closed form, as that of infinitely many samples: each is one Newton step from the coefficients of
/// all rows, and the step is a sum over blocks that are drawn independently. Sums of squares are those of
/// all rows, since those of a few blocks may be singular. An outlier counts with its bounded pull. Each
/// residual is raised to what it were if its row had not been fitted (HC3: MacKinnon and White, Journal
/// of Econometrics 29, 1985).
fn bootstrap(rows: &[Row], away: &[f64], bound: f64) -> (DMatrix<f64>, f64) {
    let n = rows[0].x.len();
    let inside = rows.iter().zip(away).map(|(row, away)| match away.abs() <= bound {
        true => row.weight,
        false => 0.0,
    });
    let (gram, _) = normal_equations(rows, &inside.collect::<Vec<_>>());
    let inverse = inverse(&gram);
    let pull = |(row, away): (&Row, &f64)| {
        let x = DVector::from_column_slice(&row.x) * libm::sqrt(row.weight);
        let leverage = (x.transpose() * &inverse * &x)[(0, 0)].clamp(0.0, 0.9);
        &inverse * x * (away.clamp(-bound, bound) / (1.0 - leverage))
    };
    let pulls: Vec<DVector<f64>> = rows.iter().zip(away).map(pull).collect();
    let length = (libm::cbrt(rows.len() as f64).ceil() as usize).clamp(1, rows.len() / 2);
    let sums: Vec<DVector<f64>> = pulls.windows(length).map(|block| block.iter().sum()).collect();
    let mean = sums.iter().sum::<DVector<f64>>() / sums.len() as f64;
    let mut spread = DMatrix::zeros(n, n);
    for sum in &sums {
        let step = sum - &mean;
        spread += &step * step.transpose();
    }
    let blocks = rows.len() as f64 / length as f64;
    (spread * (blocks / sums.len() as f64), blocks)
}
