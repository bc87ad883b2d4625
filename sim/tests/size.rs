//! How much load a service takes, against closed forms and on scenarios with a known limit.

mod support;

use model::report::{LoadKind, Size};
use render::Format;
use sim::size::{check, size};
use support::scenario;

fn sized(name: &str, sets: &[&str], keep: &[&str]) -> Size {
    let resolved = scenario(name, sets, keep);
    check(&resolved).unwrap_or_else(|problems| panic!("{problems}"));
    size(&resolved, 100_000_000, 1_000_000).unwrap_or_else(|runaway| panic!("{runaway}"))
}

/// M/M/1, first come first served: P99 = ln(100) / (mu - lambda), so that the highest rate with P99
/// below T is mu - ln(100) / T. Here mu = 100/s.
#[test]
fn the_highest_rate_of_mm1_lies_in_the_interval_as_often_as_it_says() {
    const SEEDS: u32 = 20;
    let limit = 0.1;
    let wanted = 100.0 - 100f64.ln() / limit;
    let one = |seed: u32| {
        let seed = format!("seed={seed}");
        let sets = ["load.warmup=2s", "load.duration=30s", &seed];
        let found = sized("theory/mm1.toml", &sets, &["p99 < 100ms"]);
        found.holds.unwrap_or_else(|| panic!("{found:?}"))
    };
    let all: Vec<_> = (1..=SEEDS).map(one).collect();
    let hits = all.iter().filter(|holds| holds.contains(wanted)).count();
    // With 95 % each, 15 or fewer of 20 have a probability of 0.3 %.
    assert!(hits >= 16, "{hits} of {SEEDS} hold {wanted}: {all:?}");
    let values: Vec<f64> = all.iter().map(|holds| holds.value).collect();
    let mean = model::statistics::Estimate::of_mean(&values, 0.999);
    assert!(mean.contains(wanted), "{mean:?} instead of {wanted}");
    // The interval says something.
    assert!(all.iter().all(|holds| holds.high - holds.low < 0.5 * wanted), "{all:?}");
}

/// Without a limit on times, an open load holds until it is served no longer: mu.
#[test]
fn an_open_load_must_be_served_as_fast_as_it_comes() {
    let sets = ["load.warmup=5s", "load.duration=50s"];
    let found = sized("theory/mm1.toml", &sets, &["errors < 1%"]);
    let holds = found.holds.unwrap_or_else(|| panic!("{found:?}"));
    assert!((92.0..108.0).contains(&holds.value), "{holds:?}");
    let breaks = found.breaks.expect("what breaks");
    assert!(breaks.objective.is_none(), "{breaks:?}");
    assert!(breaks.sentence.contains("faster than they are served"), "{breaks:?}");
}

/// One station with the demand D and a think time Z: the most users with a mean response time below
/// R, by exact mean value analysis.
#[test]
fn users_of_a_closed_load_are_those_of_mean_value_analysis() {
    let (demand, think, limit) = (0.01, 0.2, 0.1);
    let (mut users, mut queue) = (0u32, 0.0);
    loop {
        let response_time = demand * (1.0 + queue);
        if response_time >= limit {
            break;
        }
        users += 1;
        queue = f64::from(users) / (think + response_time) * response_time;
    }
    let sets = ["load.warmup=5s", "load.duration=40s"];
    let found = sized("theory/closed.toml", &sets, &["mean < 100ms"]);
    assert_eq!(found.load, LoadKind::Users);
    let holds = found.holds.unwrap_or_else(|| panic!("{found:?}"));
    assert!(holds.low <= f64::from(users) && f64::from(users) <= holds.high, "{users}: {holds:?}");
    assert_eq!(holds.value.fract(), 0.0);
}

const SHORT: [&str; 2] = ["load.warmup=10s", "load.duration=60s"];

#[test]
fn the_answer_names_what_is_full_and_is_the_same_every_time() {
    let keep = ["p99 < 45s", "errors < 1%"];
    let first = sized("v6.toml", &SHORT, &keep);
    let breaks = first.breaks.as_ref().expect("what breaks");
    assert_eq!(breaks.objective.as_ref().map(|one| one.objective.as_str()), Some("p99 < 45s"));
    assert!(breaks.sentence.contains("full is semaphore of partner"), "{}", breaks.sentence);
    let holds = first.holds.expect("some users");
    assert!(holds.low <= holds.value && holds.value < holds.high, "{holds:?}");
    let independent = first.check.as_ref().expect("runs with other seeds");
    assert!(independent.kept && independent.load == holds.low, "{independent:?}");
    // On one thread, too.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let again = pool.install(|| sized("v6.toml", &SHORT, &keep));
    let json = |size: &Size| render::Answer::print(size, Format::Json, render::Paint::default());
    assert_eq!(json(&first), json(&again));
    let back: Size = serde_json::from_str(&json(&first)).expect("its own form");
    assert_eq!(back, first);
}

/// A call takes 4 s half of the time, whatever the load.
#[test]
fn what_no_load_keeps_says_how_near_it_comes() {
    let found = sized("v6.toml", &[], &["endpoint:checkout.p50 < 5s"]);
    assert_eq!((found.holds, found.unbroken), (None, None));
    let breaks = found.breaks.expect("what breaks");
    let sentence = &breaks.sentence;
    assert!(sentence.contains("P50 of checkout") && sentence.contains("% beyond"), "{sentence}");
}

#[test]
fn a_floor_that_the_service_does_not_reach_is_said() {
    let sets = ["load.warmup=5s", "load.duration=30s"];
    let found = sized("theory/mm1.toml", &sets, &["p99 < 200ms", "throughput > 90/s"]);
    assert!(found.holds.is_some());
    let told = found.warnings.iter().any(|one| one.starts_with("`throughput > 90/s` is broken"));
    assert!(told, "{:?}", found.warnings);
}

#[test]
fn without_an_objective_or_a_steady_load_there_is_nothing_to_look_for() {
    let refused = check(&scenario("v6.toml", &[], &[])).expect_err("no objective");
    assert!(refused.to_string().contains("--keep 'p99 < 800ms'"), "{refused}");
    let groups = scenario("theory/two-loads.toml", &[], &["p99 < 1s"]);
    let refused = check(&groups).expect_err("several loads");
    assert!(refused.to_string().contains("--set load.rate=10/s"), "{refused}");
}
