//! Independent replications of one scenario, in parallel, with the bytes of a series.

use rayon::prelude::*;

use model::scenario::Scenario;
use model::statistics::Estimate;

use crate::engine::{Engine, Runaway};
use crate::observe::Observations;
use crate::plan::Plan;

/// How many replications to run, and how sure to be.
#[derive(Clone, Copy, Debug, PartialEq)]
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

impl Default for Effort {
    fn default() -> Self {
        Effort {
            replications: 10,
            replications_max: 1000,
            precision: Some(0.01),
            confidence: 0.95,
            events_max: 2_000_000_000,
        }
    }
}

/// The seed of replication `index`. Replication 0 has the scenario's own.
///
/// The multiplier is odd, so that different replications of a seed differ.
pub fn replication_seed(seed: u64, index: u32) -> u64 {
    seed.wrapping_add(u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// One replication.
///
/// # Errors
/// [`Runaway`] if it does not come to its end.
pub fn replicate(
    scenario: &Scenario,
    index: u32,
    events_max: u64,
) -> Result<Observations, Runaway> {
    let plan = Plan::new(scenario, replication_seed(scenario.seed, index));
    Engine::observe(&plan, events_max)
}

/// Replications `from..to`, in order.
///
/// # Errors
/// The first [`Runaway`].
pub fn batch(
    scenario: &Scenario,
    from: u32,
    to: u32,
    events_max: u64,
) -> Result<Vec<Observations>, Runaway> {
    (from..to).into_par_iter().map(|index| replicate(scenario, index, events_max)).collect()
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
) -> Result<Vec<Observations>, Runaway> {
    let step = effort.replications.max(2);
    let mut all = batch(scenario, 0, step, effort.events_max)?;
    progress(&all);
    while let Some(more) = wanted(&all, effort) {
        let from = all.len() as u32;
        all.extend(batch(scenario, from, from + more, effort.events_max)?);
        progress(&all);
    }
    Ok(all)
}

/// How many more replications the precision needs, none if it is reached: the interval
/// shrinks with the square root of their number. At most as many again as there are, since
/// the first estimate of the spread is rough, in whole steps.
fn wanted(all: &[Observations], effort: &Effort) -> Option<u32> {
    let precision = effort.precision?;
    let done = all.len() as u32;
    let samples: Vec<f64> = all.iter().map(Observations::throughput).collect();
    let width = Estimate::of_mean(&samples, effort.confidence).relative_half_width();
    if width <= precision || done >= effort.replications_max {
        return None;
    }
    let step = effort.replications.max(2);
    let needed = f64::from(done) * (width / precision) * (width / precision);
    let more = (needed as u32).saturating_sub(done).clamp(1, done).div_ceil(step) * step;
    Some(more.min(effort.replications_max - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replications_have_seeds_of_their_own_and_the_first_has_the_scenario_s() {
        let seeds: Vec<u64> = (0..1000).map(|index| replication_seed(7, index)).collect();
        assert_eq!(seeds[0], 7);
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), seeds.len());
    }
}
