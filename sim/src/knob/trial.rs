//! Changes on trial: each on the same random numbers as the scenario without it.

use rayon::prelude::*;

use model::scenario::Scenario;
use model::statistics::Estimate;

use super::candidate::{Candidate, Price};
use super::goal::{Goal, error_share, mean};
use super::search::WORTH;
use crate::bounds::overload;
use crate::engine::{Runaway, Workspace};
use crate::observe::{Histograms, Limit, Observations};
use crate::replicate::replicate_in;

/// Stands for the gain from no good answers to some.
pub(crate) const FROM_NOTHING: f64 = 999.0;

/// Share of a bound at which throughput is at it.
const AT_BOUND: f64 = 0.95;

/// The variant that all others are compared with.
pub(crate) const BASE: usize = 0;

/// What a run shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    /// Good answers per second.
    pub(crate) rate: f64,
    /// Share of errors.
    pub(crate) errors: f64,
    /// Mean response time, in seconds.
    pub(crate) mean: f64,
    /// What the goal is about.
    goal: f64,
}

/// A replication that was run before.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    score: Score,
    reached: Vec<Limit>,
    events: u64,
}

impl Known {
    /// What `seen` says of `goal`; none of goals about times, for which the response times of each
    /// replication by itself are needed.
    pub(crate) fn of(goal: &Goal, scenario: &Scenario, seen: &Observations) -> Option<Known> {
        let score = Score::of(goal, scenario, seen, &Vec::new());
        let known = Known { score, reached: seen.reached.clone(), events: seen.events };
        (!goal.needs_times()).then_some(known)
    }
}

/// A scenario on trial.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// None for the scenario itself.
    pub(crate) candidate: Option<Candidate>,
    pub(crate) scenario: Scenario,
    pub(crate) scores: Vec<Score>,
    /// Limits that its runs came up against.
    pub(crate) reached: Vec<Limit>,
    /// If more arrives than the operational laws let the scenario answer, this change raises the lowest
    /// of their bounds.
    lifts: bool,
}

/// One variant against another, over the replications that both have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    /// Relative gain of throughput.
    pub(crate) gain: Estimate,
    /// Relative change of the mean response time.
    pub(crate) slower: Estimate,
    /// Relative improvement of the goal.
    pub(crate) improvement: Estimate,
}

/// A scenario and its changes.
pub(crate) struct Trials<'a> {
    goal: &'a Goal,
    confidence: f64,
    events_max: u64,
    pub(crate) variants: Vec<Variant>,
    /// Replications of the scenario itself that need not be run again, from the first one on.
    known: Vec<Known>,
    /// Events of all runs so far, with those that were known.
    pub(crate) events: u64,
    /// What it can answer at most, if more arrives.
    overload: Option<f64>,
}

impl Score {
    fn of(goal: &Goal, scenario: &Scenario, seen: &Observations, times: &Histograms) -> Score {
        Score {
            rate: seen.throughput(),
            errors: error_share(seen),
            mean: mean(&seen.classes),
            goal: goal.score(scenario, seen, times),
        }
    }
}

impl Variant {
    fn new(candidate: Option<Candidate>, scenario: Scenario) -> Variant {
        Variant { candidate, scenario, scores: Vec::new(), reached: Vec::new(), lifts: true }
    }
}

