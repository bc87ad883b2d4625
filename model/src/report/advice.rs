//! What to change, and what each change gives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// What to change first, and what then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bottleneck {
    /// The key that `--set` takes; several joined by ` + ` if only their pair helps.
    pub knob: String,
    /// Throughput gained, relative: 0.96 is 96 % more.
    pub gain: f64,
    /// In one sentence.
    pub sentence: String,
    /// A setting, which costs nothing, or hardware; none where nothing is to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KnobKind>,
    /// What the change is judged by: `throughput`, `errors`, `p99`, `endpoint:NAME.p99`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Changes one after the other, each on top of those before it; the first is `knob`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Move>,
}

/// What a knob costs to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KnobKind {
    /// Configuration or code: no other machine.
    Setting,
    /// More or faster processors.
    Hardware,
}

/// One change of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// The keys that change, with their values before and after.
    pub changes: Vec<Setting>,
    /// A setting or hardware.
    pub kind: KnobKind,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Relative improvement of the goal over the move before, with its interval.
    pub improvement: Estimate,
    /// Throughput after it.
    pub throughput: f64,
    /// Share of errors after it.
    pub error_share: f64,
    /// Mean response time after it, in seconds.
    pub response_time: f64,
}

/// A key and its two values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The key that `--set` takes.
    pub key: String,
    /// Its value before.
    pub from: String,
    /// Its value after.
    pub to: String,
}

/// A knob that was relaxed, all else and all draws being equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knob {
    /// The key that `--set` takes.
    pub knob: String,
    /// Its value.
    pub from: String,
    /// The value that was tried.
    pub to: String,
    /// Throughput with it.
    pub throughput: f64,
    /// Relative gain of throughput, with its interval from paired replications.
    pub gain: Estimate,
    /// Relative change of the mean response time.
    pub response_time_change: Estimate,
    /// False if no run came up against the limit: more of it changes nothing at all, and
    /// it was not simulated.
    pub reached: bool,
    /// A setting or hardware.
    #[serde(default = "setting")]
    pub kind: KnobKind,
    /// Relative improvement of the goal: more throughput, or less of errors or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub improvement: Option<Estimate>,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// Reports of earlier versions told settings and hardware not apart.
fn setting() -> KnobKind {
    KnobKind::Setting
}
