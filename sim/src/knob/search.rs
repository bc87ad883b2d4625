//! The search for what to change: one change, then what follows from it.

use model::read::Resolved;
use model::report::Setting;
use model::scenario::Scenario;

use super::candidate::{Candidate, Price, candidates};
use super::goal::{Goal, MANY_ERRORS};
use super::trial::{BASE, Comparison, Known, Score, Trials, compare};
use crate::client;
use crate::engine::Runaway;
use crate::observe::Observations;
use crate::replicate::Effort;

/// Improvements below this are not worth a sentence.
pub(crate) const WORTH: f64 = 0.01;
/// Improvements below this end a path.
const WORTH_A_MOVE: f64 = 0.05;
/// Replications of each change at first sight: changes that do far less than the best need no more.
const GLANCE: u32 = 2;
/// Changes that seem to do less than this share of what the best does are far less.
const FAR_LESS: f64 = 0.25;
/// Replications of each other change to begin with, and at most.
const RUNS: u32 = 3;
const RUNS_MAX: u32 = 48;
/// Events after which no more replications of a step are asked for: about half a second of one
/// core.
const EVENTS: u64 = 2_500_000;
/// Events that may be spent on narrower intervals.
const EVENTS_TO_SHARPEN: u64 = 5_000_000;
/// Moves of a path, and steps that may go into them.
const MOVES: usize = 5;
const STEPS: usize = 12;
/// Pairs of changes that are tried where no single one helps.
const PAIRS: usize = 15;

/// What a step of the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This variant helps, with the confidence that was asked for.
    Sure(usize),
    /// This variant seems to help; chance is not ruled out.
    Unsure(usize),
    /// No change that was tried helps.
    Nothing,
}

/// Changes of one scenario that were tried.
pub(crate) struct Step<'a> {
    pub(crate) trials: Trials<'a>,
    pub(crate) found: Found,
    /// Every change, the best first.
    pub(crate) ranked: Vec<(usize, Comparison)>,
}

/// One change of a path, and what it does.
pub(crate) struct Moved {
    pub(crate) changes: Vec<Setting>,
    pub(crate) price: Price,
    pub(crate) comparison: Comparison,
    pub(crate) after: Vec<Score>,
    /// Scores before this move.
    before: Vec<Score>,
    /// The scenario after it.
    pub(crate) scenario: Scenario,
}

/// What the search needs to know.
pub(crate) struct Search<'a> {
    pub(crate) resolved: &'a Resolved,
    pub(crate) goal: &'a Goal,
    pub(crate) effort: &'a Effort,
    /// The retry budget with which the service recovers from a peak, if that was looked for.
    pub(crate) budget: Option<f64>,
    /// Replications of the scenario itself, from the first one on.
    pub(crate) seen: &'a [Observations],
}

