//! The page of a sweep: a table of one key's values, or a grid of two keys'.

use clap::ValueEnum;
use model::objective::State;
use model::statistics::Estimate;
use model::sweep::{Axis, Knee, Point, Sweep};
use serde::Serialize;

use crate::page::{Align, Page, Series, Table};
use crate::{Answer, illustrated, number};

/// Curves of more points are not drawn.
const DRAWN: usize = 40;

/// The number that a grid shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// Good answers per second
    #[default]
    Throughput,
    /// Response time that half stay below
    P50,
    /// Response time that 95 of 100 stay below
    P95,
    /// Response time that 99 of 100 stay below
    P99,
    /// Share of requests that end in an error
    Errors,
    /// Share of the CPU in use
    Cpu,
    /// The station that is full
    Full,
    /// Whether all objectives are kept
    Kept,
}

/// A sweep, and what its grid shows. Its document is that of the sweep.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Shown<'a> {
    /// The sweep.
    pub sweep: &'a Sweep,
    /// The number in the grid.
    #[serde(skip)]
    pub show: Show,
}

impl Answer for Shown<'_> {
    fn page(&self) -> Page {
        let sweep = self.sweep;
        let mut page = Page::new();
        let keys: Vec<&str> = sweep.axes.iter().map(|axis| axis.key.as_str()).collect();
        page.title(format!("{}: {}", sweep.scenario, keys.join(" and ")));
        match &sweep.axes[..] {
            [first, second] => {
                page.heading(format!(
                    "{}: {} down, {} across",
                    self.show.words(),
                    keys[0],
                    keys[1]
                ));
                page.table(grid(sweep, self.show, first, second));
            }
            _ => {
                page.table(list(sweep));
                if sweep.points.len() <= DRAWN {
                    page.series(curve(sweep));
                }
            }
        }
        page.lines(said(sweep));
        page.warnings(&sweep.warnings);
        page
    }

    fn illustrated(&self) -> Page {
        illustrated::sweep(self.sweep, self.show, self.page())
    }
}

impl Show {
    /// As a number, for numbers that are larger or smaller; none of what is told in words.
    pub(crate) fn value(self, point: &Point) -> Option<f64> {
        let figures = &point.figures;
        let of = |time: Option<Estimate>| time.map(|time| time.value);
        match self {
            Show::Throughput => Some(figures.throughput.value),
            Show::P50 => of(figures.p50),
            Show::P95 => of(figures.p95),
            Show::P99 => of(figures.p99),
            Show::Errors => Some(figures.error_share),
            Show::Cpu => figures.cpu,
            Show::Full | Show::Kept => None,
        }
    }

    /// The name of a file with it.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Show::Throughput => "throughput",
            Show::P50 => "p50",
            Show::P95 => "p95",
            Show::P99 => "p99",
            Show::Errors => "errors",
            Show::Cpu => "cpu",
            Show::Full => "full",
            Show::Kept => "kept",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Show::Throughput => "Good answers/s",
            Show::P50 => "P50",
            Show::P95 => "P95",
            Show::P99 => "P99",
            Show::Errors => "Share of errors",
            Show::Cpu => "CPU in use",
            Show::Full => "What is full",
            Show::Kept => "Objectives",
        }
    }

    pub(crate) fn cell(self, point: &Point) -> String {
        let figures = &point.figures;
        match self {
            Show::Throughput => number::rate(figures.throughput.value),
            Show::P50 => time(figures.p50),
            Show::P95 => time(figures.p95),
            Show::P99 => time(figures.p99),
            Show::Errors => number::percent(figures.error_share),
            Show::Cpu => figures.cpu.map_or("-".into(), number::percent),
            Show::Full => full(point),
            Show::Kept => String::new(),
        }
    }
}

/// Every number of every point, one below the other.
fn list(sweep: &Sweep) -> Table {
    let key = sweep.axes.first().map_or("", |axis| axis.key.as_str());
    let mut columns = vec![(key, Align::Right)];
    columns
        .extend(["good/s", "", "P50", "", "P95", "", "P99", ""].map(|name| (name, Align::Right)));
    columns.extend([("errors", Align::Right), ("", Align::Right), ("CPU", Align::Right)]);
    columns.push(("full", Align::Left));
    columns.extend(sweep.objectives.iter().map(|objective| (objective.as_str(), Align::Left)));
    columns.extend([("", Align::Left), ("runs", Align::Right)]);
    let mut table = Table::new(&columns);
    for point in &sweep.points {
        let figures = &point.figures;
        let mut row = point.values.clone();
        row.push(number::rate(figures.throughput.value));
        row.push(format!("±{}", number::rate_half(&figures.throughput)));
        for times in [figures.p50, figures.p95, figures.p99] {
            row.extend([time(times), half(times)]);
        }
        row.push(number::percent(figures.error_share));
        row.push(format!("±{}", number::percent(point.error_interval.half_width())));
        row.push(figures.cpu.map_or("-".into(), number::percent));
        row.push(full(point));
        row.extend(point.objectives.iter().map(|one| {
            let doubt = if one.sure || one.state == State::Unknown { "" } else { "?" };
            format!("{}{doubt}", sign(one.state))
        }));
        let knee = if sweep.is_knee(point) { "knee" } else { "" };
        let marks = [marks(point).trim(), knee].join(" ");
        row.extend([marks.trim().to_string(), point.replications.to_string()]);
        table.row(row);
    }
    table
}

