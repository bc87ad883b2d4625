//! The document as a table with a row for each point: what a file for other programs has.

use model::objective::State;
use model::sweep::{Point, Sweep};

/// The values of a column, one for each point; an empty cell where a number is not known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    Text(Vec<Option<String>>),
    Number(Vec<Option<f64>>),
    Count(Vec<i64>),
    Flag(Vec<Option<bool>>),
}

/// The columns with their names, in order. Times are in seconds, rates per second, shares between 0
/// and 1.
pub(super) fn columns(sweep: &Sweep) -> Vec<(String, Column)> {
    let mut all = Vec::new();
    for (index, axis) in sweep.axes.iter().enumerate() {
        let values = sweep.points.iter().map(|point| point.values.get(index).cloned());
        all.push((axis.key.clone(), Column::Text(values.collect())));
    }
    let runs = sweep.points.iter().map(|point| i64::from(point.replications));
    all.push(("replications".into(), Column::Count(runs.collect())));
    estimate(&mut all, sweep, "throughput", |point| Some(point.figures.throughput));
    estimate(&mut all, sweep, "p50", |point| point.figures.p50);
    estimate(&mut all, sweep, "p95", |point| point.figures.p95);
    estimate(&mut all, sweep, "p99", |point| point.figures.p99);
    estimate(&mut all, sweep, "error_share", |point| Some(point.error_interval));
    all.push(("cpu".into(), number(sweep, |point| point.figures.cpu)));
    let full = sweep.points.iter().map(|point| point.figures.full.clone());
    all.push(("full".into(), Column::Text(full.collect())));
    all.push(("knee".into(), flag(sweep, |point| Some(sweep.is_knee(point)))));
    all.push(("cut_short".into(), flag(sweep, |point| Some(point.cut_short))));
    all.push(("falls_behind".into(), flag(sweep, |point| Some(point.falls_behind))));
    if !sweep.objectives.is_empty() {
        all.push(("kept".into(), flag(sweep, Point::kept)));
        all.push(("sure".into(), flag(sweep, |point| Some(point.is_sure()))));
    }
    for (index, objective) in sweep.objectives.iter().enumerate() {
        let kept = |point: &Point| match point.objectives.get(index)?.state {
            State::Kept => Some(true),
            State::Broken => Some(false),
            State::Unknown => None,
        };
        all.push((format!("keep {objective}"), flag(sweep, kept)));
    }
    all
}

type Estimated = fn(&Point) -> Option<model::statistics::Estimate>;

/// A number and the ends of its interval.
fn estimate(all: &mut Vec<(String, Column)>, sweep: &Sweep, name: &str, of: Estimated) {
    all.push((name.into(), number(sweep, |point| Some(of(point)?.value))));
    all.push((format!("{name}_low"), number(sweep, |point| Some(of(point)?.low))));
    all.push((format!("{name}_high"), number(sweep, |point| Some(of(point)?.high))));
}

fn number(sweep: &Sweep, of: impl Fn(&Point) -> Option<f64>) -> Column {
    Column::Number(sweep.points.iter().map(of).collect())
}

fn flag(sweep: &Sweep, of: impl Fn(&Point) -> Option<bool>) -> Column {
    Column::Flag(sweep.points.iter().map(of).collect())
}
