//! Properties of every scenario, checked on random ones.
//!
//! They are the same ones in every run, so that a failure is that of the change under test. To look for new
//! faults: `PROPTEST_CASES=5000 PROPTEST_RNG_SEED=$RANDOM cargo test -p tests --test properties`.
#![allow(clippy::unwrap_used)]

use model::place;
use model::read::load_text;
use model::scenario::{Concurrency, Endpoint, Hold, Load, Scenario, Source, Step};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use sim::engine::Engine;
use sim::observe::{ErrorKind, Gauge, Observations};
use sim::plan::Plan;
use tests::audit::{audited, scenario_of};
use tests::random::scenario;

/// Events after which a random run is let go. A run that takes more is not examined.
const EVENTS_MAX: u64 = 60_000;

fn gauges(seen: &Observations) -> Vec<&Gauge> {
    let single = [
        &seen.in_flight,
        &seen.cpu.cores,
        &seen.event_loop.busy,
        &seen.threads.in_use,
        &seen.database.connections,
        &seen.sqlite.writer,
        &seen.postgres.busy,
        &seen.interpreter.held,
        &seen.event_loop.connections,
    ];
    single
        .into_iter()
        .chain(&seen.places)
        .chain(seen.postgres.rows.iter().flat_map(|of| [&of.held, &of.waiting]))
        .chain(seen.upstreams.iter().flat_map(|of| [&of.semaphore, &of.connections]))
        .collect()
}

fn forks(step: &Step) -> bool {
    matches!(step, Step::Gather(_))
}

/// Work that goes on after its request has ended: that of a client that gave up, the other
/// branches of a gather in which one failed, and the exit of a session's dependency.
fn leaves_work_behind(scenario: &Scenario) -> bool {
    let outlasts = |endpoint: &Endpoint| {
        !endpoint.after.is_empty()
            || endpoint.hold(scenario) == Some(Hold::Request)
                && endpoint.concurrency(&scenario.service) == Concurrency::Threadpool
    };
    // Connections that are opened ahead are at a place, too.
    let groups = scenario.load.groups();
    let ahead = |load: &Load| matches!(load.source, Source::Closed { preconnect: true, .. });
    groups.iter().any(|group| ahead(&group.load) || group.load.timeout.is_some())
        || scenario.load.retry.give_up.is_some()
        || scenario.endpoints.iter().any(outlasts)
        || scenario.endpoints.iter().any(|endpoint| endpoint.steps.iter().any(forks))
}

/// A switch interval that divides the work: a thread is asked to let the interpreter lock
/// go at the very instant at which it goes into the database library. The audit sees to it
/// that a thread waiting for the lock is woken.
#[test]
fn a_request_for_the_lock_as_work_ends_wakes_every_waiting_thread() {
    let text = r#"
[load]
rate = "500/s"
duration = "1s"

[cpu]
slice = "20us"

[service]
concurrency = "threadpool"

[database]

[costs]
interpreter = { switch_interval = "50us" }
cpu = { request = "100us", statement = "600us" }
query = { default = { engine = "300us" } }

[[endpoint]]
name = "read"
weight = 1
steps = [{ read = "item" }]
"#;
    let seen = audited(&scenario_of(text), 10_000_000).unwrap();
    assert!(seen.good() > 400, "{}", seen.good());
}

#[test]
fn a_client_that_connects_as_its_worker_is_killed_does_not_wake_the_new_process_twice() {
    let text = r#"
[costs]
cpu.request = "1us"
machine.context_switch = "2us"
[cpu]
cores = 2
[load]
duration = "300ms"
timeout = "never"
group = [{ name = "grows", users = 1, stages = [{ duration = "50ms", target = 9 }] }]
[service]
server = "gunicorn"
concurrency = "blocking"
workers = 2
worker_timeout = "20ms"
spread = "hash"
[[endpoint]]
name = "blocks"
weight = 1
steps = [{ block = { mean = "10ms" } }]
"#;
    for seed in 1..=20 {
        let seen = audited(&scenario_of(&format!("seed = {seed}\n{text}")), 1_000_000).unwrap();
        assert!(seen.errors()[ErrorKind::WorkerKilled as usize] > 0, "{:?}", seen.errors());
    }
}

