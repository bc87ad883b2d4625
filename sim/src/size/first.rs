//! What to change first, where no load keeps the objectives.

use model::read::Resolved;
use model::report::{Bottleneck, LoadKind, Size};

use crate::engine::Runaway;
use crate::predict::{Experiment, predict};
use crate::replicate::Effort;

/// The first change under the load that is nearest to keeping the objectives; none where a load keeps them.
///
/// # Errors
/// The first [`Runaway`].
pub(super) fn change(
    resolved: &Resolved,
    size: &Size,
    events_max: u64,
) -> Result<Option<Bottleneck>, Runaway> {
    let kept = size.holds.is_some() || size.unbroken.is_some();
    let Some(nearest) = size.breaks.as_ref().filter(|_| !kept) else { return Ok(None) };
    let load = match size.load {
        LoadKind::Users => ("load.users", size.load.number(nearest.load)),
        LoadKind::Rate => ("load.rate", format!("{}/s", size.load.number(nearest.load))),
    };
    // A load that was run is one that a file may have.
    let Ok(there) = resolved.changed(&[(load.0.to_string(), load.1)]) else { return Ok(None) };
    let effort = Effort { precision: Some(Effort::PRECISION), events_max, ..Effort::default() };
    let report = predict(&there, &effort, Experiment::First(None), &mut |_| {})?;
    Ok(report.bottleneck)
}
