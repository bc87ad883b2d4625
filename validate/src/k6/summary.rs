//! A file with a summary of a k6 run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use model::read::Diagnostic;
use serde_json::Value;

use super::form::{SummaryFormat, Values};
use super::samples;

/// The numbers of a summary, whatever its form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndSummary {
    /// The form of its file.
    pub form: SummaryFormat,
    /// Seconds from the start of the run to its end, warm-up and graceful stop included.
    pub seconds: f64,
    /// The numbers of each metric.
    pub metrics: BTreeMap<String, Values>,
    /// k6's own thresholds that failed.
    pub failed_thresholds: Vec<String>,
    /// The scenario of a script of `live export k6`; none in the summary of any other.
    pub origin: Option<ScriptOrigin>,
}

/// The scenario that a script of `live export k6` was made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScriptOrigin {
    /// The scenario's name.
    pub scenario: String,
    /// Root of the draws.
    pub seed: u64,
    /// Seconds at the start that do not count.
    pub warmup: f64,
    /// Seconds that count.
    pub duration: f64,
}

const ALLOWED: &str = "a summary of k6 2.x: what handleSummary is given, as JSON, or the file of \
                       `k6 run --summary-export`, with or without `--new-machine-readable-summary`, or \
                       its samples, `k6 run --out json=FILE`";
const ADVICE: &str = "write a script with `live export k6`, whose summary is one";

/// Reads a summary of any form.
///
/// # Errors
/// The file cannot be read, or is something else.
pub(crate) fn read(file: &Path) -> Result<EndSummary, Diagnostic> {
    let problem = |found: String, advice: &str| {
        Diagnostic::of_file(file.display().to_string(), found, ALLOWED, advice)
    };
    let unreadable = |error: std::io::Error| {
        problem(format!("cannot be read: {error}"), "name the summary's file")
    };
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let mut first = String::new();
    reader.read_line(&mut first).map_err(unreadable)?;
    if is_stream(&first) {
        let again = "let k6 write it again: `k6 run --out json=FILE`";
        return samples::summary(first.as_bytes().chain(reader))
            .and_then(|summary| summary.is_possible().map(|()| summary).map_err(|why| why.found))
            .map_err(|why| problem(format!("k6's stream of samples (`--out json`) {why}"), again));
    }
    let mut text = first;
    reader.read_to_string(&mut text).map_err(unreadable)?;
    parse(&text).map_err(|unusable| Diagnostic {
        line: unusable.line,
        column: unusable.column,
        ..problem(unusable.found, unusable.advice)
    })
}

/// Why a text is no summary.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unusable {
    found: String,
    advice: &'static str,
    line: Option<u32>,
    column: Option<u32>,
}

impl Unusable {
    fn new(found: impl Into<String>, advice: &'static str) -> Unusable {
        Unusable { found: found.into(), advice, line: None, column: None }
    }
}

fn parse(text: &str) -> Result<EndSummary, Unusable> {
    let root: Value = serde_json::from_str(text).map_err(|error| Unusable {
        line: u32::try_from(error.line()).ok().filter(|line| *line > 0),
        column: u32::try_from(error.column()).ok().filter(|column| *column > 0),
        ..Unusable::new(format!("is no JSON: {error}"), ADVICE)
    })?;
    let other = || Unusable::new("is JSON, but no k6 summary", ADVICE);
    let root = root.as_object().ok_or_else(other)?;
    if root.contains_key("schema") && root.contains_key("kind") {
        return Err(Unusable::new(
            "is a report of rung, not a k6 summary",
            "compare two reports without --k6: `validate compare PREDICTED MEASURED`",
        ));
    }
    let form = SummaryFormat::of(root).ok_or_else(other)?;
    let seconds = form.seconds(root).ok_or_else(|| {
        Unusable::new(
            "does not say how long the run was, or of how many requests it is",
            "take the summary of a script that calls the service with k6/http, as k6 writes it",
        )
    })?;
    let summary = EndSummary {
        form,
        seconds,
        metrics: form.metrics(root),
        failed_thresholds: form.failed_thresholds(root),
        origin: root.get("rung").map(origin).transpose()?,
    };
    summary.is_possible()?;
    Ok(summary)
}

/// The first line of a file is a JSON object of its own that describes a metric or a sample of it.
fn is_stream(text: &str) -> bool {
    let first = serde_json::from_str::<Value>(text).ok();
    let says = |key: &str| first.as_ref().is_some_and(|first| first.get(key).is_some());
    says("metric") && says("type")
}

/// The part that a script of `live export k6` adds.
fn origin(rung: &Value) -> Result<ScriptOrigin, Unusable> {
    let wrong = |key: &str| {
        Unusable::new(
            format!("says of its scenario no `rung.{key}` that makes sense"),
            "leave what the script of `live export k6` puts under `rung` as it is",
        )
    };
    let word = |key: &str| rung.get(key).and_then(Value::as_str).ok_or_else(|| wrong(key));
    let seconds = |key: &str| {
        let seconds = rung.get(key).and_then(Value::as_f64);
        seconds.filter(|seconds| *seconds >= 0.0).ok_or_else(|| wrong(key))
    };
    Ok(ScriptOrigin {
        scenario: word("scenario")?.to_string(),
        seed: word("seed")?.parse().map_err(|_| wrong("seed"))?,
        warmup: seconds("warmup")?,
        duration: seconds("duration").and_then(|seconds| match seconds > 0.0 {
            true => Ok(seconds),
            false => Err(wrong("duration")),
        })?,
    })
}

impl EndSummary {
    /// A number of a metric; none if the file does not have it.
    pub(crate) fn get(&self, metric: &str, value: &str) -> Option<f64> {
        self.metrics.get(metric)?.get(value).copied()
    }

    /// No count or time is negative, and at least one request was sent.
    fn is_possible(&self) -> Result<(), Unusable> {
        for (metric, values) in &self.metrics {
            let counted = |name: &str| name.starts_with("http_req") || name.starts_with("rung_");
            let wrong = values.iter().find(|(_, value)| counted(metric) && **value < 0.0);
            if let Some((name, value)) = wrong {
                let found = format!("says that `{metric}` has {value} as its `{name}`");
                return Err(Unusable::new(found, "write the summary again with k6"));
            }
        }
        let (sent, failed) = (self.get("http_reqs", "count"), self.failed());
        if sent.is_none_or(|sent| sent == 0.0) {
            return Err(Unusable::new(
                "tells of no HTTP request: `http_reqs` is missing or 0",
                "take the summary of a script that calls the service with k6/http",
            ));
        }
        if sent.zip(failed).is_some_and(|(sent, failed)| failed > sent) {
            return Err(Unusable::new(
                "counts more failed requests than requests",
                "write the summary again with k6",
            ));
        }
        Ok(())
    }

    /// Requests that failed, by k6's own count: of this rate, what passed are the failures.
    pub(crate) fn failed(&self) -> Option<f64> {
        self.get("http_req_failed", "passes")
    }
}
