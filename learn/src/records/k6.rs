//! Samples of a k6 run: `k6 run --out json=run.ndjson`, `--out csv=run.csv`.

use std::borrow::Cow;

use serde::Deserialize;

use super::entry::{Entry, Target, user};
use super::lines::Broken;
use super::time::of_line;

/// What k6 says of the whole run, beside its requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Sum and number of samples of the users that were there.
    users: (f64, f64),
    /// The most users that were there.
    most: f64,
    /// Iterations that had no user: an executor with an arrival rate.
    pub dropped: f64,
    /// Columns of a CSV file.
    columns: Option<Columns>,
    record: csv::StringRecord,
}

#[derive(Clone, Debug, PartialEq)]
struct Columns {
    metric: usize,
    time: usize,
    value: usize,
    name: Option<usize>,
    url: Option<usize>,
    method: Option<usize>,
    status: Option<usize>,
    vu: Option<usize>,
    metadata: Option<usize>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    value: Option<f64>,
    #[serde(borrow)]
    tags: Option<Tags<'a>>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Default, Deserialize)]
struct Tags<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    vu: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    vu: Option<Cow<'a, str>>,
}

/// One sample of either form.
struct Sample<'a> {
    metric: &'a str,
    time: &'a str,
    value: f64,
    name: &'a str,
    url: &'a str,
    method: &'a str,
    status: &'a str,
    vu: &'a str,
}

impl Run {
    /// The request of a line of JSON; none for samples of other metrics.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn json(&mut self, line: &str) -> Result<Option<Entry>, Broken> {
        // Most lines: samples of other parts of the same requests.
        let part = line.strip_prefix("{\"metric\":\"http_req_");
        if part.is_some_and(|part| part.starts_with(['b', 'c', 't', 's', 'w', 'r'])) {
            return Ok(None);
        }
        let line: Line<'_> = serde_json::from_str(line)
            .map_err(|error| Broken::new(format!("no sample: {error}")))?;
        if line.kind != "Point" {
            return Ok(None);
        }
        let empty = Tags::default();
        let tags = line.data.tags.as_ref().unwrap_or(&empty);
        let text = |text: &'_ Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
        let metadata = line.data.metadata.as_ref().and_then(|data| data.vu.as_deref());
        let (name, url, method) = (text(&tags.name), text(&tags.url), text(&tags.method));
        self.sample(&Sample {
            metric: &line.metric,
            time: line.data.time.as_deref().unwrap_or_default(),
            value: line.data.value.ok_or_else(|| Broken::new("a sample without a value"))?,
            name: &name,
            url: &url,
            method: &method,
            status: tags.status.as_deref().unwrap_or_default(),
            vu: metadata.or(tags.vu.as_deref()).unwrap_or_default(),
        })
    }

    /// The request of a line of CSV; none for samples of other metrics and for the line of names.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn csv(&mut self, line: &str) -> Result<Option<Entry>, Broken> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(512)
            .from_reader(line.as_bytes());
        let mut record = std::mem::take(&mut self.record);
        let read = reader.read_record(&mut record);
        let entry = match read {
            Ok(true) => self.row(&record),
            Ok(false) => Ok(None),
            Err(error) => Err(Broken::new(format!("no CSV: {error}"))),
        };
        self.record = record;
        entry
    }

    fn row(&mut self, record: &csv::StringRecord) -> Result<Option<Entry>, Broken> {
        if record.get(0) == Some("metric_name") {
            let find = |name: &str| record.iter().position(|column| column == name);
            let missing = |name: &str| Broken::new(format!("no column `{name}`"));
            self.columns = Some(Columns {
                metric: 0,
                time: find("timestamp").ok_or_else(|| missing("timestamp"))?,
                value: find("metric_value").ok_or_else(|| missing("metric_value"))?,
                name: find("name"),
                url: find("url"),
                method: find("method"),
                status: find("status"),
                vu: find("vu"),
                metadata: find("metadata"),
            });
            return Ok(None);
        }
        let columns =
            self.columns.clone().ok_or_else(|| Broken::new("no line of names before it"))?;
        let get = |column: Option<usize>| column.and_then(|at| record.get(at)).unwrap_or_default();
        let value = get(Some(columns.value));
        let metadata = get(columns.metadata).split('&').find_map(|pair| pair.strip_prefix("vu="));
        self.sample(&Sample {
            metric: get(Some(columns.metric)),
            time: get(Some(columns.time)),
            value: value.parse().map_err(|_| Broken::new(format!("`{value}` is no number")))?,
            name: get(columns.name),
            url: get(columns.url),
            method: get(columns.method),
            status: get(columns.status),
            vu: metadata.unwrap_or(get(columns.vu)),
        })
    }

    fn sample(&mut self, sample: &Sample<'_>) -> Result<Option<Entry>, Broken> {
        match sample.metric {
            "vus" => {
                self.users = (self.users.0 + sample.value, self.users.1 + 1.0);
                self.most = self.most.max(sample.value);
            }
            "dropped_iterations" => self.dropped += sample.value,
            _ => {}
        }
        if sample.metric != "http_req_duration" {
            return Ok(None);
        }
        let end = of_line(sample.time)
            .ok_or_else(|| Broken::new(format!("`{}` is no time", sample.time)))?;
        if sample.name.is_empty() && sample.url.is_empty() {
            return Err(Broken::new("a request without a name or an address"));
        }
        Ok(Some(Entry {
            end: Some(end),
            duration: Some(sample.value / 1e3),
            status: sample.status.parse().ok().filter(|status| *status > 0),
            user: user(sample.vu),
            // No connection was made. One that timed out or broke took its time.
            elsewhere: sample.status == "0" && sample.value == 0.0,
            ..Entry::of(sample.method, target(sample.name, sample.url))
        }))
    }

    /// Users that were there on average; none if it was not recorded, or if requests came at a rate that
    /// does not wait for users.
    pub fn population(&self) -> Option<f64> {
        (self.users.1 > 0.0 && self.dropped == 0.0).then(|| self.users.0 / self.users.1)
    }
}

/// What a `name` tag says. k6 writes the address where the script gives no name.
fn target(name: &str, url: &str) -> Target {
    if name == url || name.is_empty() {
        return Target::Path(url.to_owned());
    }
    // `http.url` writes `${}` for what was put in.
    let route = name.replace("${}", "{id}");
    let path = route.split_once(' ').map_or(route.as_str(), |(_, path)| path);
    if path.starts_with('/') || path.contains("://") {
        return Target::Route(path.to_owned());
    }
    Target::Named(name.to_owned(), url.to_owned())
}
