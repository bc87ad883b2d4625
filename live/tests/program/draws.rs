//! The draws of a measured run are those of the model, request by request.

use std::ops::RangeInclusive;

use model::distribution::unit_interval;
use model::scenario::Scenario;
use model::stream::{Draws, Purpose, replication_seed};
use model::units::Span;
use model::workload::{RequestKey, Workload, step_purpose};

use testkit::get;

use crate::support::{Kept, Lab};

/// One user, one request after the other: the run is a walk along one lane of draws.
const WALK: &str = r#"
    load = { users = 1, duration = "1s" }
    service.concurrency = "async"
    upstream.partner = { latency = { low = "1ms", high = "25ms" }, failures = "40%" }
    endpoint = [
        { name = "one", weight = 1, steps = [{ call = "partner" }] },
        { name = "two", weight = 1, steps = [{ cpu = "10us" }, { call = "partner" }] },
        { name = "three", weight = 1, steps = [{ call = "partner" }] },
    ]
"#;

/// How many requests a walk may have: each takes some 13 ms and more.
const STEPS: RangeInclusive<u64> = 5..=150;

/// What the model draws for a request.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    class: usize,
    fails: bool,
    latency: Span,
}

/// What the model draws for request `index` of the only user.
fn drawn(scenario: &Scenario, index: u64) -> Drawn {
    let key = RequestKey { lane: 0, index };
    let workload = Workload::new(scenario.seed, &scenario.load, &scenario.endpoints);
    let class = workload.class(&mut Draws::default(), key);
    let endpoint = &scenario.endpoints[class];
    let path = (endpoint.steps.len() - 1).to_string();
    let draw = |what| {
        let purpose = Purpose::new(scenario.seed, &step_purpose(what, &endpoint.name, &path));
        purpose.draw(key.lane, key.index)
    };
    let upstream = &scenario.upstreams[0];
    let fails = unit_interval(draw("failure")) < upstream.failures;
    Drawn { class, fails, latency: upstream.latency.sample(draw("latency")) }
}

/// Failures by class among the first `count` requests, and good answers.
fn fates(scenario: &Scenario, count: u64) -> ([f64; 3], u64) {
    let mut failures = [0.0; 3];
    let mut good = 0;
    for drawn in (0..count).map(|index| drawn(scenario, index)) {
        if drawn.fails {
            failures[drawn.class] += 1.0;
        } else {
            good += 1;
        }
    }
    (failures, good)
}

/// The same of the requests that were settled in the window of a run, and their number.
fn measured(kept: &Kept) -> (([f64; 3], u64), u64) {
    let failures = |name| kept.class(name).errors.get("upstream_failed").copied().unwrap_or(0.0);
    let (failures, good) = (["one", "two", "three"].map(failures), kept.report.run.samples);
    ((failures, good), good + failures.iter().sum::<f64>() as u64)
}

#[test]
fn a_seed_decides_which_requests_fail() {
    let lab = Lab::new(WALK);
    let first = lab.resolved(&["seed=1"]).scenario;
    // Walks of two seeds may have the same counts: here is a seed whose counts always differ.
    let (seed, second) = (2..)
        .map(|seed| (seed, lab.resolved(&[&format!("seed={seed}")]).scenario))
        .find(|(_, other)| {
            STEPS.into_iter().all(|count| fates(&first, count) != fates(other, count))
        })
        .expect("there are more seeds than walks");
    for (seed, scenario, other) in
        [(1, &first, &second), (seed, &second, &first), (1, &first, &second)]
    {
        let kept = lab.run(&format!("--seed {seed}"));
        let (fates_measured, settled) = measured(&kept);
        assert!(STEPS.contains(&settled), "{settled} requests");
        assert_eq!(fates_measured, fates(scenario, settled), "seed {seed}");
        assert_ne!(fates_measured, fates(other, settled), "seed {seed}");
        takes_at_least_as_long(&kept, scenario, settled);
    }
}

#[test]
fn a_round_is_the_replication_of_its_number() {
    let lab = Lab::new(WALK);
    let base = lab.resolved(&["seed=3"]).scenario;
    let seeds = [0, 1].map(|round| replication_seed(3, round));
    let rounds = seeds.map(|seed| Scenario { seed, ..base.clone() });
    let kept = lab.run("--seed 3 --repeat 2");
    let settled = kept.settled();
    assert_eq!(settled.len(), 2);
    let of = |first: &Scenario, second: &Scenario| {
        let (first, second) = (fates(first, settled[0]), fates(second, settled[1]));
        let failures: Vec<f64> = first.0.iter().zip(second.0).map(|(one, two)| one + two).collect();
        (failures, first.1 + second.1)
    };
    // Errors are told per round.
    let ((failures, good), _) = measured(&kept);
    let found = (failures.map(|failures| 2.0 * failures).to_vec(), good);
    assert_eq!(found, of(&rounds[0], &rounds[1]));
    assert_ne!(found, of(&rounds[0], &rounds[0]));
}

/// No answer came before its upstream's reply was drawn to: the k-th longest response time
/// is at least the k-th longest latency.
fn takes_at_least_as_long(kept: &Kept, scenario: &Scenario, settled: u64) {
    let drawn = (0..settled).map(|index| drawn(scenario, index)).filter(|drawn| !drawn.fails);
    let mut latencies: Vec<f64> = drawn.map(|drawn| drawn.latency.secs_f64()).collect();
    latencies.sort_by(f64::total_cmp);
    for (name, quantile) in model::report::ResponseTime::QUANTILES {
        let rank = (quantile * latencies.len() as f64).ceil() as usize;
        let (least, seen) = (latencies[rank.max(1) - 1], kept.report.response_time.get(name));
        assert!(seen.is_some_and(|seen| seen >= least), "{name}: {seen:?} and {least}");
    }
}

#[test]
fn the_mock_alone_draws_what_the_model_draws() {
    let lab = Lab::new(WALK);
    let scenario = lab.resolved(&[]).scenario;
    let mut upstream = lab.start("upstream shop.toml");
    let address = upstream.address();
    let paths = ["0", "1", "0"];
    for index in 0..30 {
        let Drawn { class, fails, latency } = drawn(&scenario, index);
        let step = format!("{}/{}", scenario.endpoints[class].name, paths[class]);
        let call = format!("{}: 0.{index}.{step}\r\n", live::wire::CALL);
        let reply = get(address, "/partner", &call).expect("it answers");
        let status = if fails { "HTTP/1.1 502 " } else { "HTTP/1.1 200 " };
        assert!(reply.starts_with(status), "{index}: {reply}");
        let took = reply.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(live::wire::TOOK).then(|| value.parse::<u64>().ok())?
        });
        assert!(took.is_some_and(|took| took >= latency.nanos()), "{index}: {took:?} {latency:?}");
    }
}
