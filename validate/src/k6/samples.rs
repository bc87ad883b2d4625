//! k6's stream of samples (`k6 run --out json`), put together to what its summary would say.
//!
//! Lines are read one at a time. A broken one is left out, as the last one of a run that was
//! killed may be; but of too many no summary is made.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::form::{SummaryFormat, Values};
use super::summary::EndSummary;

/// Metrics that are counted, that are rates, and that are times.
const COUNTERS: [&str; 4] = ["http_reqs", "dropped_iterations", "rung_good", "rung_errors"];
const RATES: [&str; 1] = ["http_req_failed"];
const TRENDS: [&str; 3] = ["http_req_duration", "http_req_blocked", "rung_response_time"];
/// Quantiles of a time, by k6's names.
const QUANTILES: [(&str, f64); 5] =
    [("med", 0.5), ("p(90)", 0.9), ("p(95)", 0.95), ("p(99)", 0.99), ("p(99.9)", 0.999)];
/// Most endpoints that are told apart: more are paths with numbers in them, and no endpoints.
const ENDPOINTS: usize = 1000;
/// Share of the lines that may be broken.
const BROKEN: f64 = 0.05;

/// A line of the stream.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    metric: &'a str,
    data: serde_json::Value,
}

/// A sample.
#[derive(Deserialize)]
struct Sample {
    time: String,
    value: f64,
    #[serde(default)]
    tags: BTreeMap<String, serde_json::Value>,
}

/// What has come so far.
#[derive(Default)]
struct Gathered {
    counts: BTreeMap<String, f64>,
    /// Of rates: samples, and those that were not zero.
    rates: BTreeMap<String, (f64, f64)>,
    times: BTreeMap<String, Vec<f64>>,
    endpoints: BTreeSet<String>,
    /// The first and the last instant of a sample.
    span: Option<(OffsetDateTime, OffsetDateTime)>,
    lines: u64,
    broken: u64,
}

