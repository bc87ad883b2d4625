//! The same file and seed give the same bytes, and one knob changes nothing but itself.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use model::read::{load, load_text};
use model::scenario::Scenario;
use model::stream::{Draws, Purpose};
use model::units::{Instant, Span};
use model::workload::{RequestKey, step_purpose};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sim::answer::report;

use sim::engine::{Engine, Event, Record, Recorder, Workspace};
use sim::observe::Observations;
use sim::plan::{Basic, Op, Plan, UpstreamOp};
use sim::replicate::{Effort, replicate, replicate_in, replications};
use sim::shard::{Mismatch, Shard};

const EVENTS_MAX: u64 = 1_000_000;
/// Records of a trace, at most.
const RECORDS_MAX: usize = 400_000;

fn golden_scenario() -> Scenario {
    load(Path::new("golden/trace.toml"), &[]).unwrap().scenario
}

/// A run and its trace; a run that is too long is cut by the scenario, not here.
fn traced(scenario: &Scenario) -> Option<(Observations, Recorder)> {
    let plan = Plan::new(scenario, scenario.seed);
    Engine::new(&plan, Recorder::new(RECORDS_MAX)).run(EVENTS_MAX).ok()
}

/// The first record in which two traces differ, with those before it.
fn first_difference(one: &Recorder, other: &Recorder) -> Option<String> {
    let (a, b) = (&one.records, &other.records);
    let at = a.iter().zip(b).position(|(a, b)| a != b);
    let at = at.or_else(|| (a.len() != b.len()).then(|| a.len().min(b.len())))?;
    let mut text = format!("the traces part at record {at}:\n");
    for (at, record) in &a[at.saturating_sub(5)..at] {
        let _ = writeln!(text, "       {:>12} {record}", at.nanos());
    }
    for (name, records) in [("first", a), ("second", b)] {
        let _ = match records.get(at) {
            Some((at, record)) => writeln!(text, "{name:<6} {:>12} {record}", at.nanos()),
            None => writeln!(text, "{name:<6} has ended"),
        };
    }
    Some(text)
}

#[test]
fn a_run_repeats_record_by_record() {
    let mut scenarios = vec![golden_scenario()];
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let text = tests::random::scenario().new_tree(&mut runner).unwrap().current();
        scenarios.push(load_text("random.toml", &text, &[]).unwrap().scenario);
    }
    for scenario in scenarios {
        let (Some((seen, trace)), Some((again, other))) = (traced(&scenario), traced(&scenario))
        else {
            continue;
        };
        assert_eq!(first_difference(&trace, &other), None);
        assert_eq!(format!("{seen:?}"), format!("{again:?}"));
    }
}

#[test]
fn a_difference_is_named_with_its_record() {
    let (_, trace) = traced(&golden_scenario()).unwrap();
    let mut other = trace.clone();
    let (at, _) = other.records[700];
    other.records[700].1 = Record::Sent { lane: 7, index: 8, class: 9 };
    let told = first_difference(&trace, &other).unwrap();
    assert!(told.contains("record 700"), "{told}");
    assert!(told.contains(&format!("second {:>12} sent 7.8", at.nanos())), "{told}");
    other = trace.clone();
    other.records.truncate(800);
    assert!(first_difference(&trace, &other).unwrap().contains("second has ended"));
}

/// The trace of a scenario that has a little of everything, as a digest that is checked in:
/// other builds and machines have to find the same. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn the_trace_is_the_one_that_was_checked_in() {
    let (seen, trace) = traced(&golden_scenario()).unwrap();
    assert!(trace.records.len() < RECORDS_MAX);
    let mut text = format!(
        "# Trace of trace.toml: the digest of all records up to each one shown.\n\
         good {} errors {:?}\n",
        seen.good(),
        seen.errors()
    );
    let mut digest = 0xcbf2_9ce4_8422_2325;
    let last = trace.records.len() - 1;
    for (index, line) in trace.to_text().lines().enumerate() {
        digest = fnv1a(digest, line.as_bytes());
        if index % 250 == 0 || index == last {
            let _ = writeln!(text, "{index:>6} {digest:016x} {line}");
        }
    }
    // The first line in which they differ says in which 250 records to look.
    testkit::golden("golden/trace.txt", &text);
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo), continued from `hash`.
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn threads_make_no_difference() {
    let scenario = golden_scenario();
    let effort = Effort {
        replications: 7,
        replications_max: 23,
        precision: Some(0.002),
        ..Effort::default()
    };
    let json = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let runs = pool.install(|| replications(&scenario, &effort, &mut |_| {})).unwrap();
        assert!(runs.seen.len() > 7, "the precision asks for more than one batch");
        serde_json::to_string(&report(&scenario, "digest".into(), &runs, 0.95)).unwrap()
    };
    let alone = json(1);
    assert_eq!(alone, json(2));
    assert_eq!(alone, json(5));
}