/// `cases` of random input, or as many as the environment says; the same ones in every run, but where
/// the environment names a seed.
fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed => fixed,
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config(600))]

    /// Whatever a file says, the engine keeps its invariants after every event: among them
    /// that no core idles while a thread is ready, that slots in use never exceed the
    /// capacity, and that no task is lost. And the books balance at the end.
    #[test]
    fn every_run_keeps_its_books(text in scenario()) {
        let scenario = scenario_of(&text);
        let Ok(seen) = audited(&scenario, EVENTS_MAX) else { return Ok(()) };

        // Requests are conserved.
        let errors: u64 = seen.errors().iter().sum();
        prop_assert_eq!(
            seen.in_flight_at_start + seen.sent,
            seen.good() + errors + seen.in_flight.value(),
            "requests come in and go out"
        );

        // The parts of the response time add up.
        for class in &seen.classes {
            prop_assert_eq!(class.time.iter().sum::<u128>(), class.sum, "time by place");
        }

        // Little's law on the path: the area under the number in flight is the time that
        // all requests spend in the system.
        prop_assert_eq!(seen.in_flight.area(), seen.sojourn, "Little's law");
        if !leaves_work_behind(&scenario) {
            let at_places: u128 = seen.places.iter().map(Gauge::area).sum();
            prop_assert_eq!(at_places, seen.in_flight.area(), "each request is at one place");
        }

        // Gauges: never above what there is, and the average never above the peak.
        let window = u128::from(scenario.load.duration.nanos());
        prop_assert_eq!(seen.window, scenario.load.duration);
        for gauge in gauges(&seen) {
            prop_assert!(gauge.value() <= gauge.peak());
            prop_assert!(gauge.area() <= u128::from(gauge.peak()) * window);
        }
        let workers = u64::from(scenario.service.workers);
        prop_assert!(seen.cpu.cores.peak() <= u64::from(scenario.cpu.cores));
        prop_assert!(seen.event_loop.busy.peak() <= workers && seen.interpreter.held.peak() <= workers);
        prop_assert!(seen.threads.in_use.peak() <= workers * u64::from(scenario.service.threads));
        prop_assert!(seen.sqlite.writer.peak() <= 1);
        for (index, upstream) in scenario.upstreams.iter().enumerate() {
            let limit = |limit: Option<u32>| limit.map_or(0, |slots| workers * u64::from(slots));
            prop_assert!(seen.upstreams[index].semaphore.peak() <= limit(upstream.max_in_flight));
            // Where httpx's queue is modelled, handlers that block have a client of their own.
            let clients = if scenario.costs.client.locks > 0 { 2 } else { 1 };
            let connections = seen.upstreams[index].connections.peak();
            prop_assert!(connections <= clients * limit(upstream.max_connections));
        }
        for (lock, seen) in scenario.locks.iter().zip(&seen.locks) {
            prop_assert!(seen.held.peak() <= workers * u64::from(lock.holders));
        }
        for (rows, seen) in scenario.rows().iter().zip(&seen.postgres.rows) {
            prop_assert!(seen.held.peak() <= u64::from(rows.count));
        }
        if let Load { source: Source::Open { max_users: Some(users), .. }, .. } = scenario.load {
            prop_assert!(seen.in_flight.peak() <= u64::from(users));
        }
        if let Some(quota) = scenario.cpu.quota {
            let periods = window / u128::from(quota.period.nanos()) + 2;
            prop_assert!(seen.cpu.cores.area() <= periods * u128::from(quota.budget.nanos()));
        }
    }
}