impl<'a> Search<'a> {
    /// The best single change; a pair of lines where no single one does as much.
    pub(crate) fn first(&self) -> Result<Step<'a>, Runaway> {
        let scenario = &self.resolved.scenario;
        let step = self.step(scenario, &[], self.changes(scenario))?;
        let pairs = pairs(&step);
        if step.is_sure_below(Price::Process) || pairs.is_empty() {
            return Ok(step);
        }
        let mut with_pairs = self.step(scenario, &[], pairs)?;
        let Found::Sure(pair) = with_pairs.found else { return Ok(step) };
        if let Found::Sure(single) = step.found {
            let gain = |step: &Step<'_>, best| step.trials.compare(best).improvement.value;
            if gain(&with_pairs, pair) < share(self.goal) * gain(&step, single) {
                return Ok(step);
            }
        }
        // Both lists in one, so that the report has all that was tried.
        with_pairs.append(step);
        Ok(with_pairs)
    }

    /// What could be changed. Of retry budgets it is one with which the service recovers, where that
    /// is known.
    fn changes(&self, scenario: &Scenario) -> Vec<Candidate> {
        let mut all = candidates(scenario);
        if let Some(most) = self.budget {
            client::advise_budget(scenario, most, &mut all);
        }
        all
    }

    /// More replications of every change, so that their intervals are narrower. What was found stays.
    pub(crate) fn sharpen(&self, step: &mut Step<'a>) -> Result<(), Runaway> {
        let trials = &mut step.trials;
        let all: Vec<usize> =
            (0..trials.variants.len()).filter(|&variant| !trials.is_moot(variant)).collect();
        let end = trials.events + EVENTS_TO_SHARPEN;
        for runs in RUNS..=self.effort.replications {
            if trials.events >= end {
                break;
            }
            trials.grow(&all, runs)?;
        }
        for (variant, comparison) in &mut step.ranked {
            *comparison = trials.compare(*variant);
        }
        Ok(())
    }

    /// The changes that follow from the first, each on top of those before it.
    pub(crate) fn path(&self, first: &Step<'_>) -> Result<Vec<Moved>, Runaway> {
        let Found::Sure(best) = first.found else { return Ok(Vec::new()) };
        let mut moves = vec![moved(first, best)];
        for _ in 1..STEPS {
            let last = &moves[moves.len() - 1];
            if last.price == Price::Hardware || self.is_reached(last) {
                break;
            }
            let made: Vec<Setting> = moves.iter().flat_map(|m| m.changes.clone()).collect();
            let step = self.step(&last.scenario, &made, self.changes(&last.scenario))?;
            let Some(next) = self.worth_a_move(&step).map(|best| moved(&step, best)) else { break };
            let last = moves.len() - 1;
            match same_keys(&moves[last].changes, &next.changes) {
                true => moves[last] = self.merged(&moves[last], next),
                false if moves.len() == MOVES => break,
                false => moves.push(next),
            }
        }
        Ok(moves)
    }

    /// The change to make; hardware where no setting does enough.
    fn worth_a_move(&self, step: &Step<'_>) -> Option<usize> {
        let Found::Sure(best) = step.found else { return None };
        let enough = |variant: usize, comparison: &Comparison| {
            helps(self.goal, comparison)
                && comparison.improvement.value >= WORTH_A_MOVE
                && (variant == best || step.trials.is_hardware(variant))
        };
        let worth = |(variant, comparison): &&(usize, Comparison)| enough(*variant, comparison);
        step.ranked.iter().find(worth).map(|(variant, _)| *variant)
    }

    /// Two moves of the same keys are one.
    fn merged(&self, first: &Moved, second: Moved) -> Moved {
        let changes = first.changes.iter().zip(&second.changes);
        let changes = changes.map(|(a, b)| Setting {
            key: a.key.clone(),
            from: a.from.clone(),
            to: b.to.clone(),
        });
        let comparison = compare(
            &second.scenario,
            self.goal,
            &first.before,
            &second.after,
            self.effort.confidence,
        );
        Moved { changes: changes.collect(), comparison, before: first.before.clone(), ..second }
    }

    /// Nothing is left to improve.
    fn is_reached(&self, last: &Moved) -> bool {
        let errors = last.after.iter().map(|score| score.errors).sum::<f64>();
        *self.goal == Goal::Errors && errors <= MANY_ERRORS * last.after.len() as f64
    }

    /// Tries each of `candidates` on `scenario`, which has the changes `made` already. Replicates
    /// until the sign of the best and its lead over the second are known, or the budget is used up.
    fn step(
        &self,
        scenario: &Scenario,
        made: &[Setting],
        candidates: Vec<Candidate>,
    ) -> Result<Step<'a>, Runaway> {
        let Effort { confidence, events_max, .. } = *self.effort;
        let known = if made.is_empty() { self.seen } else { &[] };
        let known: Vec<Known> =
            known.iter().map_while(|seen| Known::of(self.goal, scenario, seen)).collect();
        let mut trials = Trials::new(scenario, self.goal, confidence, events_max, known);
        for candidate in candidates {
            // A value that the scenario's rules do not allow cannot be chosen by its owner either.
            let sets = made.iter().chain(&candidate.changes);
            let sets: Vec<(String, String)> =
                sets.map(|set| (set.key.clone(), set.to.clone())).collect();
            if let Ok(changed) = self.resolved.with(&sets) {
                trials.add(candidate, changed);
            }
        }
        trials.grow(&[BASE], RUNS)?;
        let mut live: Vec<usize> = (1..trials.variants.len()).collect();
        live.retain(|&variant| !trials.is_moot(variant));
        trials.grow(&live, GLANCE)?;
        retain_the_best(&trials, &mut live);
        let mut runs = RUNS;
        loop {
            live.retain(|&variant| !trials.is_moot(variant));
            trials.grow(&live, runs)?;
            let open = open(&trials, self.goal, &live);
            if open.is_empty() || runs >= RUNS_MAX || trials.events >= EVENTS {
                break;
            }
            runs *= 2;
            trials.grow(&[BASE], runs)?;
            live = open;
        }
        let (found, ranked) = verdict(&trials, self.goal);
        Ok(Step { trials, found, ranked })
    }
}