/// However replications are split, by whichever processes they are run and in whichever order
/// their shards are merged, the report has the bytes of one process.
#[test]
fn shards_have_the_bytes_of_one_process() {
    let scenario = golden_scenario();
    let count = 23;
    let effort = Effort { replications: count, precision: None, ..Effort::default() };
    let text =
        |runs: &_| serde_json::to_string(&report(&scenario, "d".into(), runs, 0.95)).unwrap();
    let whole = text(&replications(&scenario, &effort, &mut |_| {}).unwrap());
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        // Single replications, each in a shard of its own or in that of its neighbour, shuffled.
        let cuts = proptest::collection::btree_set(1..count, 0..8);
        let cuts = cuts.new_tree(&mut runner).unwrap().current();
        let from = [0].into_iter().chain(cuts.iter().copied());
        let to = cuts.iter().copied().chain([count]);
        let ranges: Vec<_> = from.zip(to).collect();
        let ranges = Just(ranges).prop_shuffle().new_tree(&mut runner).unwrap().current();
        let shards = ranges.iter().map(|&(from, to)| {
            let shard = Shard::run(&scenario, from..to, effort.events_max).unwrap();
            serde_json::from_str::<Shard>(&serde_json::to_string(&shard).unwrap()).unwrap()
        });
        let merged = shards.reduce(|all, more| all.merge(more).unwrap()).unwrap();
        assert_eq!(text(&merged.replications(&scenario, count).unwrap()), whole, "{ranges:?}");
    }
}

#[test]
fn shards_that_do_not_fit_together_are_refused() {
    let scenario = golden_scenario();
    let other = Scenario { seed: scenario.seed + 1, ..scenario.clone() };
    let shard = |from, to| Shard::run(&scenario, from..to, 1_000_000).unwrap();
    let refused = |shard: Shard, count| shard.replications(&scenario, count).unwrap_err();
    assert_eq!(shard(0, 3).merge(shard(2, 4)).unwrap_err(), Mismatch::Twice(2));
    assert_eq!(refused(shard(2, 4).merge(shard(0, 1)).unwrap(), 4), Mismatch::Missing(1));
    assert_eq!(refused(shard(0, 3), 4), Mismatch::Missing(3));
    assert_eq!(refused(shard(0, 3), 2), Mismatch::Surplus(2));
    let of_other = Shard::run(&other, 3..4, 1_000_000).unwrap();
    assert_eq!(shard(0, 3).merge(of_other.clone()).unwrap_err(), Mismatch::Scenario);
    assert_eq!(refused(of_other, 1), Mismatch::Scenario);
}

/// Replications that follow each other in the same memory see what each sees alone.
#[test]
fn replications_differ_from_each_other_and_not_from_themselves() {
    let scenario = golden_scenario();
    let mut workspace = Workspace::default();
    let together: Vec<_> = (0..12)
        .map(|index| replicate_in(&scenario, index, EVENTS_MAX, &mut workspace).unwrap())
        .collect();
    let mut sums = Vec::new();
    for (index, seen) in (0..).zip(&together) {
        let alone = replicate(&scenario, index, EVENTS_MAX).unwrap();
        assert_eq!(seen.sojourn, alone.sojourn);
        assert_eq!(seen.errors(), alone.errors());
        for (class, other) in seen.classes.iter().zip(&alone.classes) {
            assert_eq!((class.good, class.sum, &class.time), (other.good, other.sum, &other.time));
        }
        sums.push(seen.sojourn);
    }
    sums.sort_unstable();
    sums.dedup();
    assert_eq!(sums.len(), 12, "each replication draws its own numbers");
    let (first, _) = traced(&scenario).unwrap();
    assert_eq!(first.sojourn, together[0].sojourn, "the first has the scenario's seed");
}

