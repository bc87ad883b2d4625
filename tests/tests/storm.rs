//! A peak of the load that is over, and clients that retry: the failure that stays.
#![allow(clippy::unwrap_used)]

use model::read::load;
use model::recovery::recovery;
use model::scenario::Scenario;
use rayon::prelude::*;
use sim::observe::Observations;
use sim::predict::{Experiment, predict, retry_budget};
use sim::replicate::{Effort, replicate};

const RUNS: u32 = 8;
const EVENTS_MAX: u64 = 20_000_000;

fn storm(sets: &[&str]) -> Scenario {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/retry-storm.toml");
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    load(path.as_ref(), &sets).unwrap().scenario
}

fn runs(scenario: &Scenario) -> Vec<Observations> {
    (0..RUNS).into_par_iter().map(|i| replicate(scenario, i, EVENTS_MAX).unwrap()).collect()
}

/// How many runs recover.
fn recovered(scenario: &Scenario) -> u32 {
    let seen = runs(scenario);
    let all = seen.iter().map(|seen| &seen.client.aftermath);
    let found = recovery(&scenario.load, all, 0.95).unwrap();
    assert_eq!(found.runs, RUNS);
    found.recovered
}

#[test]
fn a_storm_of_retries_stays_and_without_them_there_is_none() {
    assert_eq!(recovered(&storm(&["load.retries=0"])), RUNS);
    assert_eq!(recovered(&storm(&[])), 0);
}

/// What keeps it going is the work on attempts that are abandoned.
#[test]
fn where_handlers_of_abandoned_attempts_are_dropped_it_recovers() {
    assert_eq!(recovered(&storm(&["service.server=axum"])), RUNS);
}

#[test]
fn with_the_largest_budget_that_is_found_it_recovers() {
    let scenario = storm(&[]);
    let seen = runs(&scenario);
    let all = seen.iter().map(|seen| &seen.client.aftermath);
    let found = recovery(&scenario.load, all, 0.95).unwrap();
    let budget = retry_budget(&scenario, &found, EVENTS_MAX).unwrap();
    let most = budget.most.unwrap();
    let with = |share: f64| storm(&[&format!("load.retry_budget=\"{}%\"", share * 100.0)]);
    assert_eq!(recovered(&with((most - 0.05).max(0.0))), RUNS, "{budget:?}");
    assert_eq!(recovered(&with(budget.none_from.unwrap() + 0.1)), 0, "{budget:?}");
}

/// The advice names a budget, and with it each run recovers.
#[test]
fn what_is_advised_lets_it_recover() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/retry-storm.toml");
    let resolved = load(path.as_ref(), &[]).unwrap();
    let effort = Effort { replications: 3, events_max: EVENTS_MAX, ..Effort::default() };
    let report = predict(&resolved, &effort, Experiment::First(None), &mut |_| {}).unwrap();
    let knob = report.knobs.iter().find(|knob| knob.knob == "load.retry_budget").unwrap();
    assert_eq!(recovered(&storm(&[&format!("load.retry_budget=\"{}\"", knob.to)])), RUNS);
    assert!(knob.improvement.unwrap().low > 0.0, "{knob:?}");
    assert_eq!(report.bottleneck.unwrap().knob, "load.retry_budget");
}

#[test]
fn retries_never_exceed_their_budget() {
    let scenario =
        storm(&["load.retry_budget=\"20%\"", "load.retry_floor=\"5/s\"", "load.warmup=\"0s\""]);
    for seen in runs(&scenario) {
        let windows = (scenario.load.total().secs_f64() / 10.0).ceil();
        let most = 0.2 * seen.sent as f64 + 5.0 * 10.0 * windows;
        assert!(seen.client.retries as f64 <= most, "{} of {most}", seen.client.retries);
        assert!(seen.client.refused > 0, "the budget is used up");
    }
}