/// Leaves out what seems to do far less than a change that does much, be that a setting or
/// hardware: what a setting does is not compared with what hardware does.
fn retain_the_best(trials: &Trials<'_>, live: &mut Vec<usize>) {
    let improvement = |variant: usize| trials.compare(variant).improvement.value;
    let most = |hardware: bool| {
        let alike = live.iter().filter(|&&variant| trials.is_hardware(variant) == hardware);
        alike.map(|&variant| improvement(variant)).fold(0.0, f64::max)
    };
    let (setting, hardware) = (most(false), most(true));
    live.retain(|&variant| {
        let most = if trials.is_hardware(variant) { hardware } else { setting };
        most < WORTH_A_MOVE || improvement(variant) >= FAR_LESS * most
    });
}

/// Variants that need more replications: their sign is not known and they could be chosen, or they
/// are the first two and it is not known which one is better.
fn open(trials: &Trials<'_>, goal: &Goal, live: &[usize]) -> Vec<usize> {
    let compared: Vec<(usize, Comparison)> =
        live.iter().map(|&variant| (variant, trials.compare(variant))).collect();
    let best = choose(trials, goal, &compared);
    let least = best.map_or(WORTH, |best| {
        let improvement = trials.compare(best).improvement.value;
        share(goal) * improvement
    });
    let unknown = |comparison: &Comparison| {
        !helps(goal, comparison)
            && comparison.improvement.high > least.max(WORTH)
            && comparison.improvement.low < WORTH
    };
    let mut open: Vec<usize> = (compared.iter())
        .filter(|(_, comparison)| unknown(comparison))
        .map(|(variant, _)| *variant)
        .collect();
    let Some(best) = best else { return open };
    let others: Vec<(usize, Comparison)> =
        compared.iter().copied().filter(|(variant, _)| *variant != best).collect();
    if let Some(second) = choose(trials, goal, &others) {
        let lead = trials.lead(best, second);
        let price = |variant: usize| trials.variants[variant].candidate.as_ref().map(|c| c.price);
        if price(best) == price(second)
            && lead.contains(0.0)
            && lead.value.abs() > WORTH
            && trials.variants[best].scores.len() == trials.variants[second].scores.len()
        {
            open.push(second);
        }
    }
    if !open.is_empty() {
        open.push(best);
    }
    open.sort_unstable();
    open.dedup();
    open
}

/// A change that improves the goal by more than chance, and does not pay for it with throughput.
pub(crate) fn helps(goal: &Goal, comparison: &Comparison) -> bool {
    let Comparison { gain, improvement, .. } = comparison;
    improvement.value > WORTH
        && improvement.low > 0.0
        && (*goal == Goal::Throughput || gain.value > -WORTH)
}

/// A cheaper change is preferred to one that does so much more.
fn share(goal: &Goal) -> f64 {
    match goal {
        Goal::Throughput => 0.5,
        // Half of the errors left is not half as good as none.
        Goal::Errors | Goal::Time { .. } => 0.8,
    }
}

/// The change to make, among those that surely help: a setting before hardware; the cheapest kind
/// that does a good part of what the best does; of that kind the best. Of those that differ by less
/// than is worth a sentence, the one that stands first in the list.
fn choose(trials: &Trials<'_>, goal: &Goal, compared: &[(usize, Comparison)]) -> Option<usize> {
    let price = |variant: usize| {
        trials.variants[variant].candidate.as_ref().map_or(Price::Hardware, |c| c.price)
    };
    let sure = |(variant, comparison): &&(usize, Comparison)| {
        helps(goal, comparison) && !trials.is_in_vain(*variant)
    };
    let all: Vec<(usize, Price, f64)> = (compared.iter().filter(sure))
        .map(|(variant, comparison)| (*variant, price(*variant), comparison.improvement.value))
        .collect();
    // Settings are compared with settings, hardware with hardware, patience with patience.
    let kind = |price: Price| price.max(Price::Process);
    let first = all.iter().map(|(_, price, _)| kind(*price)).min()?;
    let all: Vec<(usize, Price, f64)> =
        all.into_iter().filter(|(_, price, _)| kind(*price) == first).collect();
    let best = all.iter().map(|(_, _, value)| *value).fold(f64::MIN, f64::max);
    let enough = |value: f64| value >= share(goal) * best;
    let cheapest =
        all.iter().filter(|(_, _, value)| enough(*value)).map(|(_, price, _)| *price).min()?;
    let of_its_kind = || all.iter().filter(move |(_, price, _)| *price == cheapest);
    let most = of_its_kind().map(|(_, _, value)| *value).fold(f64::MIN, f64::max);
    of_its_kind().find(|(_, _, value)| *value >= most - WORTH).map(|(variant, ..)| *variant)
}

