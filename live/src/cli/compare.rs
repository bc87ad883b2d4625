//! `live compare`: saved runs side by side.

use model::read::Diagnostics;
use render::ladder::Document;
use render::{Console, Exit, Failure, saved};

use super::options::Compare;

/// Puts reports of any scenarios and dates into one table.
pub(super) fn run(options: &Compare, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let (mut reports, mut problems) = (Vec::new(), Vec::new());
    for path in &options.reports {
        match saved::read(path) {
            Ok(report) => reports.push((path.display().to_string(), report)),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::Refused(Diagnostics { diagnostics: problems }));
    }
    let steps = render::ladder::saved(reports);
    options.output.answer(&Document::comparison(steps), console)?;
    Ok(Exit::Success)
}
