//! `validate compare`: can a prediction be trusted?

use std::path::Path;

use model::read::Diagnostics;
use model::report::Report;
use render::ci::Suite;
use render::{Console, Exit, Failure, saved};

use super::options::CompareOptions;
use super::{refusal, summarised, verdicts};
use crate::{Comparison, compare};

/// Holds a predicted report against a measured one.
pub(super) fn run(options: &CompareOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let comparison = match &options.measured {
        Some(measured) => of_reports(options, measured)?,
        None => summarised::compared(options, console)?,
    };
    let cases = vec![verdicts::case(&comparison, None)];
    let suites = [Suite { name: "validate compare".into(), cases }];
    options.output.judged("validate compare", &comparison, &suites, console)?;
    Ok(comparison.verdict.into())
}

fn of_reports(options: &CompareOptions, file: &Path) -> Result<Comparison, Diagnostics> {
    refusal::unchanged(&options.predicted, &options.k6)?;
    let (predicted, measured) = read(&options.predicted, file)?;
    compare(&predicted, &measured, &options.tolerance.tolerances())
        .map_err(|why| refusal::mismatch(file, &why))
}

/// Both reports, or every problem with them.
fn read(predicted: &Path, measured: &Path) -> Result<(Report, Report), Diagnostics> {
    match (saved::read(predicted), saved::read(measured)) {
        (Ok(predicted), Ok(measured)) => Ok((predicted, measured)),
        (predicted, measured) => {
            let problems = predicted.err().into_iter().chain(measured.err());
            Err(Diagnostics { diagnostics: problems.collect() })
        }
    }
}
