//! How much load a service takes before an objective breaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bottleneck, Kind, SCHEMA};
use crate::objective::Judged;
use crate::station::StationId;
use crate::statistics::Estimate;

/// What to change first to take more load: under the load at which an objective breaks, or where no load
/// keeps all, under the one that is nearest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct First {
    /// The change.
    #[serde(flatten)]
    pub change: Bottleneck,
    /// With the change: the highest load with which all objectives are kept, as in `Size::holds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Estimate>,
    /// With the change: the highest load that was tried, if all objectives are kept there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbroken: Option<f64>,
}

/// The answer of `sim size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// Version of this form.
    pub schema: u32,
    /// Predicted.
    pub kind: Kind,
    /// Name of the scenario.
    pub scenario: String,
    /// Root of the random draws.
    pub seed: u64,
    /// Digest of the resolved scenario and its costs.
    pub digest: String,
    /// What was looked for: a rate, or a number of users.
    pub load: LoadKind,
    /// The objectives, as in `p99 < 800ms`.
    pub objectives: Vec<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// The highest load with which all objectives are kept, per second or in users, and its
    /// interval: at its lower end they are surely kept, at its upper end one is surely broken. None
    /// if no load keeps them, or if none that was tried breaks one.
    pub holds: Option<Estimate>,
    /// The highest load that was tried, if all objectives are kept there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbroken: Option<f64>,
    /// Good answers per second at the highest load that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Estimate>,
    /// What breaks first above it; of objectives that no load keeps, what is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<Breaks>,
    /// What to change first to take more load; told where no load keeps the objectives, or where it was asked
    /// for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// The lower end of `holds` on runs with other seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Level>,
    /// Loads below `holds` that break an objective and loads above it that keep all: then the
    /// objectives do not simply get worse with the load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Level>,
    /// All loads that were tried, in order.
    pub levels: Vec<Level>,
    /// How much of the load, of each upstream's latency and of the CPU is left under the load of the
    /// scenario before an objective breaks; empty unless that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headroom: Vec<Headroom>,
    /// What a reader should know before trusting the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What load was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoadKind {
    /// Requests per second.
    Rate,
    /// Users that send, wait, think and repeat.
    Users,
}

/// How much worse one thing may become, all else as it is, before an objective breaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Headroom {
    /// What it is, in words: `load`, `latency of partner (P50)`, `CPU time (cpu.speed)`.
    pub what: String,
    /// The key whose value is told: `upstream.partner.latency.p50`.
    pub key: String,
    /// Its value in the scenario.
    pub now: String,
    /// How far it may go; none if no value keeps the objectives, if none that was tried breaks one, or
    /// if nothing can be told (then there is neither `unbroken` nor `breaks`).
    pub holds: Option<Reach>,
    /// The farthest that was tried, if all objectives are kept there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbroken: Option<Turned>,
    /// What breaks first beyond it; of objectives that no value keeps, what is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks: Option<Breaks>,
    /// Where all are surely kept, on runs with other seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Level>,
    /// All values that were tried, as factors, in order; of the load they are those of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// What a reader should know before trusting it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How far something may go: an answer and its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// Here all objectives are surely kept.
    pub kept: Turned,
    /// Here the numbers themselves cross a limit.
    pub about: Turned,
    /// Here an objective is surely broken.
    pub broken: Turned,
}

/// A value of something that is turned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turned {
    /// How many times as much as in the scenario; of the CPU, how many times the CPU time.
    pub times: f64,
    /// The value of the key.
    pub value: String,
    /// What to give to `--set`, each by itself, for a scenario with it.
    pub set: Vec<String>,
}

/// A load that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Requests per second, or users; of headroom, how many times as much as in the scenario.
    pub load: f64,
    /// Runs.
    pub replications: u32,
    /// All objectives are kept, and an open load is served as fast as it comes.
    pub kept: bool,
    /// The intervals of all numbers say so, too.
    pub sure: bool,
    /// Each objective.
    pub objectives: Vec<Judged>,
    /// An open load comes faster than it is served.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub falls_behind: bool,
}

/// What breaks, and where it gets tight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breaks {
    /// The load at which it is broken; of headroom, how many times as much as in the scenario.
    pub load: f64,
    /// The objective; none if requests come faster than they are served, whatever the objectives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Judged>,
    /// What is full there, the fullest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub full: Vec<Full>,
    /// In one sentence.
    pub sentence: String,
}

/// A station that is full, or nearly so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Full {
    /// Which one.
    #[serde(flatten)]
    pub id: StationId,
    /// Share in use.
    pub utilisation: f64,
}

impl LoadKind {
    /// The key of a scenario that says how much it is.
    pub fn key(self) -> &'static str {
        match self {
            LoadKind::Rate => "load.rate",
            LoadKind::Users => "load.users",
        }
    }

    /// A load as the value of that key.
    pub fn value(self, load: f64) -> String {
        match self {
            LoadKind::Rate => format!("{}/s", short(load)),
            LoadKind::Users => load.to_string(),
        }
    }

    /// A load in words: `146 requests/s`, `40 users`.
    pub fn words(self, load: f64) -> String {
        match self {
            LoadKind::Rate => format!("{} requests/s", short(load)),
            LoadKind::Users => format!("{load} {}", if load == 1.0 { "user" } else { "users" }),
        }
    }

    /// Its number alone.
    pub fn number(self, load: f64) -> String {
        match self {
            LoadKind::Rate => short(load),
            LoadKind::Users => load.to_string(),
        }
    }
}

/// Four digits: neighbouring loads of a search differ in the fourth.
fn short(load: f64) -> String {
    let text = format!("{load:.3e}");
    text.parse::<f64>().map_or(text, |load| load.to_string())
}

impl Level {
    /// Whether all is kept, in words.
    pub fn words(&self) -> &'static str {
        match (self.kept, self.sure, self.falls_behind) {
            (_, _, true) => "broken: falls behind",
            (true, true, _) => "kept",
            (true, false, _) => "kept, not sure",
            (false, true, _) => "broken",
            (false, false, _) => "broken, not sure",
        }
    }
}

impl Size {
    /// Version of this form.
    pub const SCHEMA: u32 = SCHEMA;
}

/// The JSON Schema of the answer of `sim size`.
pub fn size_schema() -> serde_json::Value {
    schemars::schema_for!(Size).to_value()
}
