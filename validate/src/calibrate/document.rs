//! The answer of a calibration.

use std::collections::BTreeMap;

use live::stack::Target;
use model::statistics::Estimate;
use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the form of a calibration.
pub(crate) const SCHEMA: u32 = 1;
/// Confidence of every interval.
pub(crate) const CONFIDENCE: f64 = 0.95;
/// Rounds without which there is no interval, and no way to tell chance from cost.
pub(crate) const ROUNDS_MIN: usize = 2;

/// The measured costs of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Version of this form.
    pub schema: u32,
    /// The stack.
    pub target: Target,
    /// How often every probe was run.
    pub rounds: u32,
    /// Where the numbers come from: the table of that name in the profile.
    pub about: BTreeMap<String, String>,
    /// The costs, in the order of the profile; one that is timed outside the probes comes last.
    pub costs: Vec<Cost>,
    /// Probes of single rounds whose measurement is unsound, and why.
    pub doubts: Vec<Doubt>,
    /// Where the profile was written.
    pub file: Option<String>,
}

/// One cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Its key in the profile, `disk.sync.p50` and the like for parts of a value.
    pub key: String,
    /// Its unit.
    pub unit: CostUnit,
    /// The value of the mean of all rounds, as it is written; zero if that is negative.
    pub value: f64,
    /// The value and its 95 % interval, from the spread of rounds or repetitions; none of fewer
    /// than two.
    pub interval: Option<Estimate>,
    /// Rounds that the value comes from; repetitions for a cost that is timed outside the probes.
    pub rounds: u32,
    /// At least two rounds are sound. If none is, the value comes from all of them.
    pub sound: bool,
    /// How it was measured.
    pub how: String,
}

/// The unit of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Unit")]
pub enum CostUnit {
    /// Seconds.
    Time,
    /// Bytes.
    Bytes,
}

/// Why one probe of one round does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doubt {
    /// Which round, from 1.
    pub round: u32,
    /// Which probe.
    pub probe: String,
    /// In sentences.
    pub reasons: Vec<String>,
}

impl Calibration {
    /// The cost with this key.
    pub fn cost(&self, key: &str) -> Option<&Cost> {
        self.costs.iter().find(|cost| cost.key == key)
    }

    /// Keys of the costs that fewer than two rounds give without doubt.
    pub fn in_doubt(&self) -> impl Iterator<Item = &str> {
        self.costs.iter().filter(|cost| !cost.sound).map(|cost| &*cost.key)
    }

    /// Inconclusive if any cost is unsound.
    pub fn exit(&self) -> Exit {
        match self.in_doubt().next() {
            None => Exit::Success,
            Some(_) => Exit::Inconclusive,
        }
    }
}
