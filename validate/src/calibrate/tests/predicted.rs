//! The simulator is a service whose costs are known: those of the profile that it is given.

use std::path::Path;

use model::costs::{Costs, Work};
use model::measurement::{MeasuredMemory, Measurement, Process};
use model::report::Report;
use model::scenario::{Concurrency, JournalMode, Server, Synchronous};
use model::statistics::Estimate;
use model::units::Span;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

use super::service::{Service, hops};
use super::{BOTH, calibrated, cost};
use crate::calibrate::cache::{KINDS, kind};
use crate::calibrate::document::Calibration;
use crate::calibrate::probe::{Lengths, Probe};
use crate::calibrate::stack::{self, shared_probes};
use crate::calibrate::walk::calibrate;
use crate::calibrate::{profile, profile_file};
use crate::measure::platform::Platform;
use crate::measure::predict::overlay;
use live::stack::Target;
use shared_probes::{MODELS, commits};

/// The calibration of a service, and the costs that scenarios find in its profile.
fn written(target: Target) -> (Calibration, Costs) {
    let calibration = calibrated(&Service::plausible(target), 3, |_| 1.0);
    let folder = tempfile::tempdir().expect("a folder");
    let (file, scenario) = (folder.path().join("axum.toml"), folder.path().join("any.toml"));
    profile_file::write(&file, &profile::toml(&calibration)).expect("it is written");
    let server = match target {
        Target::Axum => "axum",
        Target::Fastapi | Target::Own => "gunicorn",
    };
    let text = format!(
        "costs = \"axum.toml\"\nload = {{ users = 1, duration = \"1s\" }}\n\
         service = {{ server = \"{server}\", concurrency = \"async\" }}\n\
         endpoint = [{{ name = \"any\", weight = 1, steps = [] }}]\n"
    );
    std::fs::write(&scenario, text).expect("it is written");
    let resolved = model::read::load(Path::new(&scenario), &[]);
    let costs = resolved.unwrap_or_else(|error| panic!("{error}")).scenario.costs;
    (calibration, costs)
}

#[test]
fn scenarios_find_the_costs_in_the_profile() {
    BOTH.into_iter().for_each(costs_are_found);
}

fn costs_are_found(target: Target) {
    let (calibration, costs) = written(target);
    // Four digits are written.
    let same = |key: &str, found: f64| {
        let truth = cost(&calibration, key).value;
        assert!((found / truth - 1.0).abs() < 1e-3, "{key}: {found} is {truth}");
    };
    for of in MODELS {
        let cpu = costs.cpu(of);
        let name = |key: &str| format!("cpu.{}.{key}", of.as_str());
        same(&name("request"), cpu.request.mean());
        same(&name("call"), cpu.call.secs_f64());
        same(&name("statement"), cpu.statement.secs_f64());
        same(&name("open"), cpu.open.secs_f64());
        same(&name("pragma"), cpu.pragma.secs_f64());
        same("cpu.accept", cpu.accept.secs_f64());
        same("cpu.reject", cpu.reject.secs_f64());
        same("cpu.log_open", cpu.log_open.secs_f64());
        same("cpu.last_close", cpu.last_close.secs_f64());
        assert!(cpu.close.is_zero() && cpu.commit.is_zero());
    }
    same("cpu.threadpool.hop", costs.cpu(Concurrency::Threadpool).hop.secs_f64());
    match target {
        Target::Axum => assert!(costs.cpu(Concurrency::Async).hop.is_zero()),
        Target::Fastapi | Target::Own => {
            same("cpu.hang_up", costs.cpu(Concurrency::Async).hang_up.secs_f64());
            same("cpu.look", costs.cpu(Concurrency::Async).look.secs_f64());
            same("cpu.glance", costs.cpu(Concurrency::Async).glance.secs_f64());
            same("cpu.async.miss", costs.cpu(Concurrency::Async).miss.secs_f64());
            let crowded = costs.cpu(Concurrency::Async).crowded_open;
            same("cpu.async.crowded_open", crowded.secs_f64());
            assert!(costs.cpu(Concurrency::Threadpool).crowded_open.is_zero());
            assert_eq!(costs.cache.crowd, 90.0);
            assert_eq!((costs.client.kept, costs.client.locks), (Some(20), 2));
            same("cpu.async.hop", costs.cpu(Concurrency::Async).hop.secs_f64());
            same("server.uvicorn.request", costs.server_request(Server::Uvicorn).secs_f64());
            assert!(costs.server_request(Server::Gunicorn).is_zero());
            assert_eq!(costs.cpu_scale(Server::Gunicorn), 1.0);
        }
    }
    let hops = hops(target);
    let driver = &costs.driver;
    assert_eq!((driver.statement_hops, driver.commit_hops), (hops.statement, hops.commit));
    assert_eq!((driver.fetch_hops, driver.finish_hops), (hops.fetch, hops.finish));
    assert_eq!((driver.rollback_hops, driver.release_hops), (hops.rollback, hops.release));
    assert_eq!((driver.open_hops, driver.close_hops), (hops.open, hops.close));
    assert_eq!(driver.autocommit, target == Target::Axum);
    for (mode, level) in commits() {
        let key = format!("commit.{}.{}", mode.as_str(), level.as_str());
        same(&key, costs.commit(mode, level).secs_f64());
    }
    let commit = |mode, level| costs.commit(mode, level);
    let (truncate, persist) = (JournalMode::Truncate, JournalMode::Persist);
    let (full, extra) = (Synchronous::Full, Synchronous::Extra);
    assert_eq!(commit(persist, full), commit(truncate, full));
    assert_eq!(commit(JournalMode::Wal, extra), commit(JournalMode::Wal, full));
    for (of, work) in MODELS.into_iter().flat_map(|of| KINDS.map(|work| (of, work))) {
        let key = match target {
            Target::Axum => format!("cache.{}", kind(work)),
            Target::Fastapi | Target::Own => format!("cache.{}.{}", of.as_str(), kind(work)),
        };
        same(&key, costs.cache.cold(of, work).secs_f64());
        same("cache.commit", costs.cache.cold(of, Work::Commit).secs_f64());
    }
    same("cache.decay", costs.cache.decay.secs_f64());
    let shape = if target == Target::Axum { 1.0 } else { 1.5 };
    assert_eq!(costs.cache.shape, shape);
    same("network.client", costs.network.client.secs_f64());
    same("network.upstream", costs.network.upstream.secs_f64());
    same("machine.idle_exit", costs.machine.idle_exit.secs_f64());
    same("disk.sync.p50", costs.disk.sync.quantile(0.5).secs_f64());
    same("disk.sync.p99", costs.disk.sync.quantile(0.99).secs_f64());
    same("disk.unlink", costs.disk.unlink.secs_f64());
    same("memory.worker", costs.memory.worker as f64);
    assert_eq!(costs.interpreter.lock, target == Target::Fastapi);
    assert!(profile::is_calibrated(&profile::toml(&calibration)));
}

