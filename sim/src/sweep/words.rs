//! What is wrong with a sweep, and what to know before trusting it.

use model::read::{Diagnostic, Diagnostics};
use model::statistics::Estimate;
use model::sweep::{Axis, Point};

use super::part::Job;
use super::{MOST, TOLD};

fn refusal(found: String, allowed: &str, advice: &str) -> Diagnostics {
    Diagnostic {
        file: "--vary".into(),
        line: None,
        column: None,
        found,
        allowed: Some(allowed.into()),
        advice: Some(advice.into()),
    }
    .into()
}

/// Sees to it that there are one or two different keys, and not too many points.
pub(super) fn check(axes: &[Axis]) -> Result<(), Diagnostics> {
    if axes.len() > 2 {
        let found = format!("{} keys are varied at once", axes.len());
        let advice = "set the others to one value each: --set KEY=VALUE";
        return Err(refusal(found, "one key, or two", advice));
    }
    if let [first, second] = axes
        && first.key == second.key
    {
        let found = format!("`{}` is varied twice", first.key);
        let advice = "name all its values in one list: --vary KEY=1..8,16,32";
        return Err(refusal(found, "two different keys", advice));
    }
    let points = axes.iter().fold(1usize, |all, axis| all.saturating_mul(axis.values.len()));
    if points > MOST {
        let advice = "take larger steps, as in 1..1000:10, or a factor, as in 1..1024*2";
        return Err(refusal(format!("{points} points"), &format!("at most {MOST}"), advice));
    }
    Ok(())
}

/// Every problem once, and the first of very many.
pub(super) fn together(problems: Vec<Diagnostics>) -> Result<(), Diagnostics> {
    let mut all: Vec<Diagnostic> = Vec::new();
    let mut left = 0;
    for problem in problems.into_iter().flat_map(|problems| problems.diagnostics) {
        // An unknown key is as wrong with one value as with another.
        let same = |told: &Diagnostic| {
            (&told.found, &told.allowed, told.line)
                == (&problem.found, &problem.allowed, problem.line)
        };
        match all.iter().any(same) {
            true => {}
            false if all.len() < TOLD => all.push(problem),
            false => left += 1,
        }
    }
    if left > 0 {
        let found = format!("there are {left} more problems of this kind");
        all.extend(
            refusal(found, "values that the keys allow", "begin with those above").diagnostics,
        );
    }
    if all.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics: all }) }
}

/// What is to be known of the points beside the points themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Throughput of each point; not a number where there is none.
    curve: Vec<Estimate>,
    there: usize,
    cut_short: usize,
    falls_behind: usize,
    unsure: usize,
}

impl Tally {
    /// There are to be so many points.
    pub(super) fn expect(&mut self, points: usize) {
        self.curve.resize(points, Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN });
    }

    /// Counts the point at `index`, which is one of those that are expected.
    pub(super) fn add(&mut self, index: usize, point: &Point) {
        self.curve[index] = point.figures.throughput;
        self.there += 1;
        self.cut_short += usize::from(point.cut_short);
        self.falls_behind += usize::from(point.falls_behind);
        self.unsure += usize::from(point.kept().is_some() && !point.is_sure());
    }

    /// That of the point at `index`, if it is there.
    pub(super) fn throughput(&self, index: usize) -> Option<Estimate> {
        self.curve.get(index).copied().filter(|estimate| !estimate.value.is_nan())
    }
}

/// What a reader should know before trusting the answer.
pub(super) fn warnings(tally: &Tally, job: &Job) -> Vec<String> {
    let mut all = job.notes.clone();
    let of = |some: usize| format!("{some} of {} points", tally.there);
    let wanted = job.points();
    if tally.there < wanted {
        all.push(format!("interrupted: {} of {wanted} points are there", tally.there));
    }
    let cut = tally.cut_short;
    if cut > 0 {
        all.push(format!(
            "at {} slow requests are still in flight when the counted window ends, so that response \
             times are too short there (marked with <): lengthen load.warmup and load.duration",
            of(cut)
        ));
    }
    let behind = tally.falls_behind;
    if behind > 0 {
        all.push(format!(
            "at {} requests come faster than they are served (marked with ^): the longer the run, the \
             longer they wait",
            of(behind)
        ));
    }
    let unsure = tally.unsure;
    if unsure > 0 {
        all.push(format!(
            "at {} the limit of an objective lies in the interval of its number (marked with ?): \
             more runs decide (--replications)",
            of(unsure)
        ));
    }
    if job.learned {
        all.push(
            "intervals are those of chance alone: what is known of the learned numbers widens them, \
             as `sim scenario` tells for one point"
                .into(),
        );
    }
    all
}
