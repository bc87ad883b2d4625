//! Why reports and summaries are refused, with what to do instead.

use std::path::Path;

use model::read::{Diagnostic, Diagnostics};

use super::options::K6;
use crate::Mismatch;
use crate::k6::reported::Unfit;

/// The measurement in `measured` is not of what was predicted.
pub(super) fn mismatch(measured: &Path, why: &Mismatch) -> Diagnostics {
    let file = measured.display().to_string();
    Diagnostic::of_file(
        file,
        why.to_string(),
        "a predicted report and a measured one, of one scenario and seed",
        why.advice(),
    )
    .into()
}

/// No option changes the report in `file`: it is what it is.
///
/// # Errors
/// One does.
pub(super) fn unchanged(file: &Path, options: &K6) -> Result<(), Diagnostics> {
    if options.changes.are_none() && options.costs.is_none() {
        return Ok(());
    }
    let file = file.display().to_string();
    Err(Diagnostic::of_file(
        file,
        "is a report, which no --set, --seed or --costs can change",
        "with these options, a scenario and --k6 SUMMARY",
        "name the scenario file, or leave the options out",
    )
    .into())
}

/// The summary in `file` cannot be a measurement.
pub(super) fn unfit(file: &Path, why: &Unfit) -> Diagnostics {
    let file = file.display().to_string();
    Diagnostic::of_file(
        file,
        why.to_string(),
        "summaries of whole runs of one script",
        "run the script again, to its end",
    )
    .into()
}
