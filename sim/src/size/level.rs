//! The scenario under one load, or at another value of what is turned.

use std::collections::BTreeMap;
use std::ops::Range;

use model::objective::{Objective, State};
use model::report::{Level, Report};
use model::scenario::Scenario;
use model::statistics::Estimate;

use super::dial::Dial;

use crate::answer;
use crate::engine::{Runaway, Workspace};
use crate::observe::Observations;
use crate::replicate::{GROUPS, Replications, grouped};

/// Confidence of the answer.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Runs of the first look, and the confidence of its verdict.
const FEW: u32 = GROUPS as u32;
const FIRST_LOOK: f64 = 0.99;
/// Confidence of the second look: what is left of 95 %.
const SECOND_LOOK: f64 = 0.96;
/// Loads that are looked at closely.
const CLOSE_LOOKS: u64 = 16;
/// Most runs of one load.
const MOST: u32 = 200;
/// Arrivals of which more than this share are dropped are too many.
const DROPPED: f64 = 0.001;
/// A queue that grows by more than this share of the arrivals is not served as fast as it comes.
const LITTLE: f64 = 0.02;
/// Runs with other seeds start at this index.
const OTHER_SEEDS: u32 = 1_000_000;
/// Answers and errors in all runs of a first look below which there is nothing to judge.
const FEWEST: u64 = 300;

/// A load, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) level: Level,
    pub(super) report: Report,
    events: u64,
}

impl Tried {
    /// There are answers or errors enough to judge.
    pub(super) fn is_enough(&self) -> bool {
        let errors: f64 = self.report.errors.values().sum();
        self.report.run.samples + errors as u64 >= FEWEST
    }
}

/// All loads that were tried.
pub(super) struct Levels<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) dial: Dial,
    events_max: u64,
    /// Events of all runs near the answer.
    budget: u64,
    /// By the bits of the load, which are in order for numbers above 0.
    tried: BTreeMap<u64, Tried>,
}

impl<'s> Levels<'s> {
    pub(super) fn new(
        scenario: &'s Scenario,
        dial: Dial,
        events_max: u64,
        budget: u64,
    ) -> Levels<'s> {
        Levels { scenario, dial, events_max, budget, tried: BTreeMap::new() }
    }

    /// Every load, in order.
    pub(super) fn tried(&self) -> Vec<Level> {
        self.tried.values().map(|tried| tried.level.clone()).collect()
    }

    /// The nearest load that can be run.
    pub(super) fn round(&self, load: f64) -> f64 {
        self.dial.round(load)
    }

    /// A first look: few runs.
    pub(super) fn glance(&mut self, load: f64) -> Result<&Tried, Runaway> {
        let load = self.round(load);
        if !self.tried.contains_key(&load.to_bits()) {
            let tried = self.run(load, 0..FEW, FIRST_LOOK)?;
            self.tried.insert(load.to_bits(), tried);
        }
        Ok(&self.tried[&load.to_bits()])
    }

    /// As close a look as it takes.
    pub(super) fn look(&mut self, load: f64) -> Result<&Tried, Runaway> {
        let load = self.round(load);
        let first = self.glance(load)?;
        let each = first.events / u64::from(FEW);
        let (sure, done) = (first.level.sure, first.level.replications);
        let runs = (self.budget / CLOSE_LOOKS / each.max(1)).min(u64::from(MOST)) as u32;
        let runs = (runs / FEW * FEW).max(2 * FEW);
        if !sure && done < runs {
            let tried = self.run(load, 0..runs, SECOND_LOOK)?;
            self.tried.insert(load.to_bits(), tried);
        }
        Ok(&self.tried[&load.to_bits()])
    }

    /// The same load on other random numbers, as often.
    pub(super) fn again(&self, load: f64) -> Result<Level, Runaway> {
        let done = self.tried.get(&load.to_bits()).map_or(FEW, |tried| tried.level.replications);
        let runs = OTHER_SEEDS..OTHER_SEEDS + done.max(2 * FEW);
        Ok(self.run(load, runs, CONFIDENCE)?.level)
    }

    fn run(&self, load: f64, runs: Range<u32>, confidence: f64) -> Result<Tried, Runaway> {
        let scenario = self.dial.turned(self.scenario, load);
        let mut groups: Vec<Workspace> = (0..GROUPS).map(|_| Workspace::default()).collect();
        let replications = runs.end - runs.start;
        let seen = grouped(&scenario, runs, self.events_max, &mut groups)?;
        let events = seen.iter().map(|seen| seen.events).sum();
        let behind = Behind::of(&scenario, &seen, confidence);
        let groups = groups.into_iter().map(|group| group.histograms).collect();
        let report =
            answer::report(&scenario, String::new(), &Replications { seen, groups }, confidence);
        let dial = self.dial;
        let left_out = |one: &Objective| dial.leaves_out(one);
        let level = judged(&scenario, &report, load, replications, behind, left_out);
        Ok(Tried { level, report, events })
    }
}