/// The random scenarios are worth trying: every error occurs in some of them, at every
/// place some request spends time, and most come to their end.
#[test]
fn random_scenarios_reach_every_corner() {
    let mut runner = TestRunner::deterministic();
    let (mut errors, mut places) = ([0; ErrorKind::ALL.len()], Vec::new());
    let (mut ended, mut dropped) = (0, 0);
    for _ in 0..1200 {
        let text = scenario().new_tree(&mut runner).unwrap().current();
        let scenario = scenario_of(&text);
        let plan = Plan::new(&scenario, scenario.seed);
        let Ok(seen) = Engine::observe(&plan, EVENTS_MAX) else { continue };
        ended += 1;
        dropped += seen.dropped;
        errors.iter_mut().zip(seen.errors()).for_each(|(sum, count)| *sum += count);
        places.resize(seen.places.len(), 0);
        places.iter_mut().zip(&seen.places).for_each(|(sum, gauge)| *sum += gauge.area());
    }
    assert!(ended > 1080, "{ended} of 1200 came to their end");
    let predicted = ErrorKind::ALL.into_iter().filter(|kind| !kind.is_measured_only());
    let missing: Vec<&str> =
        predicted.filter(|&kind| errors[kind as usize] == 0).map(ErrorKind::name).collect();
    assert!(missing.is_empty(), "none of {missing:?} in {errors:?}");
    // Simulated clients are never busy.
    let way_back = place::REPLY.index();
    let predicted = places.iter().enumerate().filter(|(place, _)| *place != way_back);
    assert!(predicted.map(|(_, time)| time).all(|&time| time > 0), "{places:?}");
    assert!(dropped > 0);
}

/// One queue, served in the order of arrival by several slots: a call holds a slot for as
/// long as it takes.
const QUEUES: [(&str, &str); 5] = [
    // The key that sets the slots, and the place where requests wait for one.
    ("upstream.partner.max_in_flight", "upstream partner semaphore"),
    ("upstream.partner.max_connections", "upstream partner connections"),
    ("service.threads", "threads"),
    ("database.connections.size", "database pool"),
    ("cpu.speed", ""),
];

/// Arrivals that end, so that each request is answered with few slots as with many.
fn queue(key: &str, rate: u32, spacing: &str, time: &str, seed: u64) -> String {
    let (concurrency, step) = match key {
        "service.threads" => ("threadpool", format!("{{ sleep = {time} }}")),
        "cpu.speed" => ("blocking", format!("{{ cpu = {time} }}")),
        "database.connections.size" => ("async", "{ read = \"item\" }".to_string()),
        _ => ("async", "{ call = \"partner\" }".to_string()),
    };
    format!(
        r#"
seed = {seed}

[load]
rate = "{rate}/s"
spacing = "{spacing}"
stages = [
  {{ duration = "1s", target = "{rate}/s" }},
  {{ duration = "1ns", target = "0/s" }},
  {{ duration = "600s", target = "0/s" }},
]
timeout = "never"

[service]
concurrency = "{concurrency}"
keep_alive = "never"

[upstream.partner]
latency = {time}
pool_timeout = "never"

[database]
engine = "postgres"
cores = 1024
round_trip = "0s"
connections = {{ kind = "pool", overflow = 0, timeout = "never" }}

[costs]
query = {{ default = {{ engine = {time} }} }}

[[endpoint]]
name = "job"
weight = 1
steps = [{step}]
"#
    )
}

fn waited(scenario: &Scenario, place: &str) -> (u64, u128) {
    let seen = audited(scenario, 1_000_000).unwrap();
    assert_eq!(seen.in_flight.value(), 0, "all are answered");
    let class = &seen.classes[0];
    let plan = Plan::new(scenario, scenario.seed);
    match plan.places.iter().position(|id| id.to_string() == place) {
        Some(place) => (class.good, class.time[place]),
        // The CPU: what is not spent waiting shrinks as well.
        None => (class.good, class.sum),
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// More slots at one queue in order of arrival: no request waits longer, on the same
    /// random numbers (Kiefer and Wolfowitz). So neither does their sum.
    #[test]
    fn more_capacity_never_raises_the_waiting_at_its_own_queue(
        queue_of in 0..QUEUES.len(),
        rate in 20u32..200,
        spacing in prop::sample::select(&["poisson", "even"][..]),
        time in tests::random::distribution(40_000),
        few in 1u32..5,
        more in 1u32..10,
        seed in 1u64..1_000_000,
    ) {
        let (key, place) = QUEUES[queue_of];
        let text = queue(key, rate, spacing, &time, seed);
        let with = |slots: u32| {
            let sets = [format!("{key}={slots}")];
            load_text("queue.toml", &text, &sets).unwrap().scenario
        };
        let (answered, long) = waited(&with(few), place);
        let (answered_too, short) = waited(&with(few + more), place);
        prop_assert_eq!(answered, answered_too, "the same requests");
        prop_assert!(short <= long, "{}: {} at {}, {} at {}", key, long, few, short, few + more);
    }
}
