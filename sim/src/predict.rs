//! The whole prediction: a scenario and an effort in, a report out.

use model::read::Resolved;
use model::report::{Budget, Margins, Recovery, Report};
use model::scenario::Scenario;

use crate::answer;
use crate::client;
use crate::engine::Runaway;
use crate::knob::{self, Goal};
use crate::learned;
use crate::observe::Observations;
use crate::replicate::{Effort, replications, replications_at};

/// Whether to find out what to change, and by what that is judged; by what is wrong with the
/// service if no goal is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Nothing is tried.
    None,
    /// The first change.
    First(Option<Goal>),
    /// The first change, and what follows from it.
    Path(Option<Goal>),
}

/// What a prediction is busy with.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// Replications so far.
    Replicated(&'a [Observations]),
    /// This many knobs are about to be tried.
    Knobs(usize),
}

/// Predicts what `resolved` does. Where the number of replications is given, and not too large
/// to keep them apart, each is told by itself too. `progress` hears of each stage; what it
/// does with that changes nothing in the report.
///
/// # Errors
/// [`Runaway`] if a replication does not come to its end.
pub fn predict(
    resolved: &Resolved,
    effort: &Effort,
    experiment: Experiment,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Report, Runaway> {
    let scenario = &resolved.scenario;
    let seen = replications(scenario, effort, &mut |seen| progress(Stage::Replicated(seen)))?;
    let mut report = answer::report(scenario, resolved.digest(), &seen, effort.confidence);
    report.warnings.extend(resolved.notes());
    if effort.precision.is_none() {
        report.rounds = answer::rounds(scenario, &report.digest, &seen, effort.confidence);
    }
    let width = report.throughput.relative_half_width();
    if let Some(wanted) = effort.precision.filter(|&wanted| width > wanted) {
        report.warnings.push(format!(
            "the throughput's interval is ±{:.2} %, wider than the ±{} % asked for: stopped at \
             {} runs",
            width * 100.0,
            wanted * 100.0,
            report.run.replications,
        ));
    }
    let swings = matches!(experiment, Experiment::Path(_));
    report.margins = learned::margins(resolved, effort, &report, swings)?;
    report.warnings.extend(report.margins.iter().map(Margins::sentence));
    let (goal, path) = match &experiment {
        Experiment::None => return Ok(report),
        Experiment::First(goal) => (goal, false),
        Experiment::Path(goal) => (goal, true),
    };
    if let Some(recovery) = &mut report.recovery {
        recovery.budget = retry_budget(scenario, recovery, effort.events_max);
    }
    progress(Stage::Knobs(knob::candidates(scenario).len()));
    knob::advise(resolved, effort, goal.as_ref(), path, &seen.seen, &mut report)?;
    Ok(report)
}

/// Predicts `resolved` in one round for each of `speeds`, at least two and as few as are told apart: round `i` on
/// processors that are so many times as fast as those of the scenario. Nothing is tried.
///
/// # Errors
/// [`Runaway`] if a replication does not come to its end.
pub fn predict_at(resolved: &Resolved, speeds: &[f64], effort: &Effort) -> Result<Report, Runaway> {
    let scenario = &resolved.scenario;
    let seen = replications_at(scenario, speeds, effort.events_max)?;
    let mut report = answer::report(scenario, resolved.digest(), &seen, effort.confidence);
    report.warnings.extend(resolved.notes());
    report.rounds = answer::rounds(scenario, &report.digest, &seen, effort.confidence);
    report.margins = learned::margins(resolved, effort, &report, false)?;
    Ok(report)
}

/// The largest retry budget with which each of several runs recovers from the peak that `found`
/// speaks of; none if clients do not retry, or if it recovers as it is.
pub fn retry_budget(scenario: &Scenario, found: &Recovery, events_max: u64) -> Option<Budget> {
    client::search(scenario, found, events_max)
}