impl<'a> Trials<'a> {
    /// `scenario` itself.
    pub(crate) fn new(
        scenario: &Scenario,
        goal: &'a Goal,
        confidence: f64,
        events_max: u64,
        known: Vec<Known>,
    ) -> Trials<'a> {
        let variants = vec![Variant::new(None, scenario.clone())];
        let overload = overload(scenario);
        Trials { goal, confidence, events_max, variants, known, events: 0, overload }
    }

    /// One more change on trial; returns its index.
    pub(crate) fn add(&mut self, candidate: Candidate, scenario: Scenario) -> usize {
        let lifts = |least: f64| overload(&scenario).is_none_or(|now| now > least * (1.0 + WORTH));
        let lifts = self.overload.is_none_or(lifts);
        self.variants.push(Variant { lifts, ..Variant::new(Some(candidate), scenario) });
        self.variants.len() - 1
    }

    /// True for a change that needs other machines.
    pub(crate) fn is_hardware(&self, variant: usize) -> bool {
        let candidate = self.variants[variant].candidate.as_ref();
        candidate.is_some_and(|candidate| candidate.price == Price::Hardware)
    }

    /// True if the scenario itself has not come up against the limits of a change.
    pub(crate) fn is_moot(&self, variant: usize) -> bool {
        let limits = self.variants[variant].candidate.iter().flat_map(|c| &c.limits);
        let mut limits = limits.peekable();
        let reached = &self.variants[BASE].reached;
        limits.peek().is_some() && !limits.any(|limit| reached.contains(limit))
    }

    /// True if throughput is at a bound of the operational laws with more than that arriving, and the
    /// change leaves the bound where it is: the queue grows on, whatever it does to those in it.
    pub(crate) fn is_in_vain(&self, variant: usize) -> bool {
        let Some(most) = self.overload.filter(|_| *self.goal == Goal::Throughput) else {
            return false;
        };
        let base = &self.variants[BASE].scores;
        let rate = base.iter().map(|score| score.rate).sum::<f64>() / base.len().max(1) as f64;
        !self.variants[variant].lifts && rate > most * AT_BOUND
    }

    /// Runs what is missing until each of `which` has `count` replications.
    ///
    /// # Errors
    /// The first [`Runaway`].
    pub(crate) fn grow(&mut self, which: &[usize], count: u32) -> Result<(), Runaway> {
        // Variants and replications in one list, so that no thread waits for the slowest variant.
        let mut missing: Vec<(usize, u32)> = which
            .iter()
            .flat_map(|&variant| {
                let from = self.variants[variant].scores.len() as u32;
                (from..count).map(move |index| (variant, index))
            })
            .collect();
        // Variants of one replication share its draws.
        missing.sort_by_key(|&(variant, index)| (index, variant));
        let run = |workspace: &mut Workspace, &(variant, index): &(usize, u32)| {
            let known = self.known.get(index as usize).filter(|_| variant == BASE);
            match known {
                Some(known) => Ok(known.clone()),
                None => self.run(&self.variants[variant].scenario, index, workspace),
            }
        };
        let runs = missing.par_iter().with_max_len(1).map_init(Workspace::default, run);
        let seen: Result<Vec<Known>, Runaway> = runs.collect();
        for ((variant, _), Known { score, reached: limits, events }) in missing.iter().zip(seen?) {
            self.variants[*variant].scores.push(score);
            self.events += events;
            let reached = &mut self.variants[*variant].reached;
            for limit in limits {
                if !reached.contains(&limit) {
                    reached.push(limit);
                }
            }
        }
        Ok(())
    }

    fn run(
        &self,
        scenario: &Scenario,
        index: u32,
        workspace: &mut Workspace,
    ) -> Result<Known, Runaway> {
        if self.goal.needs_times() {
            workspace.histograms.iter_mut().for_each(|histogram| histogram.reset());
        }
        let seen = replicate_in(scenario, index, self.events_max, workspace)?;
        let score = Score::of(self.goal, scenario, &seen, &workspace.histograms);
        Ok(Known { score, reached: seen.reached, events: seen.events })
    }

    /// How `variant` differs from the scenario itself. A change that is moot differs in nothing.
    pub(crate) fn compare(&self, variant: usize) -> Comparison {
        let scenario = &self.variants[BASE].scenario;
        let (before, after) = (&self.variants[BASE].scores, &self.variants[variant].scores);
        let after = if self.is_moot(variant) { before } else { after };
        compare(scenario, self.goal, before, after, self.confidence)
    }

    /// Improvement of `variant` over another one, in shares of the scenario itself.
    pub(crate) fn lead(&self, variant: usize, other: usize) -> Estimate {
        let pick = |variant: usize| -> Vec<f64> {
            self.variants[variant].scores.iter().map(|score| score.goal).collect()
        };
        let (a, b, base) = (pick(variant), pick(other), pick(BASE));
        let count = a.len().min(b.len()).min(base.len());
        let whole = base.iter().take(count).sum::<f64>() / count.max(1) as f64;
        let sign = if *self.goal == Goal::Throughput { 1.0 } else { -1.0 };
        let scale = if whole > 0.0 { sign / whole } else { sign };
        let leads: Vec<f64> = (0..count).map(|i| (a[i] - b[i]) * scale).collect();
        Estimate::of_mean(&leads, self.confidence)
    }
}

/// How `after` differs from `before`, over the replications that both have.
pub(crate) fn compare(
    scenario: &Scenario,
    goal: &Goal,
    before: &[Score],
    after: &[Score],
    confidence: f64,
) -> Comparison {
    let count = before.len().min(after.len());
    let (before, after) = (&before[..count], &after[..count]);
    let pick = |scores: &[Score], pick: fn(&Score) -> f64| -> Vec<f64> {
        scores.iter().map(pick).collect()
    };
    let (rates, new_rates) = (pick(before, |s| s.rate), pick(after, |s| s.rate));
    let silent = rates.iter().sum::<f64>() == 0.0;
    let gain = match silent {
        true if new_rates.iter().sum::<f64>() > 0.0 => Estimate::exact(FROM_NOTHING),
        true => Estimate::exact(0.0),
        false => minus_one(Estimate::of_ratio(&new_rates, &rates, confidence)),
    };
    let means = Estimate::of_ratio(&pick(after, |s| s.mean), &pick(before, |s| s.mean), confidence);
    // Without good answers before or after there is no change to speak of.
    let slower = if means.value == 0.0 { Estimate::exact(0.0) } else { minus_one(means) };
    let improvement = match goal {
        _ if silent => gain,
        Goal::Throughput => match scenario.load.source.is_open() {
            // More arrives than is answered: a change that helps shortens the wait first.
            true if -slower.value > gain.value && gain.value > -0.01 => {
                Estimate { value: -slower.value, low: -slower.high, high: -slower.low }
            }
            _ => gain,
        },
        goal => {
            let (old, new) = (pick(before, |s| s.goal), pick(after, |s| s.goal));
            goal.improvement(&old, &new, confidence).unwrap_or(Estimate::exact(0.0))
        }
    };
    Comparison { gain, slower, improvement }
}

fn minus_one(ratio: Estimate) -> Estimate {
    Estimate { value: ratio.value - 1.0, low: ratio.low - 1.0, high: ratio.high - 1.0 }
}
