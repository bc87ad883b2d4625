//! By what a change is judged.

use std::fmt;
use std::str::FromStr;

use hdrhistogram::Histogram;
use model::objective::{Measure, Objective};
use model::read::{Diagnostic, Diagnostics};
use model::report::{Report, ResponseTime};
use model::scenario::{Scenario, Source};
use model::statistics::Estimate;

use super::missed::Missed;
use crate::observe::{Histograms, Observations, empty_histogram};

/// Errors above this share are what is wrong with a service.
pub(crate) const MANY_ERRORS: f64 = 0.01;
/// A station in use for more than this share of its capacity is full.
const FULL: f64 = 0.95;
/// An open load of which less than this share is answered is too much for the service.
const ANSWERED: f64 = 0.98;

/// By what a change is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// More good answers per second.
    #[default]
    Throughput,
    /// A smaller share of errors.
    Errors,
    /// A shorter response time: `mean` or a quantile, of all or of one endpoint.
    Time {
        /// The endpoint; all if none.
        endpoint: Option<String>,
        /// `mean`, `p50`, `p90`, `p95`, `p99` or `p999`.
        metric: &'static str,
    },
}

const METRICS: [&str; 6] = ["mean", "p50", "p90", "p95", "p99", "p999"];

impl Goal {
    /// Sees to it that the scenario has what the goal is about.
    ///
    /// # Errors
    /// It is about an endpoint that the scenario does not have.
    pub(crate) fn check(&self, scenario: &Scenario) -> Result<(), Diagnostics> {
        let Goal::Time { endpoint: Some(name), .. } = self else { return Ok(()) };
        let names: Vec<&str> =
            scenario.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        if names.contains(&name.as_str()) {
            return Ok(());
        }
        Err(Diagnostic::of_file(
            "--goal",
            format!("there is no endpoint `{name}`"),
            names.iter().take(8).copied().collect::<Vec<_>>().join(", "),
            "name an endpoint of the scenario, as in --goal endpoint:NAME.p99",
        )
        .into())
    }

    /// The number of an objective; none if no change is judged by it.
    pub(crate) fn of_objective(objective: &Objective) -> Option<Goal> {
        Some(match &objective.measure {
            Measure::Time(endpoint, statistic) => {
                let name = statistic.to_string();
                // A file says `p99.9` where a report says `p999`.
                let metric = METRICS.into_iter().find(|one| *one == name.replace('.', ""))?;
                Goal::Time { endpoint: endpoint.clone(), metric }
            }
            Measure::Errors(None) => Goal::Errors,
            Measure::Throughput(None) => Goal::Throughput,
            _ => return None,
        })
    }

    /// What is wrong with a service that answers as `report` says: the objective that is missed by
    /// most, then errors, then a station that is full, then the slowest answers.
    pub(crate) fn by_default(scenario: &Scenario, report: &Report) -> Goal {
        if let Some(missed) = Missed::most(scenario, report) {
            return missed.goal;
        }
        if report.error_share > MANY_ERRORS {
            return Goal::Errors;
        }
        let full = report
            .stations
            .iter()
            .any(|station| station.capacity.is_some() && station.utilisation > FULL);
        let late = match scenario.load.source {
            // Users without a pause between requests ask for all that the service can give.
            Source::Closed { ref think_time, .. } => think_time.mean() < report.response_time.mean,
            Source::Several(_) if !scenario.load.source.is_open() => true,
            Source::Open { .. } | Source::Replay { .. } | Source::Several(_) => {
                report.throughput.value < ANSWERED * report.arrivals.rate
            }
        };
        match full || late {
            true => Goal::Throughput,
            false => Goal::Time { endpoint: None, metric: "p99" },
        }
    }

    /// What the goal names, in a sentence: `the P99 of health`.
    pub(crate) fn words(&self) -> String {
        match self {
            Goal::Throughput => "throughput".into(),
            Goal::Errors => "the share of errors".into(),
            Goal::Time { endpoint, metric } => {
                let metric = match *metric {
                    "mean" => "mean response time".to_string(),
                    quantile => quantile.to_uppercase(),
                };
                match endpoint {
                    Some(name) => format!("the {metric} of {name}"),
                    None => format!("the {metric}"),
                }
            }
        }
    }

