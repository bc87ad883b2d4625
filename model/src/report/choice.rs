//! The cheapest settings that keep the objectives under a load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Breaks, Kind, Level, SCHEMA};
use crate::sweep::Axis;

/// The answer of `sim size --choose`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// Version of this form.
    pub schema: u32,
    /// Predicted.
    pub kind: Kind,
    /// Name of the scenario.
    pub scenario: String,
    /// Root of the random draws.
    pub seed: u64,
    /// Digest of the resolved scenario and its costs, before a setting is chosen.
    pub digest: String,
    /// The load in words: `120 requests/s`.
    pub load: String,
    /// The objectives, as in `p99 < 800ms`.
    pub objectives: Vec<String>,
    /// How sure it is that the chosen setting keeps them; and that no cheaper one does, but for those
    /// under `undecided`.
    pub confidence: f64,
    /// The keys, and the values that may be chosen.
    pub keys: Vec<Axis>,
    /// What a setting costs: an expression of the keys.
    pub cost: String,
    /// Settings that may be chosen.
    pub settings: u64,
    /// Of those, how many the rules of scenarios do not allow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// The cheapest setting that surely keeps all objectives, as runs with other seeds than those of
    /// the search say; none if there is none.
    pub chosen: Option<Attempt>,
    /// Cheaper settings, or without a chosen one any, of which runs cannot tell whether they keep all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Attempt>,
    /// The chosen setting with one worker less; none if it has one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_worker_less: Option<Attempt>,
    /// Where none is chosen: the setting that comes nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
    /// All settings that were tried, in the order of their cost; runs of the search.
    pub tried: Vec<Attempt>,
    /// Dearer settings that were not tried since the events of the search were used up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untried: u64,
    /// What a reader should know before trusting the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// In the order of the keys.
    pub values: Vec<String>,
    /// What it costs.
    pub cost: f64,
    /// What came of it.
    #[serde(flatten)]
    pub level: Level,
}

/// How near a setting comes that breaks an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Nearest {
    /// The setting.
    #[serde(flatten)]
    pub setting: Attempt,
    /// The objective that it breaks.
    pub breaks: Breaks,
}

impl Choice {
    /// Version of this form.
    pub const SCHEMA: u32 = SCHEMA;

    /// A setting in words: `service.workers=3, database.connections.size=7`.
    pub fn words(&self, attempt: &Attempt) -> String {
        let pairs = self.keys.iter().zip(&attempt.values);
        pairs.map(|(axis, value)| axis.set(value)).collect::<Vec<_>>().join(", ")
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The JSON Schema of the answer of `sim size --choose`.
pub fn choice_schema() -> serde_json::Value {
    schemars::schema_for!(Choice).to_value()
}
