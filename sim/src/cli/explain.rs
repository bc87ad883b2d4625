//! `sim explain`: why?

use render::ci::Suite;
use render::{Console, Exit, Failure, objectives};

use super::known::predicted;
use super::options::Predict;
use super::progress::Progress;
use crate::explain::Explanation;
use crate::predict::Experiment;

/// Explains one scenario.
pub(super) fn run(options: &Predict, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let mut resolved = options.source.load(&[])?;
    options.keep.apply(&mut resolved)?;
    let name = &resolved.scenario.name;
    let effort = options.effort.effort(Explanation::PRECISION);
    let experiment = Experiment::Path(options.goal.checked(&resolved.scenario)?);
    let store = options.effort.store(console);
    let mut progress = Progress::new(console, effort.confidence);
    let mut report = predicted(&resolved, &effort, experiment, store.as_ref(), &mut |stage| {
        progress.report(name, stage)
    })
    .map_err(|runaway| Failure::run(name, runaway))?;
    drop(progress);
    options.add_over_time(&resolved, &mut report)?;
    let explanation = Explanation::new(&resolved.scenario, report);
    let report = &explanation.report;
    let verdicts = [Suite::objectives(name, &resolved, &report.objectives, &[])];
    options.output.judged("sim explain", &explanation, &verdicts, console)?;
    Ok(objectives::exit(&report.objectives))
}
