//! `validate compare --k6`: a prediction against what k6 has measured.

use std::path::Path;

use model::read::Diagnostics;
use model::report::{Kind, Report};
use render::{Console, Failure, saved};

use super::options::{CompareOptions, K6};
use super::refusal;
use crate::k6::{self, EndSummary, Reported};
use crate::measure::platform;
use crate::measure::platform::InstalledStack;
use crate::measure::predict::predict;
use crate::{Comparison, compare};

/// Rounds of the prediction: they cannot be paired with runs of k6.
const ROUNDS: u32 = 1;

/// Holds the scenario or report against k6's summaries.
pub(super) fn compared(
    options: &CompareOptions,
    console: &mut Console<'_>,
) -> Result<Comparison, Failure> {
    // A summary that is none is known at once, a prediction takes a while.
    let summaries = summaries(&options.k6)?;
    let (predicted, note) = expected(&options.predicted, &options.k6, console)?;
    let Reported { report, notes } = k6::report(&summaries, &predicted)
        .map_err(|(index, unfit)| refusal::unfit(&options.k6.summaries[index], &unfit))?;
    let mut comparison = compare(&predicted, &report, &options.tolerance.tolerances())
        .map_err(|why| refusal::mismatch(&options.k6.summaries[0], &why))?;
    comparison.warnings.extend(note.into_iter().chain(notes));
    Ok(comparison)
}

/// Every summary, or every problem with any.
fn summaries(options: &K6) -> Result<Vec<EndSummary>, Diagnostics> {
    let (mut summaries, mut problems) = (Vec::new(), Vec::new());
    for file in &options.summaries {
        match k6::summary::read(file) {
            Ok(summary) => summaries.push(summary),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(summaries) } else { Err(Diagnostics { diagnostics: problems }) }
}

/// The prediction, and a note on it.
fn expected(
    file: &Path,
    options: &K6,
    console: &mut Console<'_>,
) -> Result<(Report, Option<String>), Failure> {
    if file.is_dir() || file.extension().is_some_and(|ending| ending == "json") {
        return Ok(kept(file, options)?);
    }
    let resolved = options.changes.load(file, &[])?;
    let on = &options.on;
    let postgres = platform::uses_postgres([&resolved.scenario]);
    let installed = InstalledStack { on, versions: platform::versions(on), postgres };
    // A service of the user's own costs what the scenario says.
    let platform = match options.own || on.own().is_some() {
        true => None,
        false => platform::at_hand(options.costs.as_deref(), &installed, console)?,
    };
    let predicted = predict(&resolved, platform.as_ref(), ROUNDS)
        .map_err(|runaway| Failure::run(&resolved.scenario.name, runaway))?;
    let note = platform.map(|_| {
        let target = on.target().name();
        format!(
            "predicted is what rung's own {target} service does on this machine; for another \
             service, name the report of `sim scenario --format json` in place of the scenario"
        )
    });
    Ok((predicted, note))
}

/// A report that was kept, predicted or measured.
fn kept(file: &Path, options: &K6) -> Result<(Report, Option<String>), Diagnostics> {
    refusal::unchanged(file, options)?;
    let report = saved::read(file).map_err(|problem| Diagnostics { diagnostics: vec![problem] })?;
    let note = (report.kind == Kind::Measured).then(|| {
        "what stands as predicted was measured too, by rung's own load generator".to_string()
    });
    Ok((Report { kind: Kind::Predicted, ..report }, note))
}