    /// True if response times of each run are needed.
    pub(crate) fn needs_times(&self) -> bool {
        matches!(self, Goal::Time { .. })
    }

    /// The number of one run that the goal is about: a rate, a share or seconds.
    pub(crate) fn score(
        &self,
        scenario: &Scenario,
        seen: &Observations,
        times: &Histograms,
    ) -> f64 {
        match self {
            Goal::Throughput => seen.throughput(),
            Goal::Errors => error_share(seen),
            Goal::Time { endpoint, metric } => {
                let of = |name: &String| {
                    scenario.endpoints.iter().position(|endpoint| endpoint.name == *name)
                };
                let class = endpoint.as_ref().and_then(of);
                time(seen, times, class, metric)
            }
        }
    }

    /// Relative improvement from `before` to `after`, run by run: 1 is twice the throughput, or
    /// no errors at all. None if there is nothing to improve on.
    pub(crate) fn improvement(
        &self,
        before: &[f64],
        after: &[f64],
        confidence: f64,
    ) -> Option<Estimate> {
        if before.iter().sum::<f64>() == 0.0 {
            return None;
        }
        let ratio = Estimate::of_ratio(after, before, confidence);
        Some(match self {
            Goal::Throughput => {
                Estimate { value: ratio.value - 1.0, low: ratio.low - 1.0, high: ratio.high - 1.0 }
            }
            Goal::Errors | Goal::Time { .. } => {
                Estimate { value: 1.0 - ratio.value, low: 1.0 - ratio.high, high: 1.0 - ratio.low }
            }
        })
    }
}

pub(crate) fn error_share(seen: &Observations) -> f64 {
    let errors: u64 = seen.errors().iter().sum();
    match errors + seen.good() {
        0 => 0.0,
        all => errors as f64 / all as f64,
    }
}

/// A response time of one run, in seconds; of all classes or of one.
fn time(seen: &Observations, times: &Histograms, class: Option<usize>, metric: &str) -> f64 {
    let range = class.map_or(0..seen.classes.len(), |class| class..class + 1);
    if metric == "mean" {
        return mean(&seen.classes[range]);
    }
    let mut all: Histogram<u32> = empty_histogram();
    for histogram in times.get(range).into_iter().flatten() {
        // All have the same bounds.
        let _ = all.add(histogram);
    }
    let quantile = ResponseTime::QUANTILES.iter().find(|(name, _)| *name == metric);
    let at = quantile.map_or(0.5, |(_, quantile)| *quantile);
    if all.is_empty() { 0.0 } else { all.value_at_quantile(at) as f64 / 1e9 }
}

/// Mean response time of good answers, in seconds.
pub(crate) fn mean(classes: &[crate::observe::ClassObservations]) -> f64 {
    let (sum, count) =
        classes.iter().fold((0u128, 0u64), |(s, n), class| (s + class.sum, n + class.good));
    if count == 0 { 0.0 } else { sum as f64 / count as f64 / 1e9 }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::Throughput => f.write_str("throughput"),
            Goal::Errors => f.write_str("errors"),
            Goal::Time { endpoint: None, metric } => f.write_str(metric),
            Goal::Time { endpoint: Some(name), metric } => write!(f, "endpoint:{name}.{metric}"),
        }
    }
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Goal, String> {
        let wrong = || {
            format!(
                "allowed: throughput, errors, {}, or one of these times of an endpoint, as in \
                 endpoint:health.p99",
                METRICS.join(", ")
            )
        };
        let metric =
            |name: &str| METRICS.into_iter().find(|metric| *metric == name).ok_or_else(wrong);
        match (text, text.strip_prefix("endpoint:")) {
            ("throughput", _) => Ok(Goal::Throughput),
            ("errors", _) => Ok(Goal::Errors),
            (_, Some(of)) => {
                let (name, time) = of.rsplit_once('.').ok_or_else(wrong)?;
                Ok(Goal::Time { endpoint: Some(name.to_string()), metric: metric(time)? })
            }
            (time, None) => Ok(Goal::Time { endpoint: None, metric: metric(time)? }),
        }
    }
}
