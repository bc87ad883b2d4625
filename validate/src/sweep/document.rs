//! The answer of a sweep.

use model::report::Report;
use model::statistics::Estimate;
use model::sweep::{Axis, Figures, Knee};
use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::comparison::{Comparison, SCHEMA};
use crate::judge::metric::Metric;
use crate::judge::summary::Summary;
use crate::judge::validation;

/// A scenario at several values of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// Version of this form.
    pub schema: u32,
    /// The scenario.
    pub scenario: String,
    /// The key that is varied.
    pub key: String,
    /// In the order in which they were asked for.
    pub points: Vec<Point>,
    /// Where the predicted curve bends.
    pub predicted_knee: Knee,
    /// Where the measured one does.
    pub measured_knee: Knee,
    /// All measured points together; none if nothing was to be measured.
    pub summary: Option<Summary>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The value, as it was written.
    pub value: String,
    /// The prediction.
    pub predicted: Figures,
    /// Prediction and measurement; none if it was not measured.
    pub comparison: Option<Comparison>,
}

impl Sweep {
    /// A sweep of `scenario`: a prediction for each value, and comparisons for the first of
    /// them, or none.
    pub fn of(
        scenario: &str,
        axis: &Axis,
        predicted: &[Report],
        comparisons: Vec<Comparison>,
        measuring: bool,
    ) -> Sweep {
        let curve: Vec<Estimate> = predicted.iter().map(|report| report.throughput).collect();
        // An unsound measurement is no point of a curve.
        let sound = comparisons.iter().take_while(|c| c.doubts.is_empty());
        let measured: Vec<Estimate> = sound.filter_map(throughput).collect();
        let predicted_knee = Knee::of(&axis.values, &curve);
        let measured_knee = Knee::of(&axis.values, &measured);
        let summary = measuring.then(|| Summary::of(&comparisons));
        let mut comparisons = comparisons.into_iter();
        let point = |(value, report): (&String, &Report)| Point {
            value: value.clone(),
            predicted: Figures::of(report),
            comparison: comparisons.next(),
        };
        Sweep {
            schema: SCHEMA,
            scenario: scenario.to_string(),
            key: axis.key.clone(),
            points: axis.values.iter().zip(predicted).map(point).collect(),
            predicted_knee,
            measured_knee,
            summary,
        }
    }

    /// As for comparisons; a curve that was only predicted is an answer.
    pub fn exit(&self) -> Exit {
        match &self.summary {
            None => Exit::Success,
            Some(_) => {
                validation::exit(self.points.iter().filter_map(|point| point.comparison.as_ref()))
            }
        }
    }
}

/// The measured throughput, with its interval as far as it is known.
fn throughput(comparison: &Comparison) -> Option<Estimate> {
    let side = comparison.overall(Metric::Throughput)?.measured?;
    let (low, high) = (side.low.unwrap_or(side.value), side.high.unwrap_or(side.value));
    Some(Estimate { value: side.value, low, high })
}
