//! Independent replications of one scenario, in parallel, with the bytes of a series.

use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use model::scenario::Scenario;
use model::statistics::Estimate;
use model::stream::replication_seed;

use crate::engine::{Engine, Runaway, Workspace};
use crate::observe::{Histograms, Observations};
use crate::plan::Plan;

/// How many replications to run, and how sure to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Replications to begin with, at least two.
    pub replications: u32,
    /// Most replications.
    pub replications_max: u32,
    /// Replicate until the throughput's interval is within this share of its value.
    pub precision: Option<f64>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Most events of one replication.
    pub events_max: u64,
}

impl Effort {
    /// Half width of the throughput's interval that the answer to one scenario aims at,
    /// unless its user says otherwise.
    pub const PRECISION: f64 = 0.02;
    /// The same for each rung of a ladder.
    pub const PRECISION_OF_A_RUNG: f64 = 0.01;

    /// The same with exactly so many replications; with as many as the precision needs if no number is
    /// given.
    pub(crate) fn with(self, replications: Option<u32>, precision: f64) -> Effort {
        match replications {
            Some(replications) => {
                Effort { replications, replications_max: replications, precision: None, ..self }
            }
            None => Effort { precision: Some(precision), ..self },
        }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Effort {
            replications: 10,
            replications_max: 1000,
            precision: Some(0.01),
            confidence: 0.95,
            events_max: 100_000_000,
        }
    }
}

/// What replications of a scenario showed.
#[derive(Clone, Debug)]
pub struct Replications {
    /// Each for itself, in order, without histograms.
    pub seen: Vec<Observations>,
    /// Their response times by class, pooled in groups: replication `i` is in group
    /// `i % GROUPS`. Quantiles need more samples than one short replication has.
    pub groups: Vec<Histograms>,
}

/// Groups that response times are pooled in.
pub const GROUPS: usize = 10;

/// One replication.
///
/// # Errors
/// [`Runaway`] if it does not come to its end.
pub fn replicate(
    scenario: &Scenario,
    index: u32,
    events_max: u64,
) -> Result<Observations, Runaway> {
    Engine::observe(&plan(scenario, index), events_max)
}

fn plan(scenario: &Scenario, index: u32) -> Plan {
    Plan::new(scenario, replication_seed(scenario.seed, index))
}

/// One replication, adding response times to the histograms of earlier ones.
///
/// # Errors
/// [`Runaway`] if it does not come to its end.
pub fn replicate_in(
    scenario: &Scenario,
    index: u32,
    events_max: u64,
    workspace: &mut Workspace,
) -> Result<Observations, Runaway> {
    Engine::observe_again(&plan(scenario, index), events_max, workspace)
}

/// As many replications as `effort` asks for. Their number depends on what they show, not
/// on how many run at a time. `progress` hears of each batch.
///
/// # Errors
/// The first [`Runaway`].
pub fn replications(
    scenario: &Scenario,
    effort: &Effort,
    progress: &mut dyn FnMut(&[Observations]),
) -> Result<Replications, Runaway> {
    let mut groups: Vec<Workspace> = (0..GROUPS).map(|_| Workspace::default()).collect();
    let mut seen: Vec<Observations> = Vec::new();
    while let Some(more) = wanted(&seen, effort) {
        let from = seen.len() as u32;
        let batch = grouped(scenario, from..from + more, effort.events_max, &mut groups)?;
        seen.extend(batch);
        progress(&seen);
    }
    Ok(Replications { seen, groups: groups.into_iter().map(|group| group.histograms).collect() })
}

/// One replication for each of `speeds`: number `i` on processors that are so many times as fast as those of
/// `scenario`.
///
/// # Errors
/// The first [`Runaway`].
pub(crate) fn replications_at(
    scenario: &Scenario,
    speeds: &[f64],
    events_max: u64,
) -> Result<Replications, Runaway> {
    let mut groups: Vec<Workspace> = (0..GROUPS).map(|_| Workspace::default()).collect();
    let mut seen = Vec::new();
    for (index, speed) in (0..).zip(speeds) {
        let mut there = scenario.clone();
        there.cpu.speed *= speed;
        seen.extend(grouped(&there, index..index + 1, events_max, &mut groups)?);
    }
    Ok(Replications { seen, groups: groups.into_iter().map(|group| group.histograms).collect() })
}

/// The replications with these indices, in order. Each group is the work of one thread at a time,
/// so that it needs histograms of its own and no lock.
pub(crate) fn grouped(
    scenario: &Scenario,
    indices: Range<u32>,
    events_max: u64,
    groups: &mut [Workspace],
) -> Result<Vec<Observations>, Runaway> {
    let each = |(group, workspace): (usize, &mut Workspace)| {
        (indices.clone())
            .filter(|&index| index as usize % GROUPS == group)
            .map(|index| {
                let seen = replicate_in(scenario, index, events_max, workspace)?;
                Ok((index, seen))
            })
            .collect::<Result<Vec<_>, Runaway>>()
    };
    let parts: Result<Vec<_>, Runaway> =
        groups.par_iter_mut().enumerate().with_max_len(1).map(each).collect();
    let mut all: Vec<(u32, Observations)> = parts?.into_iter().flatten().collect();
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, seen)| seen).collect())
}

/// Events after which no more replications are asked for, however wide the interval: about
/// half a minute of one core. The report says so.
const EVENTS_ENOUGH: u64 = 200_000_000;

/// How many more replications the precision needs, none if it is reached: the interval
/// shrinks with the square root of their number. At most as many again as there are, since
/// the first estimate of the spread is rough, in whole steps.
fn wanted(all: &[Observations], effort: &Effort) -> Option<u32> {
    let step = effort.replications.max(2);
    if all.is_empty() {
        return Some(step);
    }
    let precision = effort.precision?;
    let done = all.len() as u32;
    let samples: Vec<f64> = all.iter().map(Observations::throughput).collect();
    let width = Estimate::of_mean(&samples, effort.confidence).relative_half_width();
    let events: u64 = all.iter().map(|seen| seen.events).sum();
    if width <= precision || done >= effort.replications_max || events >= EVENTS_ENOUGH {
        return None;
    }
    let needed = f64::from(done) * (width / precision) * (width / precision);
    let more = (needed as u32).saturating_sub(done).clamp(1, done).div_ceil(step) * step;
    Some(more.min(effort.replications_max - done))
}
