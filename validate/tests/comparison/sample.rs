//! Two small reports on one service, made by hand, that agree with each other.

use std::collections::BTreeMap;

use model::measurement::Measurement;
use model::report::{
    Arrivals, Class, InFlight, Kind, Memory, Report, ResponseTime, Run, SCHEMA, Station,
};
use model::station::StationId;
use model::statistics::Estimate;
use validate::{Comparison, Judgement, Metric, Tolerances, compare};

/// A prediction that knows its numbers to 0.5 %.
pub(crate) fn predicted() -> Report {
    report(Kind::Predicted, 0.005)
}

/// A measurement that knows its numbers to 2 %.
pub(crate) fn measured() -> Report {
    let mut report = report(Kind::Measured, 0.02);
    report.measurement = Some(Measurement { target: "axum".into(), ..Measurement::default() });
    report
}

/// Their comparison by the default tolerances.
pub(crate) fn compared(predicted: &Report, measured: &Report) -> Comparison {
    compare(predicted, measured, &Tolerances::default()).expect("a pair")
}

/// The judgement of a number of the whole service.
pub(crate) fn judgement(comparison: &Comparison, metric: Metric) -> Judgement {
    comparison.overall(metric).expect("a row").verdict
}

fn report(kind: Kind, noise: f64) -> Report {
    let times =
        ResponseTime { mean: 0.26, p50: 0.21, p90: 0.4, p95: 0.55, p99: 0.9, p999: 1.2, max: 1.6 };
    let intervals = ["mean", "p50", "p90", "p95", "p99", "p999"]
        .map(|name| (name.to_string(), about(times.get(name).expect("a time"), noise)));
    Report {
        schema: SCHEMA,
        kind,
        scenario: "shop".into(),
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
        throughput: about(40.0, noise),
        response_time: times,
        response_time_intervals: BTreeMap::from(intervals),
        errors: BTreeMap::from([("timeout".to_string(), 3.0)]),
        error_share: 0.00125,
        in_flight: InFlight { mean: about(10.4, noise), peak: 20 },
        arrivals: Arrivals { sent: 2403.0, dropped: 0.0, rate: 40.05 },
        classes: vec![class("cart", 30.0, noise), class("pay", 10.0, noise)],
        after: None,
        workers: Vec::new(),
        runs: None,
        groups: Vec::new(),
        stations: vec![
            station(StationId::Cpu, Some(1), 0.5),
            station(StationId::Loop, Some(1), 0.45),
            station(StationId::Semaphore("bank".into()), Some(10), 0.6),
            station(StationId::Upstream("bank".into()), None, 0.0),
        ],
        time: Vec::new(),
        memory: Memory { mean: 6e7, peak: 6e7 },
        bounds: Vec::new(),
        retries: None,
        recovery: None,
        bottleneck: None,
        knobs: Vec::new(),
        published: None,
        measurement: None,
        cut_short: false,
        falls_behind: None,
        untold: Default::default(),
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

/// `value`, known to this share of it.
pub(crate) fn about(value: f64, noise: f64) -> Estimate {
    Estimate { value, low: value * (1.0 - noise), high: value * (1.0 + noise) }
}

fn class(name: &str, throughput: f64, noise: f64) -> Class {
    Class {
        name: name.into(),
        throughput: about(throughput, noise),
        response_time: ResponseTime {
            mean: 0.26,
            p50: 0.21,
            p90: 0.4,
            p95: 0.55,
            p99: 0.9,
            p999: 1.2,
            max: 1.6,
        },
        errors: BTreeMap::new(),
        time: Vec::new(),
    }
}

/// A station with so much of its capacity in use.
pub(crate) fn station(id: StationId, capacity: Option<u64>, utilisation: f64) -> Station {
    Station {
        id,
        capacity,
        utilisation,
        utilisation_interval: about(utilisation, 0.01),
        in_flight_mean: 2.0,
        waiting_time_mean: if capacity.is_some() { 0.02 } else { 0.0 },
        visits: 40.0,
    }
}

/// Sets a station's use.
pub(crate) fn fill(report: &mut Report, name: &str, utilisation: f64) {
    for station in report.stations.iter_mut().filter(|station| station.id.to_string() == name) {
        station.utilisation = utilisation;
        station.utilisation_interval = about(utilisation, 0.001);
    }
}

/// Multiplies every time by `factor` and divides every rate by it, as if each cost were so
/// many times larger.
pub(crate) fn slow_down(report: &mut Report, factor: f64) {
    let scale =
        |e: Estimate, by: f64| Estimate { value: e.value * by, low: e.low * by, high: e.high * by };
    report.throughput = scale(report.throughput, 1.0 / factor);
    report.response_time = slower(report.response_time, factor);
    for interval in report.response_time_intervals.values_mut() {
        *interval = scale(*interval, factor);
    }
    for class in &mut report.classes {
        class.throughput = scale(class.throughput, 1.0 / factor);
        class.response_time = slower(class.response_time, factor);
    }
}

/// Splits a report into as many rounds as there are factors, each of which was so many times
/// slower than the whole.
pub(crate) fn in_rounds(mut report: Report, factors: &[f64]) -> Report {
    report.run.replications = factors.len() as u32;
    let mut alone = report.clone();
    alone.run.replications = 1;
    alone.run.samples /= factors.len() as u64;
    let rounds = factors.iter().zip(0..).map(|(&factor, index)| {
        let mut round = alone.clone();
        slow_down(&mut round, factor);
        round.into_round(index)
    });
    report.rounds = rounds.collect();
    report
}

fn slower(mut times: ResponseTime, factor: f64) -> ResponseTime {
    for name in ["mean", "p50", "p90", "p95", "p99", "p999", "max"] {
        times.set(name, times.get(name).unwrap_or(0.0) * factor);
    }
    times
}

/// Sets an overall response time and its interval.
pub(crate) fn set_time(report: &mut Report, name: &str, interval: Estimate) {
    report.response_time.set(name, interval.value);
    report.response_time_intervals.insert(name.to_string(), interval);
}

/// Leaves `samples` good answers and no errors, which would weigh more among fewer answers.
pub(crate) fn thin(report: &mut Report, samples: u64) {
    report.run.samples = samples;
    report.errors.clear();
    report.error_share = 0.0;
}
