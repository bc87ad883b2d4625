//! `validate compare`: can a prediction be trusted?

use std::path::Path;

use model::read::{Diagnostic, Diagnostics};
use model::report::Report;
use render::{Console, Exit, Failure, json, saved};

use super::options::CompareOptions;
use super::output::OutputFormat;
use super::summarised;
use crate::judge::Mismatch;
use crate::{Comparison, compare, told};

/// Holds a predicted report against a measured one.
pub(super) fn run(options: &CompareOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let comparison = match &options.measured {
        Some(measured) => of_reports(options, measured)?,
        None => summarised::compared(options, console)?,
    };
    let text = match options.output.format {
        OutputFormat::Text => told::text(&comparison, console.paint()),
        OutputFormat::Json => json(&comparison),
        OutputFormat::Markdown => told::markdown(&comparison),
    };
    console.data(&text)?;
    Ok(comparison.verdict.into())
}

fn of_reports(options: &CompareOptions, file: &Path) -> Result<Comparison, Diagnostics> {
    summarised::unchanged(&options.predicted, &options.k6)?;
    let (predicted, measured) = read(&options.predicted, file)?;
    compare(&predicted, &measured, &options.tolerance.tolerances())
        .map_err(|mismatch| refusal(file, &mismatch))
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

/// The measurement in `measured` is not of what was predicted.
pub(super) fn refusal(measured: &Path, mismatch: &Mismatch) -> Diagnostics {
    let diagnostic = Diagnostic {
        file: measured.display().to_string(),
        line: None,
        column: None,
        found: mismatch.to_string(),
        allowed: Some("a predicted report and a measured one, of one scenario and seed".into()),
        advice: Some(mismatch.advice().into()),
    };
    Diagnostics { diagnostics: vec![diagnostic] }
}
