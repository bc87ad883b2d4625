//! What a part is of.

use model::sweep::Axis;
use serde::{Deserialize, Serialize};

use super::{BUILD, Share};
use crate::replicate::Effort;

/// What the first line of every part says it is.
pub const FORM: &str = "rung sweep part";
/// Version of the form.
pub const SCHEMA: u32 = 1;

/// The first line of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORM`].
    pub form: String,
    /// Version of the form.
    pub schema: u32,
    /// The build that computed it.
    pub build: String,
    /// The sweep.
    pub job: Job,
    /// Which part of it this is.
    pub shard: Share,
}

/// A whole sweep as data: the same job has the same answer on every machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Name of the scenario.
    pub scenario: String,
    /// Digest of the resolved scenario and its costs, changes by `--set` included.
    pub digest: String,
    /// Root of the random draws.
    pub seed: u64,
    /// The keys that are varied, and their values.
    pub vary: Vec<Axis>,
    /// The objectives.
    pub keep: Vec<String>,
    /// How many runs, and how sure.
    pub effort: Effort,
    /// Remarks on the scenario, which the answer repeats.
    pub notes: Vec<String>,
    /// Numbers of the scenario were learned, with intervals.
    pub learned: bool,
}

impl Head {
    /// That of a share of `job`, computed by this build.
    pub fn new(job: Job, shard: Share) -> Head {
        Head { form: FORM.into(), schema: SCHEMA, build: BUILD.into(), job, shard }
    }
}

impl Job {
    /// How many points it has.
    pub fn points(&self) -> usize {
        self.vary.iter().fold(1, |all, axis| all.saturating_mul(axis.values.len()))
    }

    /// In what it differs from `other`, in words; none if it does not.
    pub fn difference(&self, other: &Job) -> Option<String> {
        let pairs = [
            ("scenario", self.scenario.clone(), other.scenario.clone()),
            ("digest of the scenario", self.digest.clone(), other.digest.clone()),
            ("seed", self.seed.to_string(), other.seed.to_string()),
            ("--vary", axes(&self.vary), axes(&other.vary)),
            ("objectives", self.keep.join(", "), other.keep.join(", ")),
            ("effort", format!("{:?}", self.effort), format!("{:?}", other.effort)),
        ];
        let different = pairs.into_iter().find(|(_, one, two)| one != two);
        match different {
            Some((what, one, two)) => Some(format!("{what} {} and {}", short(&one), short(&two))),
            None => (self != other).then(|| "other notes on the scenario".to_string()),
        }
    }

    /// The values of the point at `index`.
    pub fn values(&self, index: usize) -> Vec<&str> {
        values(&self.vary, index)
    }

    /// The name of the point at `index`: `users=50, workers=2`.
    pub fn name(&self, index: usize) -> String {
        let named = self.vary.iter().zip(self.values(index)).map(|(axis, value)| axis.name(value));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// The values of the point at `index` of the product of `axes`, the last one fastest.
pub(crate) fn values(axes: &[Axis], index: usize) -> Vec<&str> {
    let mut left = index;
    let mut values: Vec<&str> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        let count = axis.values.len().max(1);
        values.push(axis.values.get(left % count).map_or("", String::as_str));
        left /= count;
    }
    values.reverse();
    values
}

fn axes(axes: &[Axis]) -> String {
    let one = |axis: &Axis| format!("{}={}", axis.key, axis.values.join(","));
    axes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The beginning of a text that may be very long.
fn short(text: &str) -> String {
    const MOST: usize = 120;
    let mut begin: String = text.chars().take(MOST).collect();
    if begin.len() < text.len() {
        begin.push('…');
    }
    if begin.is_empty() { "(none)".into() } else { begin }
}
