//! Services of people, with what should be changed in them and what that gives.
//!
//! Where a right value comes from arithmetic or a measurement, the file says so.

#![allow(clippy::unwrap_used)]

use model::read::{Resolved, load};
use model::report::{KnobKind, Report};
use sim::knob::Goal;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

fn case(name: &str, sets: &[&str]) -> Resolved {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    load(format!("cases/{name}.toml").as_ref(), &sets).unwrap_or_else(|why| panic!("{why}"))
}

fn advised(resolved: &Resolved, experiment: Experiment) -> Report {
    let effort = Effort { precision: Some(0.02), ..Effort::default() };
    predict(resolved, &effort, experiment, &mut |_| {}).unwrap()
}

/// What `sim explain` says; what `sim scenario` says is the beginning of it.
fn explained(name: &str, sets: &[&str]) -> Report {
    let resolved = case(name, sets);
    let explained = advised(&resolved, Experiment::Path(None));
    let mut first = explained.bottleneck.clone().expect("something to say");
    first.path.clear();
    let scenario = advised(&resolved, Experiment::First(None));
    assert_eq!(scenario.bottleneck, Some(first), "both commands say the same");
    let names = |report: &Report| -> Vec<String> {
        report.knobs.iter().map(|knob| knob.knob.clone()).collect()
    };
    assert_eq!(names(&scenario), names(&explained));
    explained
}

/// The first change: its key, its new value, and the throughput with it.
fn first(report: &Report) -> (&str, &str, f64) {
    let bottleneck = report.bottleneck.as_ref().expect("a bottleneck");
    let knob = report.knobs.iter().find(|knob| knob.knob == bottleneck.knob);
    let knob = knob.unwrap_or_else(|| panic!("no knob: {}", bottleneck.sentence));
    (&knob.knob, &knob.to, knob.throughput)
}

fn near(value: f64, right: f64, share: f64) -> bool {
    (value / right - 1.0).abs() < share
}

/// 40 threads that each wait 6 s serve 6.67/s, and 7.1/s come.
#[test]
fn too_few_threads_are_named_by_both_commands() {
    for rate in ["7.1/s", "8/s"] {
        let report = explained("scenario-vs-explain", &[&format!("load.rate={rate}")]);
        let (key, to, throughput) = first(&report);
        assert_eq!((key, to), ("service.threads", "80"));
        let come: f64 = rate.trim_end_matches("/s").parse().unwrap();
        assert!(near(throughput, come, 0.04), "{throughput}");
    }
}

/// Twenty users that wait 200 ms on a thread of their own: 20 / 200 ms, a little less with the CPU.
#[test]
fn a_blocking_call_on_the_loop_belongs_on_a_thread() {
    let report = explained("blocking-in-async", &[]);
    let (key, to, throughput) = first(&report);
    assert_eq!((key, to), ("service.concurrency", "threadpool"));
    assert!(near(throughput, 100.0, 0.02), "{throughput}");
    let how = report.bottleneck.and_then(|bottleneck| bottleneck.how);
    assert_eq!(how.as_deref(), Some("plain `def`, which runs on a thread"));
}

/// Locked errors of deferred transactions that read first: with BEGIN IMMEDIATE there are none.
#[test]
fn locked_errors_are_traced_to_how_transactions_begin() {
    let report = explained("begin-immediate", &[]);
    assert!(report.error_share > 0.05);
    let bottleneck = report.bottleneck.clone().unwrap();
    assert_eq!(bottleneck.goal, "errors");
    let (key, to, throughput) = first(&report);
    assert_eq!((key, to), ("endpoint.reserve.steps[0].begin", "immediate"));
    assert!(near(throughput, 48.1, 0.02), "{throughput}");
    let last = bottleneck.path.last().unwrap();
    assert_eq!(last.error_share, 0.0);
}

/// The connection is in use all the time, the processors for a fifth.
#[test]
fn a_line_of_configuration_comes_before_processes_and_hardware() {
    let report = explained("pool-of-one", &[]);
    let (key, to, throughput) = first(&report);
    assert_eq!((key, to), ("database.connections.size", "2"));
    assert!(near(throughput, 706.0, 0.02), "{throughput}");
    let kinds: Vec<KnobKind> = report.knobs.iter().take(3).map(|knob| knob.kind).collect();
    assert_eq!(kinds, [KnobKind::Setting, KnobKind::Setting, KnobKind::Hardware]);
}

/// Ten workers that each block one second serve ten a second, if the users are spread over them.
#[test]
fn an_uneven_spread_over_workers_is_a_knob() {
    let report = explained("spread", &[]);
    let spread = report.knobs.iter().find(|knob| knob.knob == "service.spread").unwrap();
    assert!(near(spread.throughput, 10.0, 0.01), "{}", spread.throughput);
    assert_eq!(spread.kind, KnobKind::Setting);
    let workers = &report.workers;
    assert_eq!(workers.len(), 10);
    assert!(workers[0].connections > 40.0, "one worker has accepted nearly all: {workers:?}");
    assert!(workers[5..].iter().all(|worker| worker.answers == 0.0), "{workers:?}");
    let answers: f64 = workers.iter().map(|worker| worker.answers).sum();
    assert!((answers - 1.0).abs() < 1e-6, "{answers}");
    let even = advised(&case("spread", &["service.spread=round-robin"]), Experiment::None);
    assert!(even.workers.iter().all(|worker| near(worker.answers, 0.1, 0.01)), "{even:?}");
    // Handlers that block belong on threads: that gives more, and comes first.
    let (key, _, throughput) = first(&report);
    assert!(key == "service.concurrency" && throughput > 40.0, "{key} {throughput}");
}