// ---- One knob, everything else as it was. --------------------------------------------

/// What a trace says that was drawn for each request.
#[derive(Default)]
struct Drawn {
    class: BTreeMap<(u64, u64), u32>,
    /// Lengths of its exchanges with the upstream, in order.
    exchanges: BTreeMap<(u64, u64), Vec<Span>>,
    /// Pause between its answer and the same user's next request.
    think: BTreeMap<(u64, u64), Span>,
    sent: BTreeMap<(u64, u64), Instant>,
}

fn drawn(scenario: &Scenario) -> Drawn {
    let (_, trace) = traced(scenario).unwrap();
    assert!(trace.records.len() < RECORDS_MAX);
    let mut drawn = Drawn::default();
    // By task: since when it exchanges, and what it has exchanged.
    let mut since: BTreeMap<u32, Instant> = BTreeMap::new();
    let mut exchanged: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    let mut responding = None;
    let mut settled: BTreeMap<u64, (u64, Instant)> = BTreeMap::new();
    for &(now, record) in &trace.records {
        match record {
            Record::Sent { lane, index, class } => {
                drawn.class.insert((lane, index), class);
                drawn.sent.insert((lane, index), now);
                if let Some((last, at)) = settled.remove(&lane) {
                    drawn.think.insert((lane, last), now - at);
                }
            }
            Record::Step { task, op: Op::Upstream(UpstreamOp::Exchange { .. }), .. } => {
                since.insert(task, now);
            }
            Record::Event(Event::Resume { task, .. }) => {
                if let Some(began) = since.remove(&task) {
                    exchanged.entry(task).or_default().push(now - began);
                }
            }
            Record::Step { task, op: Op::Basic(Basic::Respond), .. } => responding = Some(task),
            Record::Settled { lane, index, .. } => {
                let task = responding.take().expect("no client gives up here");
                drawn.exchanges.insert((lane, index), exchanged.remove(&task).unwrap_or_default());
                settled.insert(lane, (index, now));
            }
            _ => {}
        }
    }
    drawn
}

const KNOBS: &str = r#"
seed = 77

[load]
LOAD
warmup = "0s"
duration = "4s"
timeout = "never"

[service]
concurrency = "async"
spread = "round-robin"

[database]
connections = { kind = "pool" }

[upstream.partner]
latency = { p50 = "20ms", p99 = "90ms" }
failures = "10%"
retries = 2
backoff = "5ms"
max_in_flight = 6

[costs]
query = { default = { engine = { mean = "300us" } } }
cpu = { request = { p50 = "300us", p99 = "1ms" }, call = "100us", statement = "100us" }
disk = { sync = { mean = "200us" } }

[[endpoint]]
name = "page"
weight = 3
steps = [{ read = "page" }]

[[endpoint]]
name = "quote"
weight = 2
steps = [{ read = "item" }, { call = "partner" }]

[[endpoint]]
name = "order"
weight = 1
steps = [{ call = "partner" }, { cpu = { mean = "1ms" } }, { write = "order" }, { call = "partner" }]
"#;

const TURNS: [&str; 12] = [
    "upstream.partner.max_in_flight=1",
    "upstream.partner.max_in_flight=none",
    "service.workers=3",
    "service.concurrency=threadpool",
    "service.concurrency=blocking",
    "service.limit_concurrency=500",
    "database.journal_mode=wal",
    "database.connections.size=1",
    "database.hold=request",
    "database.driver=sync",
    "cpu.cores=4",
    "cpu.speed=4",
];

fn knobs(load: &str, sets: &[String]) -> Scenario {
    load_text("knobs.toml", &KNOBS.replace("LOAD", load), sets).unwrap().scenario
}

