//! The largest retry budget with which a service recovers from a peak of its load.

use std::cell::RefCell;
use std::collections::BTreeMap;

use model::report::{Budget, Recovery};
use model::scenario::Scenario;
use rayon::prelude::*;

use crate::knob::Candidate;
use crate::replicate::replicate;

/// Runs of each budget.
const RUNS: u32 = 5;
/// Finagle's floor (`RetryBudget.scala`, `minRetriesPerSec`), where the scenario has no budget.
const FLOOR: f64 = 10.0;
/// Shares are tried in steps of one in so many.
const STEPS: u32 = 100;

/// The largest budget with which each run of `scenario` recovers, on the same random numbers; none
/// if clients do not retry, or if it recovers as it is.
///
/// Found by bisection, which takes it that a service that recovers with a budget does so with a
/// smaller one.
pub(crate) fn search(scenario: &Scenario, found: &Recovery, events_max: u64) -> Option<Budget> {
    if scenario.load.retry.retries == 0 || found.recovered == found.runs {
        return None;
    }
    let floor = scenario.load.retry.retry_floor.unwrap_or(FLOOR);
    let tried = RefCell::new(BTreeMap::new());
    let recovers = |share: u32| {
        let mut with = scenario.clone();
        with.load.retry.retry_budget = Some(f64::from(share) / f64::from(STEPS));
        with.load.retry.retry_floor = Some(floor);
        let count = recovered(&with, events_max);
        tried.borrow_mut().insert(share, count);
        count == RUNS
    };
    let most = recovers(0).then(|| {
        // It recovers with `low`, and not with `high`.
        let (mut low, mut high) = (0, STEPS + 1);
        while high - low > 1 {
            let middle = (low + high) / 2;
            if recovers(middle) { low = middle } else { high = middle }
        }
        low
    });
    let share = |steps: u32| f64::from(steps) / f64::from(STEPS);
    let none = tried.borrow().iter().find(|(_, count)| **count == 0).map(|(tried, _)| *tried);
    Some(Budget { most: most.map(share), none_from: none.map(share), floor, runs: RUNS })
}

/// Finagle's share (`RetryBudget.scala`), beyond which none is advised.
const USUAL: f64 = 0.2;
/// At the edge of what `search` found another run may not recover: so much of it is advised.
const SAFE: f64 = 0.5;

/// Puts a retry budget with which `scenario` surely recovers among the changes, where each run did so
/// with `most`, in the place of one that is not known to help.
pub(crate) fn advise_budget(scenario: &Scenario, most: f64, all: &mut Vec<Candidate>) {
    const KEY: &str = "load.retry_budget";
    all.retain(|candidate| candidate.name() != KEY);
    let to = libm::floor(USUAL.min(most * SAFE) * 100.0);
    let now = scenario.load.retry.retry_budget.map(|share| share * 100.0);
    if now.is_none_or(|now| now > to) {
        let from = now.map_or("none".into(), |now| format!("{now}%"));
        all.push(Candidate::of(KEY, from, format!("{to}%")));
    }
}

/// How many runs recover. One that is too long to be run to its end does not.
fn recovered(scenario: &Scenario, events_max: u64) -> u32 {
    let recovers = |index: u32| {
        let seen = replicate(scenario, index, events_max);
        seen.is_ok_and(|seen| seen.client.aftermath.recovered().is_some())
    };
    (0..RUNS).into_par_iter().filter(|&index| recovers(index)).count() as u32
}
