//! Where more of a resource stops to pay.
//!
//! Let `x` be the varied number and `X` the throughput. Service that grows in proportion
//! gains `X1/x1` per unit, as the first point does. The **knee** is the first value after
//! which a step gains less than half of that: `(X[i+1] - X[i]) / (x[i+1] - x[i]) <
//! (X1/x1) / 2`.
//!
//! A curve that never climbs above its first point by more than the noise has no knee within
//! the values: it lies before them, or the key does not drive throughput. Nor has one whose
//! every step pays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range;
use crate::statistics::Estimate;

/// Part of proportional growth below which a step does not pay.
const PAYS: f64 = 0.5;

/// Where the knee of a curve is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Knee {
    /// At this value: the step behind it does not pay.
    At(String),
    /// Throughput never climbs: before the first value, or nowhere.
    Before,
    /// Every step pays: behind the last value, or nowhere.
    Behind,
    /// The values are no rising numbers above zero, or too few were measured.
    Unknown,
}

impl Knee {
    /// When a step pays, in words.
    pub const RULE: &'static str = "a step pays if it gains half of what proportional growth would";
    /// [`Knee::words`] of a curve that never climbs.
    pub const NEVER: &'static str = "never pays";

    /// How far more of the varied number pays, in words after its name; none where that is not known.
    pub fn words(&self) -> Option<String> {
        match self {
            Knee::At(value) => Some(format!("pays up to {value}")),
            Knee::Before => Some(Knee::NEVER.to_string()),
            Knee::Behind => Some("pays up to the last value".to_string()),
            Knee::Unknown => None,
        }
    }

    /// That of the curve of `throughputs` at `values`.
    pub fn of(values: &[String], throughputs: &[Estimate]) -> Knee {
        let Some(numbers) = range::numbers(values) else { return Knee::Unknown };
        let points: Vec<(f64, Estimate)> =
            numbers.into_iter().zip(throughputs.iter().copied()).collect();
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let Some(&(first, start)) = points.first() else { return Knee::Unknown };
        if points.len() < 2 || points.len() < values.len() || !rising || first <= 0.0 {
            return Knee::Unknown;
        }
        if !points.iter().any(|(_, estimate)| climbs(&start, estimate)) {
            return Knee::Before;
        }
        let pays = PAYS * start.value / first;
        let flat = |pair: &[(f64, Estimate)]| {
            let gain = pair[1].1.value - pair[0].1.value;
            gain < pays * (pair[1].0 - pair[0].0)
        };
        match points.windows(2).position(flat) {
            Some(at) => Knee::At(values[at].clone()),
            None => Knee::Behind,
        }
    }
}

/// `to` is above `from` by more than both intervals together.
fn climbs(from: &Estimate, to: &Estimate) -> bool {
    to.value - from.value > libm::hypot(from.half_width(), to.half_width())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knee(values: &str, throughputs: &[f64]) -> Knee {
        let about = |value: &f64| Estimate { value: *value, low: value - 1.0, high: value + 1.0 };
        let throughputs: Vec<Estimate> = throughputs.iter().map(about).collect();
        let values: Vec<String> = values.split(',').map(String::from).collect();
        Knee::of(&values, &throughputs)
    }

    #[test]
    fn the_knee_is_where_a_step_gains_less_than_half_of_what_it_should() {
        let at = |value: &str| Knee::At(value.into());
        assert_eq!(knee("10,20,40,80", &[100.0, 200.0, 390.0, 400.0]), at("40"));
        // 40 more should gain 400, and gain 201; or 199.
        assert_eq!(knee("10,20,60,100", &[100.0, 200.0, 401.0, 405.0]), at("60"));
        assert_eq!(knee("10,20,60,100", &[100.0, 200.0, 399.0, 405.0]), at("20"));
        assert_eq!(knee("10,20,40", &[100.0, 110.0, 115.0]), at("10"));
        assert_eq!(knee("50ms,1s", &[100.0, 110.0]), at("50ms"));
    }

    #[test]
    fn a_curve_without_a_bend_has_no_knee() {
        assert_eq!(knee("10,20,40", &[100.0, 200.0, 400.0]), Knee::Behind);
        assert_eq!(knee("10,20,40", &[100.0, 100.5, 101.0]), Knee::Before);
        assert_eq!(knee("10,20,40", &[100.0, 90.0, 50.0]), Knee::Before);
        assert_eq!(knee("10,20", &[0.0, 0.0]), Knee::Before);
    }

    #[test]
    fn values_without_an_order_have_no_knee() {
        for values in ["async,threadpool", "20,10", "0,10", "10,20,30"] {
            assert_eq!(knee(values, &[100.0, 200.0]), Knee::Unknown, "{values}");
        }
        assert_eq!(knee("10", &[100.0]), Knee::Unknown);
    }
}