#[test]
fn one_knob_leaves_every_other_draw_as_it_was() {
    for source in ["users = 25\nthink_time = { mean = \"30ms\" }", "rate = \"60/s\""] {
        let base = drawn(&knobs(source, &[]));
        for turn in TURNS {
            let turned = drawn(&knobs(source, &[turn.to_string()]));
            same(turn, "classes", 40, &base.class, &turned.class);
            same(turn, "upstream latencies", 40, &base.exchanges, &turned.exchanges);
            if source.starts_with("rate") {
                same(turn, "arrivals", 200, &base.sent, &turned.sent);
            } else {
                same(turn, "think times", 20, &base.think, &turned.think);
            }
        }
    }
}

/// Each request that both runs know has the same value in both, and there are enough.
fn same<V: PartialEq + std::fmt::Debug>(
    turn: &str,
    what: &str,
    least: usize,
    base: &BTreeMap<(u64, u64), V>,
    turned: &BTreeMap<(u64, u64), V>,
) {
    let mut common = 0;
    for (key, value) in base {
        if let Some(other) = turned.get(key) {
            assert_eq!(value, other, "{what} of request {key:?} after {turn}");
            common += 1;
        }
    }
    assert!(common >= least, "{turn}: only {common} requests to compare {what} of");
}

/// A draw is a function of what it is for and whose it is: the plan of each turned scenario
/// has the streams of the base, under the names that the live service's headers use.
#[test]
fn one_knob_leaves_the_streams_of_a_plan_as_they_were() {
    let base = knobs("rate = \"60/s\"", &[]);
    let names = [
        step_purpose("request", "page", "-"),
        step_purpose("read", "page", "0.0"),
        step_purpose("read", "quote", "0.0"),
        step_purpose("latency", "quote", "1"),
        step_purpose("failure", "quote", "1"),
        step_purpose("latency", "order", "0"),
        step_purpose("cpu", "order", "1"),
        step_purpose("write", "order", "2.0"),
        step_purpose("commit", "order", "2"),
        step_purpose("latency", "order", "3"),
    ];
    let plan = Plan::new(&base, base.seed);
    let key = |index| RequestKey { lane: 0, index };
    for turn in TURNS {
        let turned = knobs("rate = \"60/s\"", &[turn.to_string()]);
        let other = Plan::new(&turned, turned.seed);
        for name in &names {
            let purpose = Purpose::new(base.seed, name);
            let of = |plan: &Plan| {
                let draw = plan.draws.iter().find(|draw| draw.purpose == purpose);
                draw.unwrap_or_else(|| panic!("{turn}: no stream {name}")).distribution.clone()
            };
            let cpu = ["request", "read", "cpu", "write"].iter().any(|what| name.starts_with(what));
            if turn.starts_with("cpu.speed") && cpu {
                assert!((of(&plan).mean() / of(&other).mean() - 4.0).abs() < 1e-9, "{name}");
            } else {
                assert_eq!(of(&plan), of(&other), "{turn}: {name}");
            }
        }
        let (mut draws, mut others) = (Draws::new(), Draws::new());
        for index in 0..1000 {
            assert_eq!(
                plan.groups[0].workload.class(&mut draws, key(index)),
                other.groups[0].workload.class(&mut others, key(index)),
            );
        }
    }
}

/// The load that a run sends is the one that any other program draws from the same words.
#[test]
fn the_load_of_a_run_is_the_shared_workload() {
    let scenario = knobs("users = 25\nthink_time = { mean = \"30ms\" }", &[]);
    let plan = Plan::new(&scenario, scenario.seed);
    let drawn = drawn(&scenario);
    let mut draws = Draws::new();
    for (&(lane, index), &class) in &drawn.class {
        let key = RequestKey { lane, index };
        assert_eq!(plan.groups[0].workload.class(&mut draws, key), class as usize);
    }
    for (&(lane, index), &pause) in &drawn.think {
        let key = RequestKey { lane, index };
        assert_eq!(plan.groups[0].workload.think_time(&mut draws, key), pause);
    }
    assert!(drawn.think.len() > 500, "{}", drawn.think.len());
}
