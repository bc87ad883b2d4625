//! The whole prediction: a scenario and an effort in, a report out.

use model::read::Resolved;
use model::report::Report;

use crate::answer;
use crate::engine::Runaway;
use crate::knob::{self, Turned};
use crate::observe::Observations;
use crate::replicate::{Effort, replications};

/// On how many replications each knob is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// No knob is turned.
    None,
    /// On the first few: enough to name the limit, quick.
    First(u32),
    /// On all: intervals as tight as those of the answer.
    All,
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
    let base = match experiment {
        Experiment::None => return Ok(report),
        Experiment::First(count) => &seen.seen[..seen.seen.len().min(count as usize)],
        Experiment::All => &seen.seen,
    };
    let turned = turned(resolved);
    progress(Stage::Knobs(turned.len()));
    report.knobs = knob::experiment(base, turned, effort.confidence, effort.events_max)?;
    report.bottleneck = knob::bottleneck(scenario, &report);
    Ok(report)
}

/// The scenario with each of its limits relaxed, one at a time. A relaxed value that the
/// scenario's rules do not allow is left out: its owner could not turn the knob either.
fn turned(resolved: &Resolved) -> Vec<Turned> {
    let try_turning = |relaxation: knob::Relaxation| {
        let set = [(relaxation.key.clone(), relaxation.to.clone())];
        resolved.with(&set).ok().map(|scenario| (relaxation, scenario))
    };
    knob::relaxations(&resolved.scenario).into_iter().filter_map(try_turning).collect()
}