#[test]
fn probes_that_are_predicted_from_a_profile_give_the_profile() {
    BOTH.into_iter().for_each(comes_full_circle);
}

fn comes_full_circle(target: Target) {
    let (truth, costs) = written(target);
    let platform = Platform { target, costs, turns: None };
    let mut measure =
        |probe: &Probe, _: u32| -> Result<Report, ()> { Ok(measured(&platform, probe)) };
    let found = calibrate(&stack::of(target), 2, &mut measure).expect("it predicts anything");
    let mut wrong = Vec::new();
    let cold = |work| platform.costs.cache.cold(Concurrency::Async, work).secs_f64();
    let cold_call = cold(Work::Request) + cold(Work::Call);
    for known in &truth.costs {
        // The simulator knows of memory only what the profile says.
        if known.key.starts_with("memory.") {
            continue;
        }
        // A gap. A cost per request in flight comes out a third too low: requests that
        // wait for the loop after a pause are not counted.
        if known.key == "cpu.in_flight" {
            continue;
        }
        let value = cost(&found, &known.key).value;
        // A loop of a busy service with a thread pool sleeps now and then, and a window cuts
        // requests in two: a microsecond. Few syncs are drawn in a window. Requests that
        // have paused and wait for the loop again are in flight, and not counted as such.
        let allowed = match known.key.as_str() {
            "cpu.glance" => 0.05 * known.value,
            key if key.starts_with("disk.") => 0.15 * known.value + 1e-6,
            // A gap. The calls of a crowd come in bursts, which lose a little more than as many
            // at even times, for which they are taken.
            key if key.ends_with(".connect") => 0.05 * known.value + 1e-6 + 0.025 * cold_call,
            _ => 0.05 * known.value + 1e-6,
        };
        let off = (value - known.value).abs();
        if off > allowed {
            wrong.push(format!("{}: {value} is {}", known.key, known.value));
        }
    }
    assert!(wrong.is_empty(), "{target:?}:\n{}", wrong.join("\n"));
}

/// The report that `live` would give on `probe` if the service were as the simulator has it.
fn measured(platform: &Platform, probe: &Probe) -> Report {
    // Where threads take turns all users answer together: a window has one such batch more or
    // less, of which a long one has more.
    let lengths = Lengths { duration: Span::from_secs(15), ..Lengths::default() };
    let text = probe.text(stack::of(platform.target).lock, &lengths);
    let resolved = model::read::load_text(&probe.file_name(), &text, &[]);
    let mut resolved = resolved.unwrap_or_else(|error| panic!("{error}"));
    overlay(&mut resolved, platform);
    let effort = Effort { replications: 2, precision: None, ..Effort::default() };
    let predicted = predict(&resolved, &effort, Experiment::None, &mut |_| ());
    let mut report = predicted.unwrap_or_else(|error| panic!("{probe}: {error}"));
    let cpu = report.stations.iter().find(|station| station.id.to_string() == "cpu");
    let cpu = cpu.map_or(0.0, |cpu| cpu.utilisation) * report.run.duration;
    report.run.samples /= u64::from(report.run.replications);
    report.throughput = Estimate::exact(0.0);
    report.measurement = Some(Measurement {
        processes: vec![Process { name: "worker 0".into(), cpu, ..Process::default() }],
        memory: MeasuredMemory { idle: 1, per_request: Some(1.0), ..MeasuredMemory::default() },
        ..Measurement::default()
    });
    report
}