/// `health` waits for a thread that it does not need.
#[test]
fn one_endpoint_may_be_the_goal() {
    let resolved = case("health-probe", &[]);
    let goal: Goal = "endpoint:health.p99".parse().unwrap();
    let report = advised(&resolved, Experiment::Path(Some(goal)));
    let bottleneck = report.bottleneck.clone().unwrap();
    assert_eq!(bottleneck.knob, "endpoint.health.concurrency");
    let changed = case("health-probe", &["endpoint.health.concurrency=async"]);
    let changed = advised(&changed, Experiment::None);
    let health = changed.classes.iter().find(|class| class.name == "health").unwrap();
    assert!(health.response_time.mean < 0.003, "{}", health.response_time.mean);
    let other = |report: &Report| report.classes[0].response_time.mean;
    assert!(near(other(&changed), other(&report), 0.02), "the other endpoint is as before");
}

/// Two processors of the database server are full; no setting mends that, and two more do.
#[test]
fn hardware_is_named_where_no_setting_helps() {
    let report = explained("database-server-full", &[]);
    let (key, to, _) = first(&report);
    assert_eq!((key, to), ("database.cores", "4"));
    let bottleneck = report.bottleneck.unwrap();
    assert_eq!(bottleneck.kind, Some(KnobKind::Hardware));
    let after = bottleneck.path[0].response_time / report.response_time.mean;
    assert!(after < 0.1, "{after}");
}

/// httpx goes through all connections for each waiting call. Measured with httpx 0.28.1 by itself: 50
/// tasks at 100 connections make most calls, 200 at 100 by far the fewest, 400 at 100 fewer still. How
/// many each makes is not what this tests: docs/decisions/http-clients.md has the figures.
#[test]
fn a_long_queue_for_the_connections_of_httpx_costs_cpu() {
    let calls = |users: u32, connections: &str| {
        let users = format!("load.users={users}");
        let connections = format!("upstream.partner.max_connections={connections}");
        let resolved = case("httpx-queue", &[&users, &connections]);
        advised(&resolved, Experiment::None).throughput.value
    };
    let best = calls(50, "100");
    let (crowded, deeper) = (calls(200, "100"), calls(400, "100"));
    for other in [calls(200, "none"), calls(200, "20")] {
        assert!(crowded < other && other < best, "{crowded} {other} {best}");
    }
    assert!(crowded < best / 2.0 && deeper < crowded, "{deeper} {crowded} {best}");
}

/// Requests that hold a connection wait for a thread, and those that hold the threads for a
/// connection. The share that fails is chance in reality: it is held to the range that was measured.
#[test]
fn a_burst_on_the_thread_pool_stands_still_until_connections_are_given_up() {
    let errors = |sets: &[&str]| {
        let report = advised(&case("threadpool-standstill", sets), Experiment::None);
        let runs = f64::from(report.run.replications);
        assert!(runs > 0.0);
        (report.errors.get("pool_timeout").copied().unwrap_or(0.0), report)
    };
    for timeout in ["10s", "4s"] {
        let (failed, report) = errors(&[&format!("database.connections.timeout={timeout}")]);
        assert!((40.0..=70.0).contains(&failed), "{failed} of 100 with a patience of {timeout}");
        let standstill = report.standstill.expect("it is named");
        assert_eq!(standstill.ended_by.as_deref(), Some("database.connections.timeout"));
    }
    let (failed, report) = errors(&["load.users=300"]);
    assert!((80.0..=198.0).contains(&failed), "{failed} of 300");
    assert!(report.errors.get("timeout").is_some_and(|gave_up| *gave_up > 50.0));
    let mended = ["service.response_model=false", "database.hold=handler", "load.users=30"];
    for set in mended {
        let (failed, report) = errors(&[set]);
        assert!(failed == 0.0 && report.standstill.is_none(), "{set}: {failed}");
        assert!(report.response_time.max < 0.5, "{set}: {}", report.response_time.max);
    }
}

/// What the path says is what the scenario gives with all its changes made.
#[test]
fn the_last_step_of_a_path_is_what_its_changes_give() {
    for name in ["scenario-vs-explain", "pool-of-one", "health-probe", "begin-immediate"] {
        let report = explained(name, &[]);
        let path = report.bottleneck.unwrap().path;
        let sets: Vec<String> = (path.iter().flat_map(|step| &step.changes))
            .map(|change| format!("{}={}", change.key, change.to))
            .collect();
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let changed = advised(&case(name, &sets), Experiment::None);
        let told = path.last().unwrap().throughput;
        assert!(
            near(told, changed.throughput.value, 0.03),
            "{name}: {told} {:?}",
            changed.throughput
        );
        assert!(told >= report.throughput.value, "{name}");
    }
}
