//! The simulator is a service whose costs are known: those of the profile that it is given.

use std::path::Path;

use model::costs::Costs;
use model::measurement::{MeasuredMemory, Measurement, Process};
use model::report::Report;
use model::scenario::{Concurrency, JournalMode, Synchronous};
use model::statistics::Estimate;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

use super::service::Service;
use super::{calibrated, cost};
use crate::calibrate::document::Calibration;
use crate::calibrate::probe::{COMMITS, Lengths, MODELS, Probe, journal, model, synchronous};
use crate::calibrate::{Target, calibrate, keep, profile};

/// The calibration of a service, and the costs that scenarios find in its profile.
fn written() -> (Calibration, Costs) {
    let calibration = calibrated(&Service::plausible(), 3, |_| 1.0);
    let folder = tempfile::tempdir().expect("a folder");
    let (file, scenario) = (folder.path().join("axum.toml"), folder.path().join("any.toml"));
    keep::write(&file, &profile::toml(&calibration)).expect("it is written");
    let text = "costs = \"axum.toml\"\nload = { users = 1, duration = \"1s\" }\n\
                service = { server = \"axum\", concurrency = \"async\" }\n\
                endpoint = [{ name = \"any\", weight = 1, steps = [] }]\n";
    std::fs::write(&scenario, text).expect("it is written");
    let resolved = model::read::load(Path::new(&scenario), &[]);
    let costs = resolved.unwrap_or_else(|error| panic!("{error}")).scenario.costs;
    (calibration, costs)
}

#[test]
fn scenarios_find_the_costs_in_the_profile() {
    let (calibration, costs) = written();
    // Four digits are written.
    let same = |key: &str, found: f64| {
        let truth = cost(&calibration, key).value;
        assert!((found / truth - 1.0).abs() < 1e-3, "{key}: {found} is {truth}");
    };
    for of in MODELS {
        let cpu = costs.cpu(of);
        let name = |key: &str| format!("cpu.{}.{key}", model(of));
        same(&name("request"), cpu.request.mean());
        same(&name("call"), cpu.call.secs_f64());
        same(&name("statement"), cpu.statement.secs_f64());
        same(&name("open"), cpu.open.secs_f64());
        same(&name("pragma"), cpu.pragma.secs_f64());
        same("cpu.accept", cpu.accept.secs_f64());
        same("cpu.reject", cpu.reject.secs_f64());
        same("cpu.wake_up", cpu.wake_up.secs_f64());
        assert!(cpu.close.is_zero() && cpu.commit.is_zero());
    }
    same("cpu.threadpool.hop", costs.cpu(Concurrency::Threadpool).hop.secs_f64());
    assert!(costs.cpu(Concurrency::Async).hop.is_zero());
    for (mode, level) in COMMITS {
        let key = format!("commit.{}.{}", journal(mode), synchronous(level));
        same(&key, costs.commit(mode, level).secs_f64());
    }
    let commit = |mode, level| costs.commit(mode, level);
    let (truncate, persist) = (JournalMode::Truncate, JournalMode::Persist);
    let (full, extra) = (Synchronous::Full, Synchronous::Extra);
    assert_eq!(commit(persist, full), commit(truncate, full));
    assert_eq!(commit(JournalMode::Wal, extra), commit(JournalMode::Wal, full));
    same("network.client", costs.network.client.secs_f64());
    same("network.upstream", costs.network.upstream.secs_f64());
    same("machine.idle_exit", costs.idle_exit.secs_f64());
    same("disk.sync.p50", costs.disk.sync.quantile(0.5).secs_f64());
    same("disk.sync.p99", costs.disk.sync.quantile(0.99).secs_f64());
    same("disk.unlink", costs.disk.unlink.secs_f64());
    same("memory.worker", costs.memory.worker as f64);
    assert!(!costs.interpreter.lock);
    assert!(profile::is_calibrated(&profile::toml(&calibration)));
}

#[test]
#[ignore = "a gap: since wake-ups count on idle processors only, cpu.threadpool.hop comes out half too high"]
fn what_a_profile_makes_of_the_probes_gives_the_profile() {
    let (truth, costs) = written();
    let mut measure = |probe: Probe, _: u32| -> Result<Report, ()> { Ok(measured(&costs, probe)) };
    let found = calibrate(Target::Axum, 2, &mut measure).expect("it predicts anything");
    for known in &truth.costs {
        // The simulator knows nothing of what a worker does for itself, and of memory only
        // what the profile says.
        if known.key.starts_with('(') || known.key.starts_with("memory.") {
            continue;
        }
        // Two gaps. Closing a log changes how often the loop finds an idle processor, and the
        // difference of the two probes has that in it. A cost per request in flight comes out a
        // third too low: whoever waits for the loop after a pause is not counted.
        if ["cpu.last_close", "cpu.in_flight"].contains(&known.key.as_str()) {
            continue;
        }
        let value = cost(&found, &known.key).value;
        // A loop of a busy service with a thread pool sleeps now and then, and a window cuts
        // requests in two: a microsecond. Few syncs are drawn in a window. Whoever has paused
        // and waits for the loop again is in flight and not seen as such.
        let allowed = match known.key.as_str() {
            key if key.starts_with("disk.") => 0.15 * known.value + 1e-6,
            _ => 0.05 * known.value + 1e-6,
        };
        let off = (value - known.value).abs();
        assert!(off <= allowed, "{}: {value} is {}", known.key, known.value);
    }
}

/// What `live` would say of `probe` if the service were as the simulator has it.
fn measured(costs: &Costs, probe: Probe) -> Report {
    let text = probe.text(&Lengths::default());
    let resolved = model::read::load_text(&probe.file_name(), &text, &[]);
    let mut resolved = resolved.unwrap_or_else(|error| panic!("{error}"));
    resolved.scenario.costs = costs.clone();
    let effort = Effort { replications: 2, precision: None, ..Effort::default() };
    let predicted = predict(&resolved, &effort, Experiment::None, &mut |_| ());
    let mut report = predicted.unwrap_or_else(|error| panic!("{probe}: {error}"));
    let cpu = report.stations.iter().find(|station| station.name == "cpu");
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
