//! A part of the replications of a scenario, which another process may have run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use model::digest::Digest;
use model::scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::engine::{Runaway, Workspace};
use crate::observe::{Histograms, Observations, empty_histogram};
use crate::replicate::{GROUPS, Replications, grouped};

/// Some replications of a scenario: what each observed, and the response times of all.
///
/// Shards can be written to a file, read back and merged in any order: what is merged is what one
/// process would have observed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Digest of the scenario, its seed and costs included.
    scenario: String,
    seen: BTreeMap<u32, Observations>,
    /// Pooled as in [`Replications::groups`].
    #[serde(with = "counts")]
    groups: Vec<Histograms>,
}

/// Why shards do not make up the replications of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// They are of different scenarios, seeds, costs or builds.
    Scenario,
    /// The replication with this index is in two of them.
    Twice(u32),
    /// The replication with this index is in none of them.
    Missing(u32),
    /// There is a replication with this index, which is beyond the last.
    Surplus(u32),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Scenario => write!(out, "the shards are not of one scenario and seed"),
            Mismatch::Twice(index) => write!(out, "replication {index} is in two shards"),
            Mismatch::Missing(index) => write!(out, "replication {index} is in no shard"),
            Mismatch::Surplus(index) => write!(out, "replication {index} is beyond the last"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Shard {
    /// Runs the replications with these indices.
    ///
    /// # Errors
    /// [`Runaway`] if one does not come to its end.
    pub fn run(
        scenario: &Scenario,
        indices: Range<u32>,
        events_max: u64,
    ) -> Result<Shard, Runaway> {
        let mut groups: Vec<Workspace> = (0..GROUPS).map(|_| Workspace::default()).collect();
        let seen = grouped(scenario, indices.clone(), events_max, &mut groups)?;
        let groups = groups.into_iter().map(|group| group.histograms).collect();
        Ok(Shard { scenario: digest(scenario), seen: indices.zip(seen).collect(), groups })
    }

    /// The replications of both.
    ///
    /// # Errors
    /// [`Mismatch`] if they are not of one scenario or both have the same replication.
    pub fn merge(mut self, other: Shard) -> Result<Shard, Mismatch> {
        if self.scenario != other.scenario || self.groups.len() != other.groups.len() {
            return Err(Mismatch::Scenario);
        }
        if let Some(&index) = other.seen.keys().find(|index| self.seen.contains_key(index)) {
            return Err(Mismatch::Twice(index));
        }
        self.seen.extend(other.seen);
        for (group, more) in self.groups.iter_mut().zip(other.groups) {
            let room = group.len().max(more.len());
            group.resize_with(room, empty_histogram);
            for (histogram, more) in group.iter_mut().zip(more) {
                histogram.add(more).expect("the same bounds");
            }
        }
        Ok(self)
    }

    /// The first `count` replications of `scenario`.
    ///
    /// # Errors
    /// [`Mismatch`] if the shard is of another scenario, or has fewer or more of them.
    pub fn replications(self, scenario: &Scenario, count: u32) -> Result<Replications, Mismatch> {
        if self.scenario != digest(scenario) || self.groups.len() != GROUPS {
            return Err(Mismatch::Scenario);
        }
        if let Some(index) = (0..count).find(|index| !self.seen.contains_key(index)) {
            return Err(Mismatch::Missing(index));
        }
        match self.seen.keys().last() {
            Some(&last) if last >= count => Err(Mismatch::Surplus(last)),
            _ => Ok(Replications { seen: self.seen.into_values().collect(), groups: self.groups }),
        }
    }
}

fn digest(scenario: &Scenario) -> String {
    let mut digest = Digest::new();
    digest.add(format!("{} {scenario:?}", env!("CARGO_PKG_VERSION")).as_bytes());
    digest.hex()
}

/// Histograms as lists of values and their counts.
mod counts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::observe::{Histograms, empty_histogram};

    type Counts = Vec<Vec<Vec<(u64, u32)>>>;

    pub(super) fn serialize<S: Serializer>(
        groups: &[Histograms],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let counts = |histogram: &hdrhistogram::Histogram<u32>| -> Vec<(u64, u32)> {
            let recorded = histogram.iter_recorded();
            recorded.map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
        };
        let group = |group: &Histograms| group.iter().map(counts).collect();
        groups.iter().map(group).collect::<Counts>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Histograms>, D::Error> {
        let histogram = |counts: Vec<(u64, u32)>| {
            let mut histogram = empty_histogram();
            for (value, count) in counts {
                histogram.saturating_record_n(value, count);
            }
            histogram
        };
        let group = |group: Vec<Vec<(u64, u32)>>| group.into_iter().map(histogram).collect();
        Ok(Counts::deserialize(deserializer)?.into_iter().map(group).collect())
    }
}
