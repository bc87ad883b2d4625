//! `sim ladder`: what did each change buy?

use render::ci::Suite;
use render::ladder::{Document, steps};
use render::{Console, Exit, Failure, objectives};

use super::known::predicted;
use super::options::Ladder;
use super::progress::Progress;
use crate::predict::Experiment;
use crate::replicate::Effort;

/// Predicts every rung of a ladder.
pub(super) fn run(options: &Ladder, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let rungs = options.source.rungs(&[])?;
    let effort = options.effort.effort(Effort::PRECISION_OF_A_RUNG);
    let store = options.effort.store(console);
    let mut progress = Progress::new(console, effort.confidence);
    let mut reports = Vec::with_capacity(rungs.len());
    for rung in &rungs {
        let experiment = Experiment::First(None);
        let mut report = |stage: crate::predict::Stage<'_>| progress.report(&rung.name, stage);
        let report = predicted(&rung.resolved, &effort, experiment, store.as_ref(), &mut report)
            .map_err(|runaway| Failure::run(&rung.name, runaway))?;
        reports.push(report);
    }
    drop(progress);
    let exit = objectives::exit(reports.iter().flat_map(|report| &report.objectives));
    let judged = rungs.iter().zip(&reports);
    let judged = judged.map(|(rung, report)| {
        Suite::objectives(&rung.name, &rung.resolved, &report.objectives, &[])
    });
    let verdicts: Vec<Suite> = judged.collect();
    let steps = steps(&rungs, reports);
    options.output.judged("sim ladder", &Document::ladder(steps), &verdicts, console)?;
    Ok(exit)
}