/// The summary of the stream `text`.
///
/// # Errors
/// It cannot be read, or too much of it is broken; or it is over at once.
pub(super) fn summary(text: impl BufRead) -> Result<EndSummary, String> {
    let mut all = Gathered::default();
    for line in text.lines() {
        let line = line.map_err(|error| format!("cannot be read: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        all.lines += 1;
        all.broken += u64::from(all.take(&line).is_none());
    }
    if all.broken as f64 > BROKEN * all.lines as f64 && all.broken > 1 {
        return Err(format!("{} of its {} lines are no samples of k6", all.broken, all.lines));
    }
    let seconds = all.span.map_or(0.0, |(first, last)| (last - first).as_seconds_f64());
    if seconds <= 0.0 {
        return Err("has no two samples at different times".into());
    }
    Ok(EndSummary {
        form: SummaryFormat::Samples,
        seconds,
        metrics: all.metrics(),
        failed_thresholds: Vec::new(),
        origin: None,
    })
}

impl Gathered {
    /// Takes in a line; none if it is broken.
    fn take(&mut self, line: &str) -> Option<()> {
        let line: Line = serde_json::from_str(line).ok()?;
        let known = [&COUNTERS[..], &RATES, &TRENDS].concat().contains(&line.metric);
        if line.kind != "Point" || !known {
            return Some(());
        }
        let sample: Sample = serde_json::from_value(line.data).ok()?;
        let at = OffsetDateTime::parse(&sample.time, &Rfc3339).ok()?;
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        for name in self.names(line.metric, &sample.tags) {
            if COUNTERS.contains(&line.metric) {
                *self.counts.entry(name).or_default() += sample.value;
            } else if RATES.contains(&line.metric) {
                let (all, passes) = self.rates.entry(name).or_default();
                *all += 1.0;
                *passes += f64::from(u8::from(sample.value != 0.0));
            } else {
                self.times.entry(name).or_default().push(sample.value);
            }
        }
        Some(())
    }

    /// The names under which a sample counts: its metric, and parts of it as a summary has them.
    fn names(&mut self, metric: &str, tags: &BTreeMap<String, serde_json::Value>) -> Vec<String> {
        let tag = |name: &str| tags.get(name).and_then(serde_json::Value::as_str);
        let mut names = vec![metric.to_string()];
        if tag("expected_response") == Some("true") {
            names.push(format!("{metric}{{expected_response:true}}"));
        }
        names.extend(tag("kind").map(|kind| format!("{metric}{{kind:{kind}}}")));
        let mut labels: Vec<String> = Vec::new();
        match (tag("endpoint"), tag("name")) {
            (Some(label), _) => labels.push(label.to_string()),
            (None, Some(name)) => {
                labels.push(live::wire::label_of(name));
                let method = tag("method").unwrap_or("GET");
                labels.push(live::wire::label_of(&format!("{method} {name}")));
            }
            (None, None) => {}
        }
        // A summary has times of all answers of an endpoint; those of good ones are meant.
        let bad = metric == "http_req_duration" && tag("expected_response") == Some("false");
        for label in labels.into_iter().filter(|_| !bad) {
            if self.endpoints.contains(&label) || self.endpoints.len() < ENDPOINTS {
                names.push(format!("{metric}{{endpoint:{label}}}"));
                self.endpoints.insert(label);
            }
        }
        names
    }

    fn metrics(self) -> BTreeMap<String, Values> {
        let one = |name: &str, value: f64| (name.to_string(), value);
        let counts = self
            .counts
            .into_iter()
            .map(|(metric, count)| (metric, Values::from([one("count", count)])));
        let rates = self.rates.into_iter().map(|(metric, (all, passes))| {
            (metric, Values::from([one("passes", passes), one("fails", all - passes)]))
        });
        let times = self.times.into_iter().map(|(metric, times)| (metric, spread(times)));
        counts.chain(rates).chain(times).collect()
    }
}

/// The numbers of a time that a summary has.
fn spread(mut times: Vec<f64>) -> Values {
    times.sort_by(f64::total_cmp);
    let count = times.len().max(1);
    let at = |share: f64| {
        // As k6 does it: between the two nearest samples.
        let place = share * (count - 1) as f64;
        let (low, high) = (libm::floor(place) as usize, libm::ceil(place) as usize);
        let (low, high) = (times.get(low), times.get(high));
        let (low, high) = (low.copied().unwrap_or(0.0), high.copied().unwrap_or(0.0));
        low + (high - low) * (place - libm::floor(place))
    };
    let mut all: Values = QUANTILES.iter().map(|(name, q)| (name.to_string(), at(*q))).collect();
    all.insert("avg".into(), times.iter().sum::<f64>() / count as f64);
    all.insert("max".into(), times.last().copied().unwrap_or(0.0));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(metric: &str, second: u32, value: f64, tags: &str) -> String {
        format!(
            r#"{{"metric":"{metric}","type":"Point","data":{{"time":"2026-11-28T10:00:{second:02}.5+01:00","value":{value},"tags":{{{tags}}}}}}}"#
        )
    }

    fn stream() -> String {
        let mut lines =
            vec![r#"{"type":"Metric","data":{"type":"counter"},"metric":"http_reqs"}"#.to_string()];
        for second in 0..11 {
            let tags = |good: bool| {
                format!(r#""name":"/items","method":"GET","expected_response":"{good}""#)
            };
            let good = second != 10;
            lines.push(point("http_reqs", second, 1.0, &tags(good)));
            lines.push(point("http_req_failed", second, f64::from(u8::from(!good)), &tags(good)));
            lines.push(point("http_req_duration", second, f64::from(second) * 10.0, &tags(good)));
            lines.push(point("vus", second, 5.0, ""));
        }
        lines.join("\n")
    }

    #[test]
    fn samples_are_put_together_as_a_summary_has_them() {
        let summary = summary(stream().as_bytes()).expect("a stream");
        assert_eq!(summary.seconds, 10.0);
        assert_eq!(summary.get("http_reqs", "count"), Some(11.0));
        assert_eq!(summary.failed(), Some(1.0));
        let good = "http_req_duration{expected_response:true}";
        assert_eq!(summary.get(good, "max"), Some(90.0));
        assert_eq!(summary.get(good, "med"), Some(45.0));
        assert_eq!(summary.get(good, "avg"), Some(45.0));
        let label = live::wire::label_of("GET /items");
        assert_eq!(summary.get(&format!("http_reqs{{endpoint:{label}}}"), "count"), Some(11.0));
    }

    #[test]
    fn a_line_that_breaks_off_is_left_out_and_many_are_an_error() {
        let whole = stream();
        assert!(summary(&whole.as_bytes()[..whole.len() - 20]).is_ok());
        let broken = whole.replace("\"data\"", "\"date\"");
        assert!(summary(broken.as_bytes()).is_err_and(|why| why.contains("are no samples")));
        let one = whole.lines().nth(1).expect("a sample");
        assert!(summary(one.as_bytes()).is_err_and(|why| why.contains("different times")));
    }
}
