//! `live ladder`: what did each change buy, for real?

use model::read::Resolved;
use render::ladder::Document;
use render::{Console, Exit, Failure};

use super::measure::measure;
use super::options::Ladder;
use super::run::verdicts;

/// Measures a scenario and all that it extends.
pub(super) fn run(options: &Ladder, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let measuring = &options.measuring;
    let rungs = options.source.rungs(&measuring.timing.sets())?;
    let scenarios: Vec<&Resolved> = rungs.iter().map(|rung| &rung.resolved).collect();
    let session = measure(&scenarios, measuring, None, console)?;
    let reports: Vec<_> = session.measured.iter().map(|measured| measured.report.clone()).collect();
    // An interrupt or a failure may have left out the last rungs.
    let steps = render::ladder::steps(&rungs[..reports.len()], reports);
    let verdicts = verdicts(&scenarios, &session);
    options.output.judged("live ladder", &Document::ladder(steps), &verdicts, console)?;
    session.end(console, options.output.format)
}
