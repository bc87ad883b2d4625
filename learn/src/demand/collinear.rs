//! Classes whose costs cannot be told apart, as they always come in the same proportion.

use nalgebra::DMatrix;

use super::nnls::inverse;
use super::regression::Row;

/// How well the counts of classes can be told apart.
pub(super) struct Collinearity {
    /// Per class its variance inflation factor: by how much its variance grows as its count follows
    /// from the counts of the others. 1 if it does not at all.
    ///
    /// Marquardt, "Generalized inverses, ridge regression, biased linear estimation", Technometrics 12
    /// (1970).
    pub(super) inflation: Vec<f64>,
    /// Per pair of classes how far their errors go together.
    together: DMatrix<f64>,
    /// Condition number of the counts, each in units of its own spread.
    ///
    /// Belsley, Kuh, Welsch, "Regression Diagnostics" (1980): 10 is weak dependence, 30 strong.
    pub(super) condition: f64,
}

impl Collinearity {
    /// That of the first `classes` columns of `rows`, around their means.
    pub(super) fn of(rows: &[Row], classes: usize) -> Collinearity {
        let total: f64 = rows.iter().map(|row| row.weight).sum();
        let mean: Vec<f64> = (0..classes)
            .map(|j| rows.iter().map(|row| row.weight * row.x[j]).sum::<f64>() / total)
            .collect();
        let product = |i: usize, j: usize| {
            let each =
                rows.iter().map(|row| row.weight * (row.x[i] - mean[i]) * (row.x[j] - mean[j]));
            each.sum::<f64>()
        };
        let products = DMatrix::from_fn(classes, classes, product);
        let scale = |j: usize| libm::sqrt(products[(j, j)].max(f64::MIN_POSITIVE));
        let correlation =
            DMatrix::from_fn(classes, classes, |i, j| products[(i, j)] / scale(i) / scale(j));
        let inverse = inverse(&correlation);
        let inflation = inverse.diagonal().iter().copied().collect();
        let together = DMatrix::from_fn(classes, classes, |i, j| {
            inverse[(i, j)] / libm::sqrt(inverse[(i, i)] * inverse[(j, j)]).max(f64::MIN_POSITIVE)
        });
        let values = correlation.symmetric_eigenvalues();
        let condition = libm::sqrt(values.max() / values.min().max(1e-12));
        Collinearity { inflation, together, condition }
    }

    /// Sets of at least two classes among the `doubtful` that go together: each doubtful class with every
    /// class whose error follows its own.
    pub(super) fn sets(&self, doubtful: &[bool]) -> Vec<Vec<usize>> {
        let classes = doubtful.len();
        let mut set: Vec<usize> = (0..classes).collect();
        for i in (0..classes).filter(|&i| doubtful[i]) {
            let size = |j: usize| self.together[(i, j)].abs();
            let others = || (0..classes).filter(|&j| j != i);
            let nearest = others().max_by(|&a, &b| size(a).total_cmp(&size(b)));
            for j in others().filter(|&j| Some(j) == nearest || size(j) > FOLLOWS) {
                let (from, to) = (set[i].max(set[j]), set[i].min(set[j]));
                set.iter_mut().filter(|set| **set == from).for_each(|set| *set = to);
            }
        }
        let members = |name: usize| (0..classes).filter(|&j| set[j] == name).collect::<Vec<_>>();
        (0..classes).map(members).filter(|members| members.len() > 1).collect()
    }
}

/// Errors that correlate more than this belong to one set.
const FOLLOWS: f64 = 0.7;
