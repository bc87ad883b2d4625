//! The three forms in which k6 2.x writes a summary.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The numbers of a metric by their names in the data of handleSummary: `avg`, `p(95)`, `count`,
/// `passes`. Times are in milliseconds.
pub(crate) type Values = BTreeMap<String, f64>;

/// A form of a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SummaryFormat {
    /// The data that a script's handleSummary is given.
    HandleSummary,
    /// Written by `--summary-export`.
    SummaryExport,
    /// Written by it with `--new-machine-readable-summary`.
    MachineReadable,
    /// Put together from the stream of `--out json`.
    Samples,
}

impl SummaryFormat {
    /// The form of `root`; none if it is no summary.
    pub(crate) fn of(root: &Map<String, Value>) -> Option<SummaryFormat> {
        if let Some(results) = root.get("results") {
            return results.get("metrics")?.is_array().then_some(SummaryFormat::MachineReadable);
        }
        let metrics = root.get("metrics")?.as_object()?;
        let nested = metrics.values().any(|metric| metric.get("values").is_some());
        match nested || root.contains_key("state") {
            true => Some(SummaryFormat::HandleSummary),
            false => root.contains_key("root_group").then_some(SummaryFormat::SummaryExport),
        }
    }

    /// The metrics of `root`, their numbers under the same names whatever the form.
    pub(super) fn metrics(self, root: &Map<String, Value>) -> BTreeMap<String, Values> {
        let metrics = match self {
            SummaryFormat::MachineReadable => listed(root),
            _ => named(root),
        };
        let values = |(name, metric): (String, &Value)| {
            let values = match self {
                SummaryFormat::SummaryExport => Some(metric),
                _ => metric.get("values"),
            };
            (name, alike(values))
        };
        metrics.into_iter().map(values).collect()
    }

    /// The thresholds of `root` that failed: `metric: expression`.
    pub(super) fn failed_thresholds(self, root: &Map<String, Value>) -> Vec<String> {
        // The machine-readable form has none.
        let metrics = root.get("metrics").and_then(Value::as_object);
        let mut failed = Vec::new();
        for (name, metric) in metrics.into_iter().flatten() {
            let thresholds = metric.get("thresholds").and_then(Value::as_object);
            for (expression, outcome) in thresholds.into_iter().flatten() {
                let broken = match self {
                    // True says that it was broken.
                    SummaryFormat::SummaryExport => outcome.as_bool() == Some(true),
                    _ => outcome.get("ok").and_then(Value::as_bool) == Some(false),
                };
                if broken {
                    failed.push(format!("{name}: {expression}"));
                }
            }
        }
        failed
    }

    /// How long the run took in seconds, as the form tells it.
    pub(super) fn seconds(self, root: &Map<String, Value>) -> Option<f64> {
        let at = |path: &[&str]| {
            let (first, rest) = path.split_first()?;
            rest.iter().try_fold(root.get(*first)?, |value, key| value.get(key))?.as_f64()
        };
        let seconds = match self {
            SummaryFormat::HandleSummary => at(&["state", "testRunDurationMs"])? / 1e3,
            // It says nowhere how long it was, but every counter has its rate over all of it.
            SummaryFormat::SummaryExport => {
                at(&["metrics", "http_reqs", "count"])? / at(&["metrics", "http_reqs", "rate"])?
            }
            SummaryFormat::MachineReadable => at(&["config", "duration"])?,
            // Its samples say when they were taken.
            SummaryFormat::Samples => return None,
        };
        (seconds.is_finite() && seconds > 0.0).then_some(seconds)
    }
}

/// The metrics of the two forms that have them under their names.
fn named(root: &Map<String, Value>) -> Vec<(String, &Value)> {
    let metrics = root.get("metrics").and_then(Value::as_object).into_iter().flatten();
    metrics.map(|(name, metric)| (name.clone(), metric)).collect()
}

/// The metrics of the machine-readable form, which lists them.
fn listed(root: &Map<String, Value>) -> Vec<(String, &Value)> {
    let list = root.get("results").and_then(|results| results.get("metrics"));
    let metrics = list.and_then(Value::as_array).into_iter().flatten();
    metrics.filter_map(|metric| Some((metric.get("name")?.as_str()?.to_string(), metric))).collect()
}

/// The numbers of a metric under the names of handleSummary's data.
fn alike(values: Option<&Value>) -> Values {
    let numbers = values.and_then(Value::as_object).into_iter().flatten();
    let mut all: Values = numbers
        .filter_map(|(name, value)| {
            let name = match name.as_str() {
                "p90" => "p(90)",
                "p95" => "p(95)",
                // Of a rate: samples that were not zero.
                "matches" => "passes",
                other => other,
            };
            Some((name.to_string(), value.as_f64()?))
        })
        .collect();
    if let (Some(passes), Some(total)) = (all.get("passes"), all.get("total")) {
        let fails = total - passes;
        all.insert("fails".into(), fails);
    }
    all
}
