//! Metrics: answers of Prometheus to range queries, and what services show under `/metrics`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use model::read::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use super::cpu::{Counter, Cpu};
use super::lines::{self, Account, Broken, Unit};
use super::time::{epoch, instant};

/// A series: its labels, `__name__` among them, and its sum over time.
type Labels = BTreeMap<String, String>;

/// All counters of metrics that say something of requests or of CPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// By labels.
    pub series: BTreeMap<Labels, Counter>,
    /// What a reader has to know, in whole sentences.
    pub notes: Vec<String>,
}

/// Requests of one endpoint, as metrics count them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// The method in capitals; empty if it is not told.
    pub method: String,
    /// The route, or another name.
    pub route: String,
    /// How many were answered.
    pub requests: Vec<Counter>,
    /// The sum of their response times in seconds.
    pub seconds: Vec<Counter>,
}

const CPU: [&str; 2] = ["process_cpu_seconds_total", "container_cpu_usage_seconds_total"];
/// Labels for the endpoint, the best first.
const ROUTES: [&str; 9] =
    ["http_route", "handler", "route", "path_template", "path", "endpoint", "view", "uri", "url"];
const METHODS: [&str; 3] = ["method", "http_request_method", "http_method"];
/// Series that are held.
const HELD: usize = 50_000;

/// Reads files of metrics, each an answer to a range query or scraped text. Text without times of its own
/// has that in the name of its file, or in a line before it, or that of its file.
///
/// # Errors
/// A file cannot be read, or too much of it is broken, or nothing of use is in it.
pub fn read(files: &[std::path::PathBuf]) -> Result<Metrics, Diagnostic> {
    let mut files: Vec<(f64, &Path)> =
        files.iter().map(|file| (time_of_file(file).unwrap_or(0.0), file.as_path())).collect();
    files.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut metrics = Metrics::default();
    for &(time, file) in &files {
        let unreadable = |error: io::Error| lines::unreadable(file, &error);
        let mut from = lines::open(file).map_err(unreadable)?;
        let head = from.fill_buf().map_err(unreadable)?;
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
        if matches!(first, Some(b'{' | b'[')) {
            let account = metrics.range(from).map_err(unreadable)?;
            account.check(
                file,
                "what Prometheus answers to /api/v1/query_range: JSON with data.result",
                "save it with `curl 'http://HOST:9090/api/v1/query_range?query=...' > metrics.json`",
            )?;
            metrics.notes.extend(account.note(file));
            continue;
        }
        let account = metrics.text(from, Some(time)).map_err(unreadable)?;
        account.check(
            file,
            "metrics as text, as services show them under /metrics",
            "save them again and again: curl -s http://HOST/metrics > metrics.$(date +%s).txt",
        )?;
        metrics.notes.extend(account.note(file));
    }
    metrics.series.retain(|_, counter| counter.samples() >= 2);
    if metrics.series.is_empty() {
        let file = files.first().map_or_else(String::new, |(_, file)| file.display().to_string());
        return Err(Diagnostic::of_file(
            file,
            "has no two samples of a metric of requests or CPU",
            "process_cpu_seconds_total, container_cpu_usage_seconds_total, counters and histograms of requests",
            "ask for the raw counters (not for `rate(...)`), or save /metrics at least twice",
        ));
    }
    Ok(metrics)
}

/// The time in a file's name (`metrics.1795890619.txt`), else that of the file.
fn time_of_file(file: &Path) -> Option<f64> {
    let name = file.file_name()?.to_string_lossy();
    let digits = name.split(|c: char| !c.is_ascii_digit()).filter(|word| word.len() >= 9);
    if let Some(time) = digits.filter_map(epoch).next() {
        return Some(time);
    }
    let modified = std::fs::metadata(file).ok()?.modified().ok()?;
    Some(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64())
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Value>,
}

#[derive(Deserialize)]
struct Ranged {
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, Value)>,
}