/// One number of every point: the first key's values downwards, the second's from left to right.
fn grid(sweep: &Sweep, show: Show, first: &Axis, second: &Axis) -> Table {
    let corner = format!("{} \\ {}", first.key, second.key);
    let mut columns = vec![(corner.as_str(), Align::Right)];
    columns.extend(second.values.iter().map(|value| (value.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    // Points are in the order of the cells; those that were not computed are missing.
    let mut points = sweep.points.iter().peekable();
    for down in &first.values {
        let mut row = vec![down.clone()];
        for across in &second.values {
            let here = |point: &&Point| point.values[0] == *down && point.values[1] == *across;
            row.push(points.next_if(here).map_or("-".into(), |point| {
                let knee = if sweep.is_knee(point) { "*" } else { "" };
                format!("{}{}{knee}", show.cell(point), state(point) + &marks(point))
            }));
        }
        table.row(row);
    }
    table
}

/// Whether the objectives are kept, if there are any.
fn state(point: &Point) -> String {
    let Some(kept) = point.kept() else { return String::new() };
    let sign = sign(if kept { State::Kept } else { State::Broken });
    format!(" {sign}{}", if point.is_sure() { "" } else { "?" })
}

fn sign(state: State) -> &'static str {
    match state {
        State::Kept => "✓",
        State::Broken => "✗",
        State::Unknown => "-",
    }
}

/// What is wrong with the numbers of a point.
fn marks(point: &Point) -> String {
    let cut = if point.cut_short { "<" } else { "" };
    let behind = if point.falls_behind { "^" } else { "" };
    format!("{cut}{behind}")
}

/// Throughput at each value.
fn curve(sweep: &Sweep) -> Series {
    let points = || sweep.points.iter();
    Series {
        key: sweep.axes.first().map_or(String::new(), |axis| axis.key.clone()),
        points: points().map(|point| point.values.join(" ")).collect(),
        quantity: "good/s".into(),
        curves: vec![(
            "predicted".into(),
            points().map(|point| Some(point.figures.throughput.value)).collect(),
        )],
    }
}

/// Where the curve bends, what a grid's marks mean, and how sure the numbers are.
fn said(sweep: &Sweep) -> Vec<String> {
    let mut all = Vec::new();
    let key = sweep.axes.first().map_or("", |axis| axis.key.as_str());
    let bends: Vec<(Option<&String>, String)> = sweep
        .lines
        .iter()
        .filter_map(|line| Some((line.at.as_ref(), line.knee.words()?)))
        .collect();
    let rule = Knee::RULE;
    match &bends[..] {
        [] => {}
        [(None, words)] => all.push(format!("More of {key} {words} ({rule}).")),
        several => {
            all.push(format!("* knee: down to here more of {key} pays ({rule})."));
            let nowhere = several.iter().filter(|(_, words)| words == Knee::NEVER).count();
            if nowhere > 0 {
                all.push(format!("It never pays in {nowhere} of {} columns.", sweep.lines.len()));
            }
        }
    }
    if sweep.axes.len() > 1 && !sweep.objectives.is_empty() {
        all.push(format!("✓ keeps, ✗ breaks: {}.", sweep.objectives.join(", ")));
    }
    let runs = sweep.points.iter().map(|point| point.replications);
    if let (Some(least), Some(most)) = (runs.clone().min(), runs.max()) {
        let runs = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let confidence = number::percent(sweep.confidence);
        let points = sweep.points.len();
        all.push(format!(
            "{points} points, {runs} runs each; intervals have {confidence} confidence."
        ));
    }
    all
}

fn full(point: &Point) -> String {
    point.figures.full.clone().unwrap_or_else(|| "nothing".into())
}

fn time(time: Option<Estimate>) -> String {
    time.map_or("-".into(), |time| number::time(time.value))
}

fn half(time: Option<Estimate>) -> String {
    time.map_or(String::new(), |time| format!("±{}", number::time_digits(time.half_width(), 2)))
}
