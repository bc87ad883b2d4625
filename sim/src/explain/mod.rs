//! The answer of `sim explain`.

pub mod program;

use model::report::{Knob, KnobKind, Report, Setting};
use model::scenario::Scenario;
use model::statistics::Estimate;
use render::page::{Align, Page, Table};
use render::{Answer, number, objectives, parts, scenario};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use program::{Program, programs};

/// Why the service does what it does: the report, and what its requests are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The prediction, with all limits relaxed.
    #[serde(flatten)]
    pub report: Report,
    /// What the requests of each endpoint do.
    pub programs: Vec<Program>,
}

impl Explanation {
    /// Half width of the throughput's interval that is aimed at unless the user says otherwise.
    pub const PRECISION: f64 = 0.02;

    /// The explanation that `report` is the prediction of.
    pub(crate) fn new(scenario: &Scenario, report: Report) -> Explanation {
        let plan = Plan::new(scenario, scenario.seed);
        Explanation { report, programs: programs(scenario, &plan) }
    }
}

/// The JSON Schema of the answer of `sim explain`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Explanation).to_value()
}

impl Answer for Explanation {
    fn page(&self) -> Page {
        let report = &self.report;
        let mut page = Page::new();
        page.title(parts::title(report));
        page.fields(scenario::summary(report));
        objectives::show(&mut page, &report.objectives);
        page.heading("Each change by itself, all else and all random numbers equal:");
        page.table(knobs(report));
        if let Some(path) = path(report) {
            let goal = report.bottleneck.as_ref().map_or("", |bottleneck| &bottleneck.goal);
            page.heading(format!("What to change for better {goal}, each on top of those above:"));
            page.table(path);
        }
        page.heading(parts::BOUNDS);
        page.table(parts::bounds(&report.bounds));
        if report.run.samples > 0 {
            let mean = number::time(report.response_time.mean);
            page.heading(format!("Where the {mean} of a good answer go:"));
            page.bars(parts::time(&report.time, 0.0));
        }
        page.heading("What requests use and wait for:");
        page.table(parts::stations(&report.stations, false));
        if let Some(workers) = parts::workers(&report.workers) {
            page.heading("Workers, the busiest of each run first:");
            page.table(workers);
        }
        page.heading("What a request does, and what that takes on average if it waits for nobody:");
        for program in &self.programs {
            program.write(&mut page);
        }
        scenario::closing(&mut page, report);
        page
    }

    fn illustrated(&self) -> Page {
        scenario::illustrated(&self.report, self.page())
    }
}

/// Everything that was tried. The goal has a column of its own unless it is throughput.
fn knobs(report: &Report) -> Table {
    let goal = report.bottleneck.as_ref().map_or("", |bottleneck| &bottleneck.goal);
    let other = !matches!(goal, "" | "throughput");
    let heading = format!("better {goal}");
    let mut columns =
        vec![("knob", Align::Left), ("from", Align::Left), ("to", Align::Left), ("", Align::Left)];
    if other {
        columns.extend([(heading.as_str(), Align::Right), ("", Align::Left)]);
    }
    columns.extend([
        ("good/s", Align::Right),
        ("gain", Align::Right),
        ("", Align::Left),
        ("mean response time", Align::Right),
        ("", Align::Left),
    ]);
    let mut table = Table::new(&columns);
    for knob in &report.knobs {
        table.row(row(report, knob, other));
    }
    table.indented(2)
}

fn row(report: &Report, knob: &Knob, other: bool) -> Vec<String> {
    let dash = || ["-".to_string(), String::new()];
    let Knob { gain, response_time_change: slower, .. } = knob;
    let kind = match knob.kind {
        KnobKind::Setting => "",
        KnobKind::Hardware => "hardware",
    };
    let (gain, times) = if report.throughput.value == 0.0 {
        // A ratio to nothing has no meaning.
        (dash(), dash())
    } else if !knob.reached {
        (["never reached".into(), String::new()], dash())
    } else {
        (estimate(gain), estimate(slower))
    };
    let mut row = vec![knob.knob.clone(), knob.from.clone(), knob.to.clone(), kind.into()];
    if other {
        let known = knob.improvement.filter(|_| knob.reached);
        row.extend(known.as_ref().map_or(dash(), estimate));
    }
    row.push(number::rate(knob.throughput));
    row.into_iter().chain(gain).chain(times).collect()
}

/// What to change, one after the other.
fn path(report: &Report) -> Option<Table> {
    let moves = &report.bottleneck.as_ref()?.path;
    if moves.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("", Align::Right),
        ("change", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("improves by", Align::Right),
        ("", Align::Left),
        ("good/s", Align::Right),
        ("mean", Align::Right),
        ("errors", Align::Right),
        ("how", Align::Left),
    ]);
    for (index, one) in moves.iter().enumerate() {
        let all = |pick: fn(&Setting) -> &String| {
            let mut values: Vec<&str> = one.changes.iter().map(|c| pick(c).as_str()).collect();
            values.dedup();
            values.join(" + ")
        };
        let [improvement, half] = estimate(&one.improvement);
        let hardware = if one.kind == KnobKind::Hardware { "hardware: " } else { "" };
        table.row([
            format!("{}.", index + 1),
            all(|change| &change.key),
            all(|change| &change.from),
            all(|change| &change.to),
            improvement,
            half,
            number::rate(one.throughput),
            number::time(one.response_time),
            number::percent(one.error_share),
            format!("{hardware}{}", one.how.as_deref().unwrap_or("")),
        ]);
    }
    Some(table.indented(2))
}

/// A change and half its interval, in points of the same percentage.
fn estimate(change: &Estimate) -> [String; 2] {
    let half = change.half_width() * 100.0;
    [number::change(change.value), format!("±{half:.1}")]
}
