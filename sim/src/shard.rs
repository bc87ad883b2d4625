//! A part of the replications of a scenario, which another process may have run.

use std::collections::BTreeMap;
use std::ops::Range;

use model::scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::engine::{Runaway, Workspace};
use crate::observe::{Histograms, Observations};
use crate::replicate::{GROUPS, Replications, grouped};

/// Some replications of a scenario: what each observed, and the response times of all.
///
/// Shards can be written to a file, read back and merged in any order: what is merged is what one
/// process would have observed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shard {
    seen: BTreeMap<u32, Observations>,
    /// Pooled as in [`Replications::groups`].
    #[serde(with = "counts")]
    groups: Vec<Histograms>,
}

/// Two shards have a replication in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice(
    /// Its index.
    pub u32,
);

/// A replication is in no shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(
    /// The index of the first that is missing.
    pub u32,
);

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
        Ok(Shard { seen: indices.zip(seen).collect(), groups })
    }

    /// The replications of both.
    ///
    /// # Errors
    /// [`Twice`] if both have the same one.
    pub fn merge(mut self, other: Shard) -> Result<Shard, Twice> {
        if let Some(&index) = other.seen.keys().find(|index| self.seen.contains_key(index)) {
            return Err(Twice(index));
        }
        self.seen.extend(other.seen);
        for (group, more) in self.groups.iter_mut().zip(other.groups) {
            let room = group.len().max(more.len());
            group.resize_with(room, crate::observe::empty_histogram);
            for (histogram, more) in group.iter_mut().zip(more) {
                histogram.add(more).expect("the same bounds");
            }
        }
        Ok(self)
    }

    /// The replications from the first to the last.
    ///
    /// # Errors
    /// [`Missing`] if there is a gap.
    pub fn replications(self) -> Result<Replications, Missing> {
        let gap = (0..).zip(self.seen.keys()).find(|(index, have)| index != *have);
        match gap {
            Some((index, _)) => Err(Missing(index)),
            None => {
                Ok(Replications { seen: self.seen.into_values().collect(), groups: self.groups })
            }
        }
    }
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
