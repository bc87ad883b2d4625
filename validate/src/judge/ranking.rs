//! Whether predictions put services in the right order.
//!
//! A choice between two designs needs the better one more than exact numbers. Of
//! each pair of services, the measured throughputs say which is faster if they differ by
//! more than both intervals together (the root of the sum of their squares); the predicted
//! throughputs must then be in the same order. That a prediction sees no difference where
//! there is one is wrong too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use model::statistics::round_significant;

use super::comparison::Comparison;
use super::metric::Metric;
use super::side::Side;

/// The order of throughputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranking {
    /// Pairs whose measured throughputs differ by more than the noise.
    pub pairs: usize,
    /// Those of them that are predicted in the same order.
    pub right: usize,
    /// The others.
    pub wrong: Vec<Inversion>,
}

/// A pair in the wrong order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Inversion {
    /// The one that was measured to be faster.
    pub faster: String,
    /// The one that was measured to be slower.
    pub slower: String,
    /// By how much, relative to the slower; none if that does nothing.
    pub measured_gain: Option<f64>,
    /// By how much it is predicted to be faster: zero or less.
    pub predicted_gain: Option<f64>,
}

impl Ranking {
    /// That of all pairs.
    pub fn of(comparisons: &[&Comparison]) -> Ranking {
        let mut ranking = Ranking::default();
        for (index, one) in comparisons.iter().enumerate() {
            for other in &comparisons[index + 1..] {
                ranking.add(one, other);
            }
        }
        ranking
    }

    fn add(&mut self, one: &Comparison, other: &Comparison) {
        let (Some(a), Some(b)) = (throughputs(one), throughputs(other)) else { return };
        let (Some(half_a), Some(half_b)) = (a.measured.half(), b.measured.half()) else { return };
        let apart = a.measured.value - b.measured.value;
        if apart.abs() <= libm::hypot(half_a, half_b) {
            return;
        }
        let (fast, slow) =
            if apart > 0.0 { ((one, a), (other, b)) } else { ((other, b), (one, a)) };
        self.pairs += 1;
        if fast.1.predicted.value > slow.1.predicted.value {
            self.right += 1;
            return;
        }
        self.wrong.push(Inversion {
            faster: fast.0.name.clone(),
            slower: slow.0.name.clone(),
            measured_gain: gain(fast.1.measured, slow.1.measured),
            predicted_gain: gain(fast.1.predicted, slow.1.predicted),
        });
    }
}

#[derive(Clone, Copy)]
struct Throughputs {
    predicted: Side,
    measured: Side,
}

fn throughputs(comparison: &Comparison) -> Option<Throughputs> {
    let row = comparison.overall(Metric::Throughput)?;
    Some(Throughputs { predicted: row.predicted?, measured: row.measured? })
}

fn gain(of: Side, to: Side) -> Option<f64> {
    let gain = of.value / to.value - 1.0;
    gain.is_finite().then(|| round_significant(gain))
}
