//! The columns of a sweep's table: what a file for other programs has.

use std::collections::BTreeMap;

use model::objective::State;
use model::sweep::{Knee, Point, Sweep};

/// What a column has of a point; an empty cell where a number is not known.
pub(super) enum Column<'a> {
    Text(Of<'a, Option<String>>),
    Number(Of<'a, Option<f64>>),
    Count(Of<'a, i64>),
    Flag(Of<'a, Option<bool>>),
}

type Of<'a, T> = Box<dyn Fn(&Point) -> T + 'a>;

/// The columns with their names, in order. Times are in seconds, rates per second, shares between 0
/// and 1. Of `sweep` all but the points counts.
pub(super) fn columns(sweep: &Sweep) -> Vec<(String, Column<'_>)> {
    let mut all = Vec::new();
    for (index, axis) in sweep.axes.iter().enumerate() {
        let value = move |point: &Point| point.values.get(index).cloned();
        all.push((axis.key.clone(), Column::Text(Box::new(value))));
    }
    let runs = |point: &Point| i64::from(point.replications);
    all.push(("replications".into(), Column::Count(Box::new(runs))));
    estimate(&mut all, "throughput", |point| Some(point.figures.throughput));
    estimate(&mut all, "p50", |point| point.figures.p50);
    estimate(&mut all, "p95", |point| point.figures.p95);
    estimate(&mut all, "p99", |point| point.figures.p99);
    estimate(&mut all, "error_share", |point| Some(point.error_interval));
    all.push(("cpu".into(), Column::Number(Box::new(|point| point.figures.cpu))));
    all.push(("full".into(), Column::Text(Box::new(|point| point.figures.full.clone()))));
    let knees = knees(sweep);
    let is_knee = move |point: &Point| {
        let first = point.values.first().map(String::as_str);
        let at = point.values.get(1).map(String::as_str);
        Some(knees.get(&at).is_some_and(|knee| Some(*knee) == first))
    };
    all.push(("knee".into(), Column::Flag(Box::new(is_knee))));
    all.push(("cut_short".into(), flag(|point| Some(point.cut_short))));
    all.push(("falls_behind".into(), flag(|point| Some(point.falls_behind))));
    if !sweep.objectives.is_empty() {
        all.push(("kept".into(), flag(Point::kept)));
        all.push(("sure".into(), flag(|point| Some(point.is_sure()))));
    }
    for (index, objective) in sweep.objectives.iter().enumerate() {
        let kept = move |point: &Point| match point.objectives.get(index)?.state {
            State::Kept => Some(true),
            State::Broken => Some(false),
            State::Unknown => None,
        };
        all.push((format!("keep {objective}"), flag(kept)));
    }
    all
}

/// The value of the first key at the knee, for each value of the second.
fn knees(sweep: &Sweep) -> BTreeMap<Option<&str>, &str> {
    let bent = sweep.lines.iter().filter_map(|line| match &line.knee {
        Knee::At(value) => Some((line.at.as_deref(), value.as_str())),
        _ => None,
    });
    bent.collect()
}

type Estimated = fn(&Point) -> Option<model::statistics::Estimate>;

/// A number and the ends of its interval.
fn estimate<'a>(all: &mut Vec<(String, Column<'a>)>, name: &str, of: Estimated) {
    let number = |part: fn(&model::statistics::Estimate) -> f64| {
        Column::Number(Box::new(move |point: &Point| of(point).as_ref().map(part)))
    };
    all.push((name.into(), number(|estimate| estimate.value)));
    all.push((format!("{name}_low"), number(|estimate| estimate.low)));
    all.push((format!("{name}_high"), number(|estimate| estimate.high)));
}

fn flag<'a>(of: impl Fn(&Point) -> Option<bool> + 'a) -> Column<'a> {
    Column::Flag(Box::new(of))
}
