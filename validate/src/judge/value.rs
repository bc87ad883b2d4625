//! The number of a report for each metric, and its samples.

use std::collections::BTreeSet;

use model::report::{Class, LoadAnswer, Report, ResponseTime, Station};
use model::statistics::Estimate;

use super::metric::Metric;
use super::side::Side;

/// A number of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    /// The number; none if the report has none.
    pub(crate) side: Option<Side>,
    /// Good answers behind it.
    pub(crate) samples: u64,
    /// Its source has such numbers.
    pub(crate) told: bool,
}

impl Value {
    /// A number that a report does not have.
    pub(crate) const NONE: Value = Value { side: None, samples: 0, told: false };

    /// A number of `report` that is called `name` there, unless its source does not tell it.
    pub(crate) fn of(report: &Report, name: &str, side: Option<Side>, samples: u64) -> Value {
        let told = report.tells(name);
        Value { side: side.filter(|_| told), samples, told }
    }
}

/// A number of the whole service.
pub(crate) fn overall(report: &Report, metric: Metric) -> Value {
    let run = &report.run;
    let side = match metric {
        Metric::Throughput => Side::of(&report.throughput, run),
        Metric::InFlight => Side::of(&report.in_flight.mean, run),
        Metric::ErrorShare => Side::share(errors(report, |_| true), ended(report), run),
        Metric::Utilisation => report
            .stations
            .iter()
            .find(|station| station.id.to_string() == "cpu")
            .and_then(|cpu| of_station(report, cpu, metric)),
        _ if run.samples == 0 => None,
        _ => match report.response_time_intervals.get(metric.name()) {
            Some(interval) => Side::of(interval, run),
            None => of_times(&report.response_time, metric),
        },
    };
    Value::of(report, metric.name(), side, run.samples)
}

/// Errors of one kind, as a share of the requests that ended.
pub(crate) fn error_kind(report: &Report, kind: &str) -> Value {
    let count = errors(report, |name| name == kind);
    let side = Side::share(count, ended(report), &report.run);
    Value::of(report, "error_kinds", side, report.run.samples)
}

/// Kinds of errors that occurred on either side.
pub(crate) fn error_kinds<'a>(predicted: &'a Report, measured: &'a Report) -> BTreeSet<&'a str> {
    let all = predicted.errors.iter().chain(&measured.errors);
    all.filter(|(_, count)| **count > 0.0).map(|(kind, _)| kind.as_str()).collect()
}

/// Errors of all runs together.
fn errors(report: &Report, pick: impl Fn(&str) -> bool) -> f64 {
    let picked = report.errors.iter().filter(|(kind, _)| pick(kind));
    picked.map(|(_, count)| count).sum::<f64>() * f64::from(report.run.replications)
}

/// Requests of all runs that ended well or otherwise.
fn ended(report: &Report) -> f64 {
    report.run.samples as f64 + errors(report, |_| true)
}

/// A number of an endpoint. The report itself has no intervals of its response times.
pub(crate) fn of_class(report: &Report, class: &Class, metric: Metric) -> Value {
    of_part(report, &class.throughput, &class.response_time, metric)
}

/// A number of one of several loads at once.
pub(crate) fn of_group(report: &Report, group: &LoadAnswer, metric: Metric) -> Value {
    of_part(report, &group.throughput, &group.response_time, metric)
}

fn of_part(report: &Report, throughput: &Estimate, times: &ResponseTime, metric: Metric) -> Value {
    let seconds = report.run.duration * f64::from(report.run.replications);
    // What is negative or not a number becomes no sample at all.
    let samples = (throughput.value * seconds).round() as u64;
    let side = match metric {
        Metric::Throughput => Side::of(throughput, &report.run),
        _ if samples == 0 => None,
        _ => of_times(times, metric),
    };
    Value::of(report, metric.name(), side, samples)
}

fn of_times(times: &ResponseTime, metric: Metric) -> Option<Side> {
    Side::alone(times.get(metric.name())?)
}

/// A number of a station; none of one that it has no capacity for.
pub(crate) fn of_station(report: &Report, station: &Station, metric: Metric) -> Option<Side> {
    match metric {
        Metric::Utilisation => {
            station.capacity.and_then(|_| Side::of(&station.utilisation_interval, &report.run))
        }
        Metric::WaitingTime => {
            station.capacity.and_then(|_| Side::alone(station.waiting_time_mean))
        }
        Metric::InFlight => Side::alone(station.in_flight_mean),
        _ => None,
    }
}
