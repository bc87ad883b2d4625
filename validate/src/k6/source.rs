//! The metrics of a summary that a report is made of.

use std::collections::BTreeMap;

use live::wire::label_of;
use model::failure::ErrorKind;

use super::form::Values;
use super::summary::EndSummary;

/// The metrics that a summary is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Those that a script of `live export k6` counts: good answers of the window alone.
    Script,
    /// k6's own: everything of the whole run.
    Builtin,
}

/// Name of errors whose kind is not known.
const FAILED: &str = "failed";
/// k6's own response times: of good answers, and of all requests.
const DURATIONS: [&str; 2] = ["http_req_duration{expected_response:true}", "http_req_duration"];

impl Source {
    /// The better one that `summary` has.
    pub(crate) fn of(summary: &EndSummary) -> Source {
        let counted = summary.metrics.keys().any(|name| name.starts_with("rung_good"));
        if counted || summary.origin.is_some() { Source::Script } else { Source::Builtin }
    }

    /// Good answers.
    pub(crate) fn good(self, summary: &EndSummary) -> f64 {
        let count = |name: &str| summary.get(name, "count").unwrap_or(0.0);
        match self {
            // A counter that never counted may be missing.
            Source::Script => count("rung_good"),
            Source::Builtin => count("http_reqs") - summary.failed().unwrap_or(0.0),
        }
    }

    /// Response times of good answers.
    pub(crate) fn times(self, summary: &EndSummary) -> Option<&Values> {
        match self {
            Source::Script => summary.metrics.get("rung_response_time"),
            Source::Builtin => DURATIONS.into_iter().find_map(|name| summary.metrics.get(name)),
        }
    }

    /// Good answers of the endpoint `name` and their response times.
    pub(crate) fn class<'a>(
        self,
        summary: &'a EndSummary,
        name: &str,
    ) -> Option<(f64, Option<&'a Values>)> {
        let label = label_of(name);
        let of = |metric: &str| format!("{metric}{{endpoint:{label}}}");
        let count = |metric: &str| summary.get(&of(metric), "count");
        let times = |metric: &str| summary.metrics.get(&of(metric));
        match self {
            Source::Script => Some((count("rung_good")?, times("rung_response_time"))),
            Source::Builtin => {
                let failed = summary.get(&of("http_req_failed"), "passes").unwrap_or(0.0);
                let good = (count("http_reqs")? - failed).max(0.0);
                Some((good, times("http_req_duration")))
            }
        }
    }

    /// Errors by kind, and whether the kinds are known.
    pub(crate) fn errors(self, summary: &EndSummary) -> (BTreeMap<String, f64>, bool) {
        if self == Source::Builtin {
            let failed = summary.failed().unwrap_or(0.0);
            return (BTreeMap::from([(FAILED.to_string(), failed)]), failed == 0.0);
        }
        let all = summary.get("rung_errors", "count").unwrap_or(0.0);
        let of = |kind: ErrorKind| {
            let count = summary.get(&format!("rung_errors{{kind:{}}}", kind.name()), "count")?;
            Some((kind.name().to_string(), count))
        };
        let mut errors: BTreeMap<String, f64> = ErrorKind::ALL.into_iter().filter_map(of).collect();
        let rest = all - errors.values().sum::<f64>();
        let known = rest <= 0.0;
        if !known {
            errors.insert(FAILED.to_string(), rest);
        }
        (errors, known)
    }
}
