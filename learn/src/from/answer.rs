//! What `learn from` prints.

use render::Answer;
use render::number::{count, percent, rate, time};
use render::page::{Align, Fields, Note, Page, Table};
use serde::Serialize;

use crate::learned::Figure;
use crate::paths::Found;

/// A value with the ends of its 95 % interval, where they are known.
pub(super) type Interval = (f64, Option<f64>, Option<f64>);

/// What `learn from` prints.
#[derive(Clone, Debug, Serialize)]
pub struct FromAnswer {
    /// The files that were read.
    pub sources: Vec<String>,
    /// Windows in which requests stand beside CPU.
    pub windows: usize,
    /// Seconds of each.
    pub window_seconds: f64,
    /// The estimator of CPU per request.
    pub estimator: String,
    /// Why this one.
    pub why: String,
    /// Processors that are busy without requests.
    pub background: Option<f64>,
    /// Requests per second, with its interval.
    pub rate: Option<[f64; 3]>,
    /// The load in words.
    pub load: Option<String>,
    /// CPU seconds of a request at the mix that was seen.
    pub mean_cpu: Option<Interval>,
    /// The endpoints, most requests first.
    pub endpoints: Vec<EndpointAnswer>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// The file that was written.
    pub written: Option<String>,
}

/// One endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointAnswer {
    /// Its name.
    pub name: String,
    /// Requests.
    pub requests: u64,
    /// Its share of them.
    pub share: f64,
    /// CPU seconds of a request.
    pub cpu: Option<Interval>,
    /// A path of it.
    pub example: String,
}

pub(super) fn interval(figure: &Figure) -> Interval {
    (figure.value, figure.low, figure.high)
}

impl EndpointAnswer {
    pub(super) fn new(found: &Found, weight: &Figure, cpu: Option<&Figure>) -> EndpointAnswer {
        EndpointAnswer {
            name: found.name.clone(),
            requests: found.requests,
            share: weight.value / 100.0,
            cpu: cpu.map(interval),
            example: found.example.clone(),
        }
    }
}

/// Characters of an example that fit into a table.
const EXAMPLE: usize = 48;

impl Answer for FromAnswer {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title("What the records say of the service");
        let mut fields = Fields::new(2, 14);
        fields.text("read", self.sources.join("; "));
        if let Some([value, low, high]) = self.rate {
            fields.text("rate", format!("{}/s ({} to {})", rate(value), rate(low), rate(high)));
        }
        if let Some(load) = &self.load {
            fields.text("load", load.clone());
        }
        if self.windows > 0 {
            fields.text(
                "windows",
                format!("{} of {:.1} s", count(self.windows as f64), self.window_seconds),
            );
        }
        fields.text("CPU", format!("{}: {}", self.estimator, self.why));
        if let Some(mean) = self.mean_cpu {
            fields.text("CPU a request", shown(mean));
        }
        if let Some(background) = self.background {
            fields.text("idle CPU", format!("{} of a processor", percent(background)));
        }
        page.fields(fields);
        let columns = [
            ("endpoint", Align::Left),
            ("requests", Align::Right),
            ("share", Align::Right),
            ("CPU", Align::Left),
            ("example", Align::Left),
        ];
        let mut table = Table::new(&columns);
        for one in &self.endpoints {
            table.row([
                one.name.clone(),
                count(one.requests as f64),
                percent(one.share),
                one.cpu.map_or_else(|| "not known".into(), shown),
                one.example.chars().take(EXAMPLE).collect(),
            ]);
        }
        page.heading("Endpoints");
        page.table(table);
        page.lines(vec![
            "An endpoint that is cut wrongly is set right with --endpoint 'GET /items/{id}'."
                .into(),
        ]);
        let note = |text: &String| Note { kind: "note", text: text.clone(), strong: false };
        page.notes(self.notes.iter().map(note).collect());
        if let Some(file) = &self.written {
            page.sentence(format!("Written to {file}: `sim scenario {file}` predicts it."));
        }
        page
    }
}

fn shown((value, low, high): Interval) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} ({} to {})", time(value), time(low), time(high)),
        _ => time(value),
    }
}
