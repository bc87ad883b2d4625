//! Recorded arrivals: each request at its own instant, at the endpoint that was recorded.

use model::stream::lanes_of_group;
use model::units::Span;

use crate::stage::{Run, run_with};

const SHOP: &str = r#"
    costs = {}
    service.concurrency = "async"
    [load]
    warmup = "100ms"
    trace = """
        time,endpoint
        0,list
        0.0125,buy
        0.0125
        0.150000001,list
        0.4,buy
        0.4,buy
        2.25,list
    """
    [[endpoint]]
    name = "list"
    weight = 1
    steps = [{ sleep = "30ms" }]
    [[endpoint]]
    name = "buy"
    weight = 0
    steps = [{ sleep = "100ms" }]
"#;

const AT: [u64; 7] =
    [0, 12_500_000, 12_500_000, 150_000_001, 400_000_000, 400_000_000, 2_250_000_000];

fn sent(run: &Run) -> Vec<u64> {
    run.sent().iter().map(|at| at.nanos()).collect()
}

#[test]
fn each_request_comes_when_it_was_recorded() {
    let run = run_with(SHOP, &[], &[]);
    assert_eq!(sent(&run), AT);
    let mut called: Vec<(u64, String)> =
        run.outcomes().into_iter().map(|outcome| (outcome.index, outcome.endpoint)).collect();
    called.sort();
    let names: Vec<&str> = called.iter().map(|(_, name)| name.as_str()).collect();
    // The third does not say what it calls: the weights do.
    assert_eq!(names, ["list", "buy", "list", "list", "buy", "buy", "list"]);
    // The run ends with the second of the last arrival, and counts what comes after the warm-up.
    assert_eq!(run.seen.window, Span::from_millis(2_900));
    assert_eq!(run.seen.sent, 4);
}

#[test]
fn another_seed_brings_the_same_arrivals() {
    assert_eq!(sent(&run_with(SHOP, &[], &["seed=9"])), AT);
}

#[test]
fn a_shorter_run_cuts_the_trace_and_a_longer_one_goes_on_without_arrivals() {
    assert_eq!(sent(&run_with(SHOP, &[], &["load.duration=300ms"])), AT[..4]);
    let long = run_with(SHOP, &[], &["load.duration=60s"]);
    assert_eq!((sent(&long).len(), long.seen.window), (7, Span::from_secs(60)));
}

#[test]
fn an_arrival_beyond_the_cap_is_dropped() {
    let run = run_with(SHOP, &[], &["load.max_users=1"]);
    // One is under way at 12.5 ms, and one of the two at 400 ms.
    assert_eq!(sent(&run), [0, 150_000_001, 400_000_000, 2_250_000_000]);
    assert_eq!(run.seen.dropped, 1, "the warm-up does not count");
}

#[test]
fn a_recorded_load_is_one_of_several() {
    let (head, tail) = SHOP.split_once("[[endpoint]]").unwrap();
    let (load, trace) = head.split_once("trace =").unwrap();
    let text = format!(
        "{load}duration = \"1s\"\n[[load.group]]\nname = \"recorded\"\ntrace ={trace}\
         [[load.group]]\nname = \"page\"\nusers = 1\n[[endpoint]]{tail}"
    );
    let run = run_with(&text, &[], &[]);
    let mut recorded: Vec<(u64, u64)> = run
        .outcomes()
        .iter()
        .filter(|outcome| outcome.lane == lanes_of_group("recorded"))
        .map(|outcome| (outcome.index, outcome.sent.nanos()))
        .collect();
    recorded.sort_unstable();
    assert_eq!(recorded, (0..).zip(AT).take(6).collect::<Vec<_>>());
    assert_eq!(run.seen.groups[0].sent, 3);
}