/// What was found, and all changes, the best first.
fn verdict(trials: &Trials<'_>, goal: &Goal) -> (Found, Vec<(usize, Comparison)>) {
    let mut rest: Vec<(usize, Comparison)> =
        (1..trials.variants.len()).map(|variant| (variant, trials.compare(variant))).collect();
    let mut ranked = Vec::with_capacity(rest.len());
    while let Some(best) = choose(trials, goal, &rest) {
        let at = rest.iter().position(|(variant, _)| *variant == best).unwrap_or(0);
        ranked.push(rest.remove(at));
    }
    let sure = ranked.first().map(|(variant, _)| *variant);
    rest.sort_by(|a, b| {
        let moot = |at: &(usize, Comparison)| trials.is_moot(at.0);
        moot(a).cmp(&moot(b)).then(b.1.improvement.value.total_cmp(&a.1.improvement.value))
    });
    let hopeful = rest.iter().find(|(variant, comparison)| {
        !trials.is_moot(*variant)
            && !trials.is_in_vain(*variant)
            && comparison.improvement.high > WORTH
            && comparison.improvement.value > WORTH
            && (*goal == Goal::Throughput || comparison.gain.high > -WORTH)
    });
    let found = match (sure, hopeful) {
        (Some(best), _) => Found::Sure(best),
        (None, Some((variant, _))) => Found::Unsure(*variant),
        (None, None) => Found::Nothing,
    };
    ranked.append(&mut rest);
    (found, ranked)
}

/// Two changes at a time: a limit that the scenario came up against, and one that it came up against
/// when the first was out of the way.
fn pairs(step: &Step<'_>) -> Vec<Candidate> {
    let variants = &step.trials.variants;
    let cheap = |candidate: &&Candidate| candidate.price < Price::Process;
    let limits: Vec<&Candidate> = (variants.iter())
        .filter_map(|variant| variant.candidate.as_ref())
        .filter(|candidate| !candidate.limits.is_empty())
        .filter(cheap)
        .collect();
    let mut pairs = Vec::new();
    for (variant, _) in &step.ranked {
        let Some(first) = variants[*variant].candidate.as_ref().filter(cheap) else { continue };
        if first.limits.is_empty() || step.trials.is_moot(*variant) {
            continue;
        }
        let behind = |second: &&&Candidate| {
            first.changes != second.changes
                && second.limits.iter().any(|limit| variants[*variant].reached.contains(limit))
        };
        pairs.extend(limits.iter().filter(behind).map(|second| first.and(second)));
    }
    pairs.truncate(PAIRS);
    pairs
}

fn moved(step: &Step<'_>, best: usize) -> Moved {
    let variant = &step.trials.variants[best];
    let candidate = variant.candidate.as_ref();
    Moved {
        changes: candidate.map_or(Vec::new(), |candidate| candidate.changes.clone()),
        price: candidate.map_or(Price::Line, |candidate| candidate.price),
        comparison: step.trials.compare(best),
        after: variant.scores.clone(),
        before: step.trials.variants[BASE].scores.clone(),
        scenario: variant.scenario.clone(),
    }
}

fn same_keys(a: &[Setting], b: &[Setting]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key)
}

impl<'a> Step<'a> {
    /// A change surely helps that costs less than `price`.
    pub(crate) fn is_sure_below(&self, price: Price) -> bool {
        let Found::Sure(best) = self.found else { return false };
        let candidate = self.trials.variants[best].candidate.as_ref();
        candidate.is_some_and(|candidate| candidate.price < price)
    }

    /// The changes of another step of the same scenario, behind those of this one.
    fn append(&mut self, other: Step<'a>) {
        let offset = self.trials.variants.len() - 1;
        let Trials { variants, events, .. } = other.trials;
        self.trials.variants.extend(variants.into_iter().skip(1));
        self.trials.events += events;
        let ranked = other.ranked.into_iter().map(|(variant, c)| (variant + offset, c));
        self.ranked.extend(ranked);
    }
}