/// Whether an open load is served as fast as it comes.
#[derive(Clone, Copy)]
struct Behind {
    falls: bool,
    sure: bool,
}

impl Behind {
    /// By how many more requests wait at the end of a window than at its half, beside those that
    /// arrive in between; and by arrivals that find all users busy.
    fn of(scenario: &Scenario, seen: &[Observations], confidence: f64) -> Behind {
        if !scenario.load.source.is_open() {
            return Behind { falls: false, sure: true };
        }
        let runs = seen.len().max(1) as f64;
        let dropped: f64 = seen.iter().map(left_behind).sum::<f64>() / runs;
        if dropped > DROPPED {
            return Behind { falls: true, sure: true };
        }
        let growth = |o: &Observations| o.queued[1] as f64 - o.queued[0] as f64;
        let growth: Vec<f64> = seen.iter().map(growth).collect();
        let growth = Estimate::of_mean(&growth, confidence);
        let arrived = seen.iter().map(|o| o.sent as f64 / 2.0).sum::<f64>() / runs;
        let limit = (LITTLE * arrived).max(1.0);
        let sure = growth.low > limit || growth.high < limit;
        Behind { falls: growth.value > limit, sure }
    }
}

/// The share of arrivals that found every user busy.
fn left_behind(seen: &Observations) -> f64 {
    match seen.sent + seen.dropped {
        0 => 0.0,
        all => seen.dropped as f64 / all as f64,
    }
}

/// What runs of a setting say of all its objectives, floors too.
pub(crate) fn of_runs(
    scenario: &Scenario,
    report: &Report,
    seen: &[Observations],
    confidence: f64,
) -> Level {
    let load = scenario.load.source.profile().map_or(0.0, |profile| profile.start);
    let behind = Behind::of(scenario, seen, confidence);
    judged(scenario, report, load, seen.len() as u32, behind, |_| false)
}

/// What a report says of the objectives, but for those that are left out.
fn judged(
    scenario: &Scenario,
    report: &Report,
    load: f64,
    replications: u32,
    behind: Behind,
    left_out: impl Fn(&Objective) -> bool,
) -> Level {
    let falls_behind = behind.falls;
    let ceilings = || {
        let all = scenario.objectives.iter().zip(&report.objectives);
        all.filter(|(objective, _)| !left_out(objective)).map(|(_, judged)| judged)
    };
    let broken = |sure: bool| {
        ceilings().any(|judged| judged.state == State::Broken && (judged.sure || !sure))
    };
    let kept = !falls_behind && !broken(false);
    let sure = match kept {
        true => {
            behind.sure && ceilings().all(|judged| judged.sure || judged.state == State::Unknown)
        }
        false => (falls_behind && behind.sure) || broken(true),
    };
    let objectives = report.objectives.clone();
    Level { load, replications, kept, sure, objectives, falls_behind }
}
