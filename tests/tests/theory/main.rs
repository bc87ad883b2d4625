//! Scenarios whose answers are known in closed form.
//!
//! Each is a file of `scenarios/theory`, simulated in independent replications with the
//! warm-up left out. The closed form has to lie inside the Student t interval, and the
//! interval has to be narrower than 1 % of the value to each side, so that a claim can
//! fail both ways.
//!
//! Many claims are made, and all have to hold at once. The confidence of 99 % is that of
//! the family: by Bonferroni's inequality each claim is checked at `1 - 0.01/m`, where m
//! is the number of claims in [`FAMILY`], so that a simulator without a fault fails any of
//! them once in a hundred seeds. The seeds are those of the scenarios and were not chosen;
//! `THEORY_SEED=n` tries another, and `THEORY_TABLE=file` appends a line for each claim.
//! Replications are added until the intervals are narrow enough; twenty to begin with keep
//! that from favouring lucky ones.
//!
//! Laws that hold exactly, request by request, are checked exactly and are no members of the
//! family.
#![allow(clippy::unwrap_used)]

mod closed_loops;
mod connections;
mod exact;
mod groups;
mod limits;
mod processes;
mod queues;
mod sharing;

use model::scenario::Scenario;
use tests::claim::{Case, theory_scenario};

/// Confidence that no claim fails by chance.
const FAMILY_CONFIDENCE: f64 = 0.99;

/// Every claim, by name.
const FAMILY: [&str; 99] = [
    "M/M/1: utilisation",
    "M/M/1: in flight",
    "M/M/1: mean response time",
    "M/M/1: median",
    "M/M/1: 90th percentile",
    "M/M/1: 99th percentile",
    "M/M/1 on a CPU twice as fast: mean",
    "M/D/1: mean response time",
    "M/G/1 lognormal: mean response time",
    "M/G/1 with work after the reply: mean response time",
    "M/G/1 with work after the reply: busy cores",
    "M/M/1 at a lock: mean response time",
    "M/M/4 at a lock of four holders: mean response time",
    "M/M/1 with constant patience at a lock: share that gives up",
    "M/M/1 at a row: mean response time",
    "M/M/1 at a row that is changed: mean response time",
    "M/M/1 at each of four rows: mean response time",
    "M/M/1 with constant patience at a row: share that gives up",
    "M/M/4: mean response time",
    "M/M/4: busy cores",
    "M/M/4 of sync workers: mean response time",
    "M/M/4 of sync workers: busy cores",
    "M/M/4 with patience: share that gives up",
    "M/M/4 with patience: mean of the good answers",
    "M/M/4 with patience: busy cores",
    "IPP/M/1: mean response time",
    "processes with a long slice: M/G/1 mean",
    "processor sharing, threads: mean",
    "processor sharing, lognormal: mean",
    "processor sharing: short jobs",
    "processor sharing: long jobs",
    "Erlang B at the server: refused",
    "Erlang B at the load generator: dropped",
    "M/M/c/K at the upstream: refused",
    "M/M/c/K at the upstream: mean response time",
    "Erlang B at the upstream: refused",
    "M/M/1/K: refused",
    "M/M/1/K: throughput",
    "M/M/1/K: mean response time",
    "closed, 1 user: throughput",
    "closed, 2 users: throughput",
    "closed, 5 users: throughput",
    "closed, 10 users: throughput",
    "closed, 20 users: throughput",
    "closed, 50 users: throughput",
    "closed, 100 users: throughput",
    "closed, 200 users: throughput",
    "closed, 500 users: throughput",
    "closed, 10 users: mean response time",
    "closed, 50 users: mean response time",
    "two loads, one queue, page: throughput",
    "two loads, one queue, poller: throughput",
    "two loads, one queue, page: mean response time",
    "two loads, one queue, poller: mean response time",
    "two loads, two visits, page: throughput",
    "two loads, two visits, poller: throughput",
    "two loads, two visits, page: mean response time",
    "two loads, two visits, poller: mean response time",
    "two loads, processor sharing, page: throughput",
    "two loads, processor sharing, poller: throughput",
    "two loads, processor sharing, page: mean response time",
    "two loads, processor sharing, poller: mean response time",
    "users beside arrivals: throughput of the users",
    "users beside arrivals: mean of the users",
    "users beside arrivals: mean of the arrivals",
    "repairman, 1 worker: throughput",
    "repairman, 2 workers: throughput",
    "repairman, 4 workers: throughput",
    "repairman, 8 workers: throughput",
    "saturated semaphore: throughput",
    "gather of four exponential calls: mean",
    "database server, M/M/2: mean response time",
    "sessions on a server's own processor: mean response time",
    "sessions with a long slice: M/G/1 mean",
    "database server on the service's processors, M/M/2: mean response time",
    "one processor for service and server: throughput",
    "PgBouncer, M/M/4: mean response time",
    "group commit: mean response time",
    "group commit, four a sync: mean response time",
    "interpreter lock on four cores: throughput",
    "no interpreter lock on four cores: throughput",
    "retries: share that fails",
    "retries: attempts of a request",
    "clients that retry: share that fails",
    "clients that retry: attempts of a request",
    "clients that retry with full jitter: earlier attempts and pauses",
    "clients that retry at a full worker, M/G/c/c: share of attempts refused",
    "timeout of a lognormal call: share",
    "timeout of a lognormal call: mean attempt",
    "timeouts with one retry: share",
    "Poisson arrivals: rate",
    "utilisation law: CPU demand",
    "keep-alive: lost",
    "keep-alive: connections opened",
    "keep-alive, both sides 5 s: lost",
    "keep-alive, Poisson arrivals: lost",
    "max_requests: workers replaced per second",
    "max_requests: share of time without a worker",
    "worker timeout: share killed",
];

/// A case whose claims are members of the family.
fn case<'a>(scenarios: Vec<Scenario>) -> Case<'a> {
    let each = (1.0 - FAMILY_CONFIDENCE) / FAMILY.len() as f64;
    Case::new(scenarios, 1.0 - each, &FAMILY)
}

/// A case of one scenario file, with keys set.
fn case_of<'a>(name: &str, sets: &[&str]) -> Case<'a> {
    case(vec![theory_scenario(name, sets)])
}

#[test]
fn every_claim_is_named_once() {
    let mut names = FAMILY.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAMILY.len());
}
