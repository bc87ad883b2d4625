//! Reports that were saved, as every program takes them.

use std::path::Path;

use model::read::Diagnostic;
use model::report::{Report, SCHEMA};
use serde::Deserialize;

/// Name of the report in the folder of a run.
pub const REPORT: &str = "report.json";

/// The report in a run's folder, or in the file itself.
///
/// # Errors
/// It cannot be read, or is no report of this version.
pub fn read(path: &Path) -> Result<Report, Diagnostic> {
    let file = if path.is_dir() { path.join(REPORT) } else { path.to_path_buf() };
    let problem = |found: String, line: Option<usize>, column: Option<usize>| Diagnostic {
        file: file.display().to_string(),
        line: line.map(|line| line as u32),
        column: column.map(|column| column as u32),
        found,
        allowed: Some("a report of `live run` or `sim scenario --format json`".into()),
        advice: Some("name the folder of a run, such as runs/v2-20260101-120000".into()),
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| problem(format!("cannot be read: {error}"), None, None))?;
    if let Some(found) = other_version(&text) {
        return Err(problem(found, None, None));
    }
    serde_json::from_str(&text).map_err(|error| {
        problem(
            format!("is no report: {error}"),
            Some(error.line()).filter(|line| *line > 0),
            Some(error.column()).filter(|column| *column > 0),
        )
    })
}

/// That the document is one of another version, in words. It may have other fields: better to name
/// the version than a field.
pub fn other_version(text: &str) -> Option<String> {
    let Version { schema } = serde_json::from_str(text).ok()?;
    (schema != SCHEMA).then(|| format!("has the form {schema}, and this program reads {SCHEMA}"))
}

/// All that is read of a report of another version.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}
