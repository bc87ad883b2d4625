//! What to change first, so that more load keeps the objectives.

use model::read::Resolved;
use model::report::{Bottleneck, Size};

use crate::engine::Runaway;
use crate::predict::{Experiment, predict};
use crate::replicate::Effort;

/// The first change under the load at which an objective breaks: the one above the answer, or where no load
/// keeps all, the one that is nearest. None where none breaks.
///
/// # Errors
/// The first [`Runaway`].
pub fn first_change(
    resolved: &Resolved,
    size: &Size,
    events_max: u64,
) -> Result<Option<Bottleneck>, Runaway> {
    let Some(nearest) = &size.breaks else { return Ok(None) };
    let load = (size.load.key().to_string(), size.load.value(nearest.load));
    // A load that was run is one that a file may have.
    let Ok(there) = resolved.changed(&[load]) else { return Ok(None) };
    let effort = Effort { precision: Some(Effort::PRECISION), events_max, ..Effort::default() };
    let report = predict(&there, &effort, Experiment::First(None), &mut |_| {})?;
    Ok(report.bottleneck)
}
