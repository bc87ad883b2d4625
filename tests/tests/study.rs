//! The published ladder and the inversion, as the scenarios predict them.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use model::report::Report;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name)
}

fn report(name: &str, experiment: Experiment) -> Report {
    let resolved = model::read::load(&file(name), &[]).unwrap();
    predict(&resolved, &Effort::default(), experiment, &mut |_| {}).unwrap()
}

fn throughput(name: &str) -> f64 {
    report(name, Experiment::None).throughput.value
}

fn cpu(report: &Report) -> f64 {
    report.stations.iter().find(|station| station.id.to_string() == "cpu").unwrap().utilisation
}

#[test]
fn every_published_figure_is_met_within_three_per_cent() {
    let rungs = model::read::ladder(&file("v5.toml"), &[]).unwrap();
    let mut rates = Vec::new();
    for rung in &rungs {
        let effort = Effort::default();
        let report = predict(&rung.resolved, &effort, Experiment::None, &mut |_| {}).unwrap();
        let published = report.published.unwrap();
        assert!(published.error.abs() < 0.03, "{}: {:+.3}", rung.name, published.error);
        let fitted = ["v1", "v2", "v3"].contains(&rung.name.as_str());
        assert_eq!(published.fitted, fitted, "{}", rung.name);
        rates.push(report.throughput.value);
    }
    assert!((40.0..43.0).contains(&(rates[1] / rates[0])), "{rates:?}");
    assert!(rates[4] < rates[3], "tuning SQLite costs throughput: {rates:?}");
}

#[test]
fn behind_a_slow_upstream_the_cpu_idles_and_the_limit_is_how_many_may_wait() {
    let report = report("v6.toml", Experiment::Path(None));
    assert!(cpu(&report) < 0.4, "the CPU is mostly idle: {}", cpu(&report));
    let first = &report.knobs[0];
    assert_eq!(first.knob, "upstream.partner.max_in_flight");
    assert!(first.gain.low > 0.5, "{:?}", first.gain);
    assert_eq!(report.bottleneck.as_ref().unwrap().knob, first.knob);
    let cpu = report.knobs.iter().find(|knob| knob.knob == "cpu.speed").unwrap();
    assert!(cpu.gain.high < 0.02, "{:?}", cpu.gain);
    // A knob is named by the key that `--set` takes.
    for knob in &report.knobs {
        let set = format!("{}={}", knob.knob, knob.to);
        model::read::load(&file("v6.toml"), &[set]).unwrap();
    }
    assert!(throughput("v6-blocking.toml") < 2.0);
}

#[test]
fn the_thread_pool_wins_at_200_ms_and_loses_at_4_s() {
    let (pool, loops) = (throughput("fastapi-threadpool.toml"), throughput("fastapi-async.toml"));
    assert!(pool > loops, "{pool} against {loops}");
    let (pool, loops) =
        (throughput("fastapi-threadpool-slow.toml"), throughput("fastapi-async-slow.toml"));
    assert!(loops > 5.0 * pool, "{loops} against {pool}");
}
