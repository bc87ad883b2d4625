//! A scenario at several values of one or two keys, predicted on all processors.
//!
//! Every point is the answer of `sim scenario` to the scenario with these values: the same random
//! numbers, the whole window of the file, and as many runs. So points differ by their values, and by
//! chance as little as can be. They are computed in any order and told in that of the values: the
//! document is the same with any number of threads.
//!
//! `part` has sweeps that several processes share. `columns` is the document as a table; `json`, `csv`
//! and `parquet` are files of it, written point by point.

mod columns;
mod csv;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
/// Sweeps in parts: shards and their merge.
pub mod part;
mod words;

use std::borrow::Cow;
use std::io::Write;
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
use crate::store::{Key, Store};
use part::{Job, Numbered, Share};
use words::Tally;

pub use csv::csv;
#[cfg(feature = "parquet")]
pub use parquet::parquet;

/// Most points.
pub const MOST: usize = 1_000_000;
/// Points that one processor computes before others may take over: few, so that all are at work to
/// the end.
const TOGETHER: usize = 8;
/// Keys whose values name files.
const NAME_FILES: [&str; 2] = ["costs", "load.trace"];
/// Problems of this many points are told one by one.
const TOLD: usize = 20;

/// What a sweep is about.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    resolved: &'a Resolved,
    axes: &'a [Axis],
    /// The part that is computed.
    share: Share,
    /// Points of all shares.
    wanted: usize,
    /// Points that were computed before.
    store: Option<&'a Store>,
}

/// A point on its way into a file, or why there is none.
pub type Told<'p> = Result<Cow<'p, Point>, String>;

/// A point that has no answer.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// Its values: `users=50, workers=2`.
    pub point: String,
    /// What happened, in words.
    pub why: String,
}

impl<'a> Plan<'a> {
    /// The points of a sweep, each of which is checked.
    ///
    /// # Errors
    /// Every problem of any point, or that there are too many of them.
    pub fn new(resolved: &'a Resolved, axes: &'a [Axis]) -> Result<Plan<'a>, Diagnostics> {
        Plan::of_share(resolved, axes, Share { index: 1, of: 1 })
    }

    /// The points of one share alone, each of which is checked.
    ///
    /// # Errors
    /// Every problem of any of its points, or that there are too many points in all.
    pub fn of_share(
        resolved: &'a Resolved,
        axes: &'a [Axis],
        share: Share,
    ) -> Result<Plan<'a>, Diagnostics> {
        words::check(axes)?;
        let wanted = axes.iter().map(|axis| axis.values.len()).product();
        let plan = Plan { resolved, axes, share, wanted, store: None };
        let wrong = |index: usize| plan.scenario(&plan.values(index)).err();
        let problems: Vec<Diagnostics> = plan.indices().into_par_iter().filter_map(wrong).collect();
        words::together(problems)?;
        Ok(plan)
    }

    /// The same, with answers that were computed before.
    #[must_use]
    pub fn with_store(self, store: Option<&'a Store>) -> Plan<'a> {
        Plan { store, ..self }
    }

    fn indices(&self) -> Vec<usize> {
        self.share.indices(self.wanted).collect()
    }

    fn values(&self, index: usize) -> Vec<&'a str> {
        part::values(self.axes, index)
    }

    fn sets(&self, point: &[&str]) -> Vec<(String, String)> {
        let pairs = self.axes.iter().zip(point);
        pairs.map(|(axis, value)| (axis.key.clone(), value.to_string())).collect()
    }

    /// A point by its values: `users=50, workers=2`.
    fn named(&self, values: &[&str]) -> String {
        let named = self.axes.iter().zip(values).map(|(axis, value)| axis.name(value));
        named.collect::<Vec<_>>().join(", ")
    }

    /// How many points are computed.
    pub fn len(&self) -> usize {
        self.share.indices(self.wanted).count()
    }

    /// There is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole sweep as data.
    pub fn job(&self, effort: &Effort) -> Job {
        let scenario = &self.resolved.scenario;
        Job {
            scenario: scenario.name.clone(),
            digest: self.digest(),
            seed: scenario.seed,
            vary: self.axes.to_vec(),
            keep: scenario.objectives.iter().map(ToString::to_string).collect(),
            effort: *effort,
            notes: self.resolved.notes(),
            learned: self.resolved.known().iter().any(|known| known.interval.is_some()),
        }
    }

    /// The digest of the scenario, and of what values of an axis are that name a file.
    fn digest(&self) -> String {
        let own = self.resolved.digest();
        let named = self.axes.iter().filter(|axis| NAME_FILES.contains(&axis.key.as_str()));
        let read = named.flat_map(|axis| {
            let at = |value: &String| self.resolved.with(&[(axis.key.clone(), value.clone())]);
            axis.values.iter().map(move |value| format!("{:?}", at(value).ok()))
        });
        let texts: Vec<String> = read.collect();
        if texts.is_empty() {
            return own;
        }
        let all: Vec<&str> = [&own].into_iter().chain(&texts).map(String::as_str).collect();
        Key::of("sweep", &all).as_str()[..own.len()].to_string()
    }

    /// Computes all points. `progress` hears how many are done, from any thread. Once `stop` is true,
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
        let mut tally = Tally::default();
        tally.expect(self.wanted);
        let points = self.points(effort, stop, progress)?;
        points.iter().for_each(|one| tally.add(one.index as usize, &one.point));
        let mut sweep = document(&self.job(effort), tally);
        sweep.points = points.into_iter().map(|one| one.point).collect();
        Ok(sweep)
    }

    /// Computes the points of the share, in order; fewer if `stop` becomes true.
    ///
    /// # Errors
    /// The first point in order that does not come to its end.
    pub fn points(
        &self,
        effort: &Effort,
        stop: &AtomicBool,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Numbered>, Stuck> {
        let done = AtomicUsize::new(0);
        let one = |index: usize| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let point = self.point(&self.values(index), effort);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            Some(point.map(|point| Numbered { index: index as u64, point }))
        };
        let points: Vec<Option<Result<Numbered, Stuck>>> =
            self.indices().into_par_iter().with_max_len(TOGETHER).map(one).collect();
        points.into_iter().flatten().collect()
    }

    /// The scenario with these values.
    fn scenario(&self, values: &[&str]) -> Result<Scenario, Diagnostics> {
        self.resolved.with(&self.sets(values))
    }

    fn point(&self, values: &[&str], effort: &Effort) -> Result<Point, Stuck> {
        let stuck = |why: Runaway| Stuck { point: self.named(values), why: why.to_string() };
        // It was checked, but a file that a value names may have changed since.
        let scenario = self
            .scenario(values)
            .map_err(|wrong| Stuck { point: self.named(values), why: wrong.to_string() })?;
        let asked = [format!("{scenario:?}"), format!("{effort:?}")];
        let key = Key::of("point", &asked.each_ref().map(String::as_str));
        let known: Option<Point> = self.store.and_then(|store| store.get(&key));
        if let Some(point) = known {
            // One value can be written in several ways.
            return Ok(Point { values: values.iter().map(ToString::to_string).collect(), ..point });
        }
        let runs = replications(&scenario, effort, &mut |_| {}).map_err(stuck)?;
        let report = answer::report(&scenario, String::new(), &runs, effort.confidence);
        let classes = runs.seen.first().map_or(0, |first| first.classes.len());
        let errors = answer::errors_of(&runs.seen, 0..classes, effort.confidence).rounded();
        let point = Point {
            values: values.iter().map(ToString::to_string).collect(),
            replications: report.run.replications,
            figures: Figures::of(&report),
            error_interval: errors,
            cut_short: report.cut_short,
            falls_behind: report.falls_behind.is_some(),
            objectives: report.objectives,
        };
        if let Some(store) = self.store {
            store.put(&key, &point);
        }
        Ok(point)
    }
}

