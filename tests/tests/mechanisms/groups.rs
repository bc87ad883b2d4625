//! Several loads at once: each has its own requests, and what the load says of its users.

use model::stream::lanes_of_group;
use model::units::Span;
use sim::observe::ErrorKind;

use crate::stage::{Outcome, Run, run_with};

/// A page whose users think, beside a probe at a fixed rate.
const PAGE: &str = r#"
    costs = {}
    service.concurrency = "async"
    [load]
    duration = "10s"
    [[load.group]]
    name = "page"
    users = 5
    think_time = { mean = "300ms" }
    [[endpoint]]
    name = "list"
    weight = 3
    steps = [{ sleep = { mean = "50ms" } }]
    [[endpoint]]
    name = "item"
    weight = 1
    steps = [{ sleep = { mean = "10ms" } }]
    [[endpoint]]
    name = "health"
    weight = 0
    steps = [{ sleep = "1ms" }]
"#;

const PROBE: &str = r#"
    [[load.group]]
    name = "probe"
    rate = "10/s"
    spacing = "even"
    mix = [{ endpoint = "health" }]
"#;

fn of(run: &Run, group: &str) -> Vec<Outcome> {
    let first = lanes_of_group(group);
    let own = |outcome: &Outcome| outcome.lane >= first && outcome.lane < first + (1 << 24);
    run.outcomes().into_iter().filter(own).collect()
}

fn told(outcomes: &[Outcome]) -> Vec<(u64, Span, Span, String)> {
    let one = |o: &Outcome| (o.lane, o.sent, o.settled, o.endpoint.to_string());
    outcomes.iter().map(one).collect()
}

#[test]
fn one_more_load_changes_no_draw_of_another() {
    let alone = run_with(PAGE, &[], &[]);
    let beside = run_with(&format!("{PAGE}{PROBE}"), &[], &[]);
    let (before, after) = (told(&of(&alone, "page")), told(&of(&beside, "page")));
    assert!(before.len() > 100);
    // Nothing queues here: the same requests at the same instants.
    assert_eq!(before, after);
    assert!(alone.seen.groups.is_empty(), "one group is the whole");
    assert_eq!(beside.seen.groups[0].answers.good, before.len() as u64);
}

#[test]
fn a_load_calls_what_its_mix_says() {
    let run = run_with(&format!("{PAGE}{PROBE}"), &[], &[]);
    let probes = of(&run, "probe");
    let at: Vec<Span> = probes.iter().map(|outcome| outcome.sent).collect();
    assert_eq!(at, (0..100).map(|i| Span::from_millis(100 * i)).collect::<Vec<_>>());
    assert!(probes.iter().all(|outcome| outcome.endpoint == "health"));
    assert!(of(&run, "page").iter().all(|outcome| outcome.endpoint != "health"));
    assert_eq!((run.seen.groups[1].sent, run.seen.groups[1].answers.good), (100, 100));
}

#[test]
fn each_load_has_its_own_patience_and_its_own_cap() {
    let text = format!("{PAGE}{PROBE}");
    let sets = [
        "load.timeout=20s",
        "load.group.probe.timeout=150ms",
        "load.group.probe.max_users=1",
        "endpoint.health.steps=[{ sleep = \"1s\" }]",
        "endpoint.list.steps=[{ sleep = \"1s\" }]",
    ];
    let run = run_with(&text, &[], &sets);
    let [page, probe] = &run.seen.groups[..] else { panic!("two loads") };
    // A probe gives up after 150 ms; every second arrival finds the one user busy.
    assert_eq!((probe.sent, probe.dropped), (50, 50));
    assert_eq!(probe.answers.errors[ErrorKind::Timeout as usize], 50);
    assert_eq!(page.answers.errors[ErrorKind::Timeout as usize], 0);
    assert!(page.answers.good > 0);
    assert_eq!(run.seen.dropped, 50);
}

#[test]
fn each_load_keeps_its_connections_or_not() {
    let text = format!("{PAGE}{PROBE}");
    let kept = run_with(&text, &[], &[]);
    let apart = run_with(&text, &[], &["load.group[1].keep_alive=false"]);
    let opened = |run: &Run| run.seen.event_loop.connections.entries();
    assert_eq!(opened(&kept), 6);
    assert_eq!(opened(&apart), 5 + 100);
}
