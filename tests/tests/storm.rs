//! A peak of the load that is over, and clients that retry: the failure that stays.
#![allow(clippy::unwrap_used)]

use model::read::load;
use model::recovery::recovery;
use model::scenario::Scenario;
use rayon::prelude::*;
use sim::observe::Observations;
use sim::predict::retry_budget;
use sim::replicate::replicate;

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