impl Metrics {
    /// Answers to range queries, one after the other.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn range(&mut self, from: impl io::Read) -> io::Result<Account> {
        let mut account = Account { unit: Unit::Series, ..Account::default() };
        for answer in serde_json::Deserializer::from_reader(from).into_iter::<Answer>() {
            let number = account.lines + 1;
            let mut broken = |why: String| account.count(number, "", Err(Broken(why)));
            match answer {
                Err(error) if error.is_io() => return Err(error.into()),
                Err(error) => {
                    broken(format!("no answer of Prometheus: {error}"));
                    return Ok(account);
                }
                Ok(Answer { data: None, error }) => {
                    let why = error.unwrap_or_else(|| "no `data`".into());
                    broken(format!("Prometheus says: {why}"));
                }
                Ok(Answer { data: Some(data), .. }) => {
                    for (one, number) in data.result.into_iter().zip(number..) {
                        let text = one.get("metric").map(Value::to_string).unwrap_or_default();
                        account.count(number, &text, self.ranged(one));
                    }
                }
            }
        }
        Ok(account)
    }

    /// One series of an answer.
    fn ranged(&mut self, one: Value) -> Result<(), Broken> {
        let one: Ranged = serde_json::from_value(one)
            .map_err(|error| Broken::new(format!("no series: {error}")))?;
        if one.metric.get("__name__").is_none_or(|name| !useful(name)) {
            return Ok(());
        }
        for (time, value) in one.values {
            let text = value.as_str();
            let value = text.map_or_else(|| value.as_f64(), |text| text.parse().ok());
            self.add(&one.metric, time, value.unwrap_or(f64::NAN));
        }
        Ok(())
    }

    /// Scraped text, once or many times one after the other; `time` is that of samples that have none.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn text(&mut self, from: impl io::BufRead, time: Option<f64>) -> io::Result<Account> {
        let mut now = time;
        lines::each(from, |line| {
            if let Some(time) = instant(line.trim_start_matches(['#', ' '])) {
                now = Some(time);
                return Ok(());
            }
            if line.starts_with('#') {
                return Ok(());
            }
            let (labels, value, own) = sample(line)?;
            if labels.get("__name__").is_some_and(|name| useful(name)) {
                let time = own.or(now).ok_or_else(|| Broken::new("no time is known of it"))?;
                self.add(&labels, time, value);
            }
            Ok(())
        })
    }

    fn add(&mut self, labels: &Labels, time: f64, value: f64) {
        if let Some(counter) = self.series.get_mut(labels) {
            counter.total(time, value);
        } else if self.series.len() < HELD {
            let mut counter = Counter::default();
            counter.total(time, value);
            self.series.insert(labels.clone(), counter);
        }
    }

    /// CPU of processes and containers.
    pub fn cpu(&self) -> Cpu {
        let mut cpu = Cpu::default();
        let name = |labels: &Labels, keys: &[&str]| {
            let parts =
                keys.iter().filter_map(|key| labels.get(*key)).filter(|part| !part.is_empty());
            parts.cloned().collect::<Vec<_>>().join(" ")
        };
        for wanted in CPU {
            let found = self.series.iter().filter(|(labels, _)| labels["__name__"] == wanted);
            for (labels, counter) in found {
                // cAdvisor counts each container again in its pod and in the machine.
                let whole = wanted.starts_with("container")
                    && ["container", "name", "image"]
                        .iter()
                        .all(|key| labels.get(*key).is_none_or(String::is_empty));
                if whole || labels.get("container").is_some_and(|name| name == "POD") {
                    continue;
                }
                let keys =
                    ["job", "instance", "pid", "namespace", "pod", "container", "name", "cpu"];
                let name = name(labels, &keys);
                let name = if name.is_empty() { "process".to_owned() } else { name };
                if wanted == CPU[0] && counter.resets > 2 {
                    cpu.notes.push(format!(
                        "`{wanted}` of {name} fell {} times: it is of one process, and each scrape met one \
                         of several workers by chance. Its CPU is not that of the service.",
                        counter.resets
                    ));
                }
                cpu.sources.insert(name, counter.clone());
            }
            if !cpu.sources.is_empty() {
                break;
            }
        }
        cpu
    }

    /// Requests by endpoint.
    pub fn requests(&self) -> Vec<Counted> {
        let mut families: BTreeMap<&str, usize> = BTreeMap::new();
        for labels in self.series.keys() {
            let name = labels["__name__"].as_str();
            if route(labels).is_some() && is_requests(name) {
                *families.entry(name).or_insert(0) += 1;
            }
        }
        // Those that know response times, else those that tell the most endpoints apart.
        let best = families.iter().max_by_key(|(name, series)| {
            (
                name.ends_with("_count"),
                name.contains("duration") || name.contains("latency"),
                **series,
            )
        });
        let Some((family, _)) = best else { return Vec::new() };
        let sums = family.strip_suffix("_count").map(|stem| format!("{stem}_sum"));
        let unit =
            if family.contains("millisecond") || family.contains("_ms_") { 1e-3 } else { 1.0 };
        let mut found: BTreeMap<(String, String), Counted> = BTreeMap::new();
        for (labels, counter) in &self.series {
            let name = &labels["__name__"];
            let Some(route) = route(labels) else { continue };
            let method =
                METHODS.iter().find_map(|key| labels.get(*key)).cloned().unwrap_or_default();
            let method = method.to_ascii_uppercase();
            let key = (method.clone(), route.to_owned());
            let (count, sum) = (name == family, Some(name) == sums.as_ref());
            if !count && !sum {
                continue;
            }
            let one = found.entry(key).or_insert_with(|| Counted {
                method,
                route: route.into(),
                ..Counted::default()
            });
            match count {
                true => one.requests.push(counter.clone()),
                false => one.seconds.push(counter.clone().scaled(unit)),
            }
        }
        found.into_values().filter(|one| !one.requests.is_empty()).collect()
    }
}

