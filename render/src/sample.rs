//! A small measured report, made by hand, for tests.

use std::collections::BTreeMap;

use model::report::{
    Arrivals, Class, InFlight, Kind, Memory, PublishedFigure, Report, ResponseTime, Run, SCHEMA,
};
use model::statistics::Estimate;

/// A measured report: five runs, one endpoint, no stations.
pub(crate) fn measured(scenario: &str, throughput: f64) -> Report {
    let rate = Estimate { value: throughput, low: throughput - 0.5, high: throughput + 0.5 };
    let response_time =
        ResponseTime { mean: 0.26, p50: 0.21, p90: 0.4, p95: 0.55, p99: 0.9, p999: 1.2, max: 1.6 };
    let mean = Estimate { value: 0.26, low: 0.25, high: 0.27 };
    let errors = BTreeMap::from([("timeout".to_string(), 3.0)]);
    Report {
        schema: SCHEMA,
        kind: Kind::Measured,
        scenario: scenario.to_string(),
        question: None,
        seed: 1,
        digest: "0".into(),
        run: Run {
            replications: 5,
            confidence: 0.95,
            warmup: 5.0,
            duration: 60.0,
            samples: 12_000,
        },
        throughput: rate,
        response_time,
        response_time_intervals: BTreeMap::from([("mean".to_string(), mean)]),
        errors: errors.clone(),
        error_share: 0.00125,
        in_flight: InFlight { mean: Estimate::exact(10.4), peak: 20 },
        arrivals: Arrivals { sent: 2403.0, dropped: 0.0, rate: 40.05 },
        retries: None,
        recovery: None,
        classes: vec![Class {
            name: "cart".into(),
            throughput: rate,
            response_time,
            errors,
            time: Vec::new(),
        }],
        workers: Vec::new(),
        runs: None,
        groups: Vec::new(),
        stations: Vec::new(),
        time: Vec::new(),
        memory: Memory { mean: 60.0 * 1024.0 * 1024.0, peak: 64.0 * 1024.0 * 1024.0 },
        bounds: Vec::new(),
        bottleneck: None,
        knobs: Vec::new(),
        published: None,
        measurement: None,
        cut_short: false,
        falls_behind: None,
        untold: Default::default(),
        after: None,
        processes: None,
        standstill: None,
        margins: None,
        objectives: Vec::new(),
        over_time: None,
        distribution: Vec::new(),
        warnings: Vec::new(),
        rounds: Vec::new(),
    }
}

/// What others measured, of which `throughput` is told.
pub(crate) fn published(throughput: f64, error: f64) -> Option<PublishedFigure> {
    let note = "the upstream's P50 is fitted to it".to_string();
    Some(PublishedFigure { throughput, fitted: true, note, error })
}
