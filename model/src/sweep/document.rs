//! The answer of `sim sweep`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Axis, Figures, Knee};
use crate::objective::{Judged, State};
use crate::report::{Kind, SCHEMA};
use crate::statistics::Estimate;

/// A scenario at several values of one or two keys, predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// Version of this form.
    pub schema: u32,
    /// Predicted.
    pub kind: Kind,
    /// Name of the scenario.
    pub scenario: String,
    /// Root of the random draws, the same at every point.
    pub seed: u64,
    /// Digest of the resolved scenario and its costs, before a key is varied.
    pub digest: String,
    /// The keys that are varied, and their values; one or two.
    pub axes: Vec<Axis>,
    /// The objectives, as in `p99 < 800ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Points that were asked for. Fewer are listed where the sweep was interrupted.
    pub wanted: u64,
    /// In the order of the values, those of the second key fastest.
    pub points: Vec<Point>,
    /// Where throughput bends along the first key: once, or for each value of the second key.
    pub lines: Vec<Line>,
    /// What a reader should know before trusting the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One value of each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// In the order of the keys, as they were written.
    pub values: Vec<String>,
    /// Runs.
    pub replications: u32,
    /// The main numbers.
    #[serde(flatten)]
    pub figures: Figures,
    /// Interval of the share of errors.
    pub error_interval: Estimate,
    /// Each objective.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Judged>,
    /// Slow requests are still in flight when the counted window ends: response times are too short
    /// here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Requests come faster than they are served: the longer the run, the longer they wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub falls_behind: bool,
}

/// Points that differ in the first key alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The value of the second key, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Where throughput bends.
    pub knee: Knee,
}

impl Sweep {
    /// Version of this form.
    pub const SCHEMA: u32 = SCHEMA;

    /// The point at these values; none if it was not computed.
    pub fn point(&self, values: &[&str]) -> Option<&Point> {
        self.points.iter().find(|point| point.values == values)
    }

    /// All points that were asked for are there.
    pub fn is_complete(&self) -> bool {
        self.points.len() as u64 == self.wanted
    }

    /// The point lies at the knee of its line.
    pub fn is_knee(&self, point: &Point) -> bool {
        let at = point.values.get(1);
        let line = self.lines.iter().find(|line| line.at.as_ref() == at);
        line.is_some_and(|line| matches!(&line.knee, Knee::At(value) if *value == point.values[0]))
    }
}

impl Point {
    /// Whether all objectives are kept; none if there are none that can be told.
    pub fn kept(&self) -> Option<bool> {
        let told = self.objectives.iter().filter(|one| one.state != State::Unknown);
        told.map(|one| one.state == State::Kept).reduce(|all, one| all && one)
    }

    /// That is sure: no limit lies in the interval of its number.
    pub fn is_sure(&self) -> bool {
        let broken = |one: &Judged| one.state == State::Broken && one.sure;
        match self.kept() {
            Some(false) => self.objectives.iter().any(broken),
            _ => self.objectives.iter().all(|one| one.sure || one.state == State::Unknown),
        }
    }
}

/// The JSON Schema of the answer of `sim sweep`.
pub fn sweep_schema() -> serde_json::Value {
    schemars::schema_for!(Sweep).to_value()
}
