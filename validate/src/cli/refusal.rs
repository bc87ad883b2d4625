//! Why reports and summaries are refused, with what to do instead.

use std::path::Path;

use model::read::{Diagnostic, Diagnostics};

use super::options::K6;
use crate::Mismatch;
use crate::k6::reported::Unfit;

/// The measurement in `measured` is not of what was predicted.
pub(super) fn mismatch(measured: &Path, why: &Mismatch) -> Diagnostics {
    let diagnostic = Diagnostic {
        file: measured.display().to_string(),
        line: None,
        column: None,
        found: why.to_string(),
        allowed: Some("a predicted report and a measured one, of one scenario and seed".into()),
        advice: Some(why.advice().into()),
    };
    Diagnostics { diagnostics: vec![diagnostic] }
}

/// No option changes the report in `file`: it is what it is.
///
/// # Errors
/// One does.
pub(super) fn unchanged(file: &Path, options: &K6) -> Result<(), Diagnostics> {
    if options.sets.is_empty() && options.seed.is_none() && options.costs.is_none() {
        return Ok(());
    }
    let diagnostic = Diagnostic {
        file: file.display().to_string(),
        line: None,
        column: None,
        found: "is a report, which no --set, --seed or --costs can change".into(),
        allowed: Some("with these options, a scenario and --k6 SUMMARY".into()),
        advice: Some("name the scenario file, or leave the options out".into()),
    };
    Err(Diagnostics { diagnostics: vec![diagnostic] })
}

/// The summary in `file` cannot be a measurement.
pub(super) fn unfit(file: &Path, why: &Unfit) -> Diagnostics {
    let diagnostic = Diagnostic {
        file: file.display().to_string(),
        line: None,
        column: None,
        found: why.to_string(),
        allowed: Some("summaries of whole runs of one script".into()),
        advice: Some("run the script again, to its end".into()),
    };
    Diagnostics { diagnostics: vec![diagnostic] }
}
