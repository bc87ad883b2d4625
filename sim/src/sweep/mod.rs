//! A scenario at several values of one or two keys, predicted on all processors.
//!
//! Every point is the answer of `sim scenario` to the scenario with these values: the same random
//! numbers, the whole window of the file, and as many runs. So points differ by their values, and by
//! chance as little as can be. They are computed in any order and told in that of the values: the
//! document is the same with any number of threads.
//!
//! `columns` is the document as a table, `csv` and `parquet` are files of it.

mod columns;
mod csv;
#[cfg(feature = "parquet")]
mod parquet;
mod words;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use model::read::{Diagnostics, Resolved};
use model::report::Kind;
use model::scenario::Scenario;
use model::statistics::Estimate;
use model::sweep::{Axis, Figures, Knee, Line, Point, Sweep};
use rayon::prelude::*;

use crate::answer;
use crate::engine::Runaway;
use crate::replicate::{Effort, replications};

pub use csv::csv;
#[cfg(feature = "parquet")]
pub use parquet::parquet;

/// Most points.
pub const MOST: usize = 100_000;
/// Problems of this many points are told one by one.
const TOLD: usize = 20;

/// What a sweep is about.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    resolved: &'a Resolved,
    axes: &'a [Axis],
    /// The values of each point.
    points: Vec<Vec<&'a str>>,
}

/// A point that does not come to its end.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// Its values: `users=50, workers=2`.
    pub point: String,
    /// What happened.
    pub why: Runaway,
}

impl<'a> Plan<'a> {
    /// The points of a sweep, each of which is checked.
    ///
    /// # Errors
    /// Every problem of any point, or that there are too many of them.
    pub fn new(resolved: &'a Resolved, axes: &'a [Axis]) -> Result<Plan<'a>, Diagnostics> {
        words::check(axes)?;
        let mut points: Vec<Vec<&str>> = vec![Vec::new()];
        for axis in axes {
            let longer = |point: &Vec<&'a str>, value: &'a str| {
                point.iter().copied().chain([value]).collect::<Vec<&str>>()
            };
            let all = points.iter().flat_map(|point| axis.values.iter().map(move |v| (point, v)));
            points = all.map(|(point, value)| longer(point, value)).collect();
        }
        let plan = Plan { resolved, axes, points };
        let wrong = |point: &Vec<&str>| plan.scenario(point).err();
        let problems: Vec<Diagnostics> = plan.points.par_iter().filter_map(wrong).collect();
        words::together(problems)?;
        Ok(plan)
    }

    fn sets(&self, point: &[&str]) -> Vec<(String, String)> {
        let pairs = self.axes.iter().zip(point);
        pairs.map(|(axis, value)| (axis.key.clone(), value.to_string())).collect()
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// There is no point.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Computes the points. `progress` hears how many are done, from any thread. Once `stop` is true,
    /// no further point is begun, and the answer has those that are done.
    ///
    /// # Errors
    /// The first point in order that does not come to its end.
    pub fn run(
        &self,
        effort: &Effort,
        stop: &AtomicBool,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Sweep, Stuck> {
        let done = AtomicUsize::new(0);
        let one = |values: &Vec<&str>| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let point = self.point(values, effort);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            Some(point)
        };
        let points: Vec<Option<Result<Point, Stuck>>> = self.points.par_iter().map(one).collect();
        let points: Vec<Point> = points.into_iter().flatten().collect::<Result<_, Stuck>>()?;
        Ok(self.document(points, effort))
    }

    /// The scenario with these values. Objectives of the command line are in no file.
    fn scenario(&self, values: &[&str]) -> Result<Scenario, Diagnostics> {
        let mut scenario = self.resolved.with(&self.sets(values))?;
        scenario.objectives.clone_from(&self.resolved.scenario.objectives);
        Ok(scenario)
    }

    fn point(&self, values: &[&str], effort: &Effort) -> Result<Point, Stuck> {
        let stuck = |why: Runaway| {
            let named = self.axes.iter().zip(values).map(|(axis, value)| axis.name(value));
            Stuck { point: named.collect::<Vec<_>>().join(", "), why }
        };
        let scenario = self.scenario(values).expect("values that were checked");
        let runs = replications(&scenario, effort, &mut |_| {}).map_err(stuck)?;
        let report = answer::report(&scenario, String::new(), &runs, effort.confidence);
        let classes = runs.seen.first().map_or(0, |first| first.classes.len());
        let errors = answer::errors_of(&runs.seen, 0..classes, effort.confidence).rounded();
        Ok(Point {
            values: values.iter().map(ToString::to_string).collect(),
            replications: report.run.replications,
            figures: Figures::of(&report),
            error_interval: errors,
            cut_short: report.cut_short,
            falls_behind: report.falls_behind.is_some(),
            objectives: report.objectives,
        })
    }

    fn document(&self, points: Vec<Point>, effort: &Effort) -> Sweep {
        let scenario = &self.resolved.scenario;
        let mut sweep = Sweep {
            schema: Sweep::SCHEMA,
            kind: Kind::Predicted,
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            digest: self.resolved.digest(),
            axes: self.axes.to_vec(),
            objectives: scenario.objectives.iter().map(ToString::to_string).collect(),
            confidence: effort.confidence,
            wanted: self.points.len() as u64,
            lines: Vec::new(),
            points,
            warnings: Vec::new(),
        };
        sweep.lines = lines(&sweep);
        sweep.warnings = words::warnings(&sweep, self.resolved);
        sweep
    }
}

/// Where throughput bends along the first key, for each value of the second.
fn lines(sweep: &Sweep) -> Vec<Line> {
    let Some(first) = sweep.axes.first() else { return Vec::new() };
    let line = |at: Option<&String>| {
        let along = sweep.points.iter().filter(|point| point.values.get(1) == at);
        // Without a point the curve is not known, which the knee says.
        let curve: Vec<Estimate> = along.map(|point| point.figures.throughput).collect();
        Line { at: at.cloned(), knee: Knee::of(&first.values, &curve) }
    };
    match sweep.axes.get(1) {
        Some(second) => second.values.iter().map(|value| line(Some(value))).collect(),
        None => vec![line(None)],
    }
}