/// The answer to `job` without its points, of which `tally` knows what is needed.
fn document(job: &Job, tally: Tally) -> Sweep {
    Sweep {
        schema: Sweep::SCHEMA,
        kind: Kind::Predicted,
        scenario: job.scenario.clone(),
        seed: job.seed,
        digest: job.digest.clone(),
        axes: job.vary.clone(),
        objectives: job.keep.clone(),
        confidence: job.effort.confidence,
        wanted: job.points() as u64,
        lines: lines(&job.vary, &tally),
        points: Vec::new(),
        warnings: words::warnings(&tally, job),
    }
}

/// Where throughput bends along the first key, for each value of the second.
fn lines(axes: &[Axis], tally: &Tally) -> Vec<Line> {
    let Some(first) = axes.first() else { return Vec::new() };
    let across = axes.get(1).map_or(1, |second| second.values.len());
    let line = |column: usize, at: Option<&String>| {
        // Without a point the curve is not known, which the knee says.
        let along = (0..first.values.len()).map(|row| row * across + column);
        let curve: Vec<Estimate> = along.filter_map(|index| tally.throughput(index)).collect();
        Line { at: at.cloned(), knee: Knee::of(&first.values, &curve) }
    };
    match axes.get(1) {
        Some(second) => {
            second.values.iter().enumerate().map(|(at, value)| line(at, Some(value))).collect()
        }
        None => vec![line(0, None)],
    }
}

/// The points of a sweep that is in memory, on their way into a file.
pub fn told(sweep: &Sweep) -> impl Iterator<Item = Told<'_>> {
    sweep.points.iter().map(|point| Ok(Cow::Borrowed(point)))
}

/// A form of a sweep that is written point by point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The document.
    Json,
    /// A table.
    Csv,
    /// The same table as a Parquet file.
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Writes `sweep`, whose points come one by one.
///
/// # Errors
/// A point cannot be told, or the file takes no more.
pub fn write<'p>(
    form: Form,
    sweep: &Sweep,
    points: impl Iterator<Item = Told<'p>>,
    out: &mut (dyn Write + Send),
) -> Result<(), String> {
    match form {
        Form::Json => json::write(sweep, points, out),
        Form::Csv => csv::write(sweep, points, out),
        #[cfg(feature = "parquet")]
        Form::Parquet => parquet::write(sweep, points, out),
    }
}