/// Counters of requests that are kept, and CPU.
fn useful(name: &str) -> bool {
    CPU.contains(&name)
        || is_requests(name)
        || name.strip_suffix("_sum").is_some_and(|stem| is_requests(&format!("{stem}_count")))
}

fn is_requests(name: &str) -> bool {
    let about = name.contains("request") || name.contains("http");
    let other = ["size", "bytes", "exception", "client", "in_progress", "created"];
    about
        && (name.ends_with("_count") || name.ends_with("_total"))
        && !other.iter().any(|word| name.contains(word))
}

fn route(labels: &Labels) -> Option<&str> {
    ROUTES.iter().find_map(|key| labels.get(*key)).map(String::as_str)
}

/// `name{label="value"} 1.5 1795890619000`, with what quotes and braces values may have.
fn sample(line: &str) -> Result<(Labels, f64, Option<f64>), Broken> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = line.find(|c| !word(c)).unwrap_or(line.len());
    if end == 0 {
        return Err(Broken::new("no name of a metric"));
    }
    let mut labels = Labels::from([("__name__".to_owned(), line[..end].to_owned())]);
    let mut rest = line[end..].trim_start();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) =
                rest.split_once("=\"").ok_or_else(|| Broken::new("labels without an end"))?;
            let (value, length) =
                quoted(after).ok_or_else(|| Broken::new("a label without an end"))?;
            labels.insert(key.trim().to_owned(), value);
            rest = &after[length..];
        }
    }
    let mut words = rest.split_whitespace();
    let value = words.next().ok_or_else(|| Broken::new("no value"))?;
    // Rust reads Go's `+Inf` and `NaN` as they are.
    let value = value.parse().map_err(|_| Broken::new(format!("`{value}` is no number")))?;
    let time = words.next().filter(|word| *word != "#").and_then(epoch);
    Ok((labels, value, time))
}

/// The text up to a quote that is not escaped, and its length with the quote.
fn quoted(text: &str) -> Option<(String, usize)> {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match (escaped, c) {
            (true, 'n') => value.push('\n'),
            (true, c) => value.push(c),
            (false, '\\') => {
                escaped = true;
                continue;
            }
            (false, '"') => return Some((value, at + 1)),
            (false, c) => value.push(c),
        }
        escaped = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_quotes_and_times_of_samples_are_read() {
        let line =
            r#"http_x_count{handler="/items/{id}",note="a \"b\", c}",} 3.0 1795890619000 # {} 1"#;
        let (labels, value, time) = sample(line).expect("a sample");
        assert_eq!(labels["handler"], "/items/{id}");
        assert_eq!(labels["note"], "a \"b\", c}");
        assert_eq!((value, time), (3.0, Some(1_795_890_619.0)));
        assert!(sample("up 1").is_ok() && sample("x NaN").is_ok() && sample("x +Inf").is_ok());
        for wrong in ["", "{", "x", "x{", "x{a=\"", "x{a} 1", "x y"] {
            assert!(sample(wrong).is_err(), "{wrong}");
        }
    }
}
