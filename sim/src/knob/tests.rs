use model::read::{Resolved, load_text};
use model::report::{KnobKind, Report};

use super::Goal;
use crate::predict::{Experiment, predict};
use crate::replicate::Effort;

fn resolved(text: &str) -> Resolved {
    load_text("shop", text, &[]).expect("a valid scenario")
}

fn explained(text: &str) -> Report {
    let effort = Effort { precision: None, ..Effort::default() };
    predict(&resolved(text), &effort, Experiment::Path(None), &mut |_| {}).expect("an end")
}

/// Users of so many threads and four connections, each held for 100 ms by each request.
fn pooled(users: u32, threads: u32) -> Report {
    explained(&format!(
        r#"
        load = {{ users = {users}, warmup = "2s", duration = "20s" }}
        service = {{ concurrency = "threadpool", threads = {threads} }}
        [database]
        engine = "postgres"
        round_trip = "100ms"
        connections = {{ kind = "pool", size = 4, overflow = 0 }}
        [[endpoint]]
        name = "item"
        weight = 1
        steps = [{{ read = "item" }}]
        [costs]
        query.default.engine = "1us"
        "#
    ))
}

#[test]
fn a_goal_is_written_as_it_is_read() {
    for goal in ["throughput", "errors", "p99", "mean", "endpoint:a.b.p95"] {
        assert_eq!(goal.parse::<Goal>().map(|goal| goal.to_string()), Ok(goal.to_string()));
    }
    for wrong in ["speed", "endpoint:health", "endpoint:health.p98", ""] {
        let why = wrong.parse::<Goal>().expect_err("no goal");
        assert!(why.contains("endpoint:health.p99"), "{why}");
    }
}

/// An objective that is broken is what is wrong, whatever else could be better.
#[test]
fn a_change_is_judged_by_the_objective_that_is_missed_by_most() {
    let judged = |keep: &str| {
        let text = format!(
            r#"
            load = {{ users = 20, warmup = "2s", duration = "20s" }}
            service = {{ concurrency = "threadpool", threads = 1 }}
            costs.cpu.request = "1ms"
            upstream.partner.latency = "20ms"
            endpoint = [
                {{ name = "list", weight = 3, steps = [{{ cpu = "1ms" }}] }},
                {{ name = "quote", weight = 1, steps = [{{ call = "partner" }}] }},
            ]
            [[objective]]
            keep = "{keep}"
            "#
        );
        let report = explained(&text);
        let bottleneck = report.bottleneck.expect("something to change");
        (bottleneck.goal, bottleneck.sentence)
    };
    // One thread is full: without an objective that is about throughput.
    assert_eq!(judged("memory < 4GiB").0, "throughput");
    assert_eq!(judged("p99 < 1h").0, "throughput");
    let (goal, sentence) = judged("endpoint:list.p99.9 < 50ms");
    assert_eq!(goal, "endpoint:list.p999");
    // How much is asked for stands beside what the change brings.
    let asks = sentence.split_once(" with 20 users; `endpoint:list.p99.9 < 50ms` needs ");
    let (_, share) = asks.unwrap_or_else(|| panic!("{sentence}"));
    let share: f64 =
        share.trim_end_matches(" % off.").parse().unwrap_or_else(|_| panic!("{sentence}"));
    assert!((10.0..95.0).contains(&share), "{sentence}");
    let (goal, sentence) = judged("throughput > 10000/s");
    assert!(goal == "throughput" && sentence.contains("needs +"), "{sentence}");
}

/// A handler blocks its loop for longer than the supervisor waits. A longer timeout lets it finish, and
/// all others wait meanwhile: it belongs on a thread.
#[test]
fn a_worker_that_is_killed_has_its_blocking_step_moved_first() {
    let report = explained(
        r#"
        load = { users = 4, think_time = "1s", warmup = "10s", duration = "120s" }
        service = { server = "gunicorn", concurrency = "async", worker_timeout = "3s" }
        costs.interpreter.lock = true
        endpoint = [
            { name = "page", weight = 9, steps = [{ cpu = "1ms" }] },
            { name = "report", weight = 1, steps = [{ block = "5s" }] },
        ]
        "#,
    );
    let bottleneck = report.bottleneck.as_ref().expect("something to say");
    assert!(bottleneck.knob.ends_with("concurrency"), "{}", bottleneck.sentence);
}

/// Four threads and four connections, each held for 100 ms by each request: more of one waits for
/// the other. Both together give twice as much, as two worker processes would.
#[test]
fn two_limits_of_the_same_width_are_widened_together() {
    let report = pooled(50, 4);
    let single = |key: &str| {
        let knob = report.knobs.iter().find(|knob| knob.knob == key);
        knob.map(|knob| knob.gain.value)
    };
    assert!(single("service.threads").is_some_and(|gain| gain.abs() < 0.01));
    let bottleneck = report.bottleneck.clone().expect("a pair");
    let mut keys: Vec<&str> = bottleneck.knob.split(" + ").collect();
    keys.sort_unstable();
    assert_eq!(keys, ["database.connections.size", "service.threads"]);
    assert!((bottleneck.gain - 1.0).abs() < 0.02, "{}", bottleneck.gain);
    assert_eq!(bottleneck.kind, Some(KnobKind::Setting));
}

/// Three runs of a few seconds cannot tell a gain of a few per cent from chance.
#[test]
fn what_may_be_chance_is_not_called_nothing() {
    let report = explained(
        r#"
        load = { rate = "9.5/s", warmup = "1s", duration = "4s" }
        service.concurrency = "async"
        [[endpoint]]
        name = "item"
        weight = 1
        steps = [{ cpu = { mean = "100ms" } }]
        [costs]
        "#,
    );
    let sentence = report.bottleneck.expect("a sentence").sentence;
    let sure = sentence.contains("cpu.speed");
    assert!(sure || sentence.starts_with("Not sure"), "{sentence}");
}

/// Doubling the pool twice is one move of a path.
#[test]
fn a_path_follows_from_limit_to_limit() {
    let report = pooled(100, 16);
    let path = report.bottleneck.expect("a path").path;
    let first = &path[0].changes[0];
    assert_eq!((first.key.as_str(), first.from.as_str()), ("database.connections.size", "4"));
    assert_eq!(first.to, "16");
    assert!((path[0].improvement.value - 3.0).abs() < 0.1, "{:?}", path[0].improvement);
    assert!(path.len() <= 5);
}

#[test]
fn requests_into_closed_connections_end_with_a_line_of_configuration() {
    let report = explained(
        r#"
        costs.network.client = "200ms"
        load = { users = 40, think_time = { mean = "5s" }, duration = "200s",
                 keep_alive_timeout = "60s" }
        service.concurrency = "async"
        endpoint = [{ name = "page", weight = 1, steps = [{ cpu = "1ms" }] }]
        "#,
    );
    let bottleneck = report.bottleneck.expect("errors to be rid of");
    let first = &bottleneck.path[0];
    assert_eq!(bottleneck.goal, "errors");
    assert_eq!(first.changes[0].key, "service.keep_alive");
    assert_eq!(first.how.as_deref(), Some("`--timeout-keep-alive 75`"));
    assert_eq!(first.error_share, 0.0);
}
