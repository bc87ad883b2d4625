//! What to change first, so that more load keeps the objectives, and how much is taken then.

use model::read::Resolved;
use model::report::{First, Size};

use crate::engine::Runaway;
use crate::knob;
use crate::predict::{Experiment, predict};
use crate::replicate::Effort;

/// Adds to `size`, the answer for the same scenario, the first change under the load at which an objective
/// breaks: the one above the answer, or where no load keeps all, the one that is nearest. Nothing where
/// none breaks. `budget` is that of the search with the change.
///
/// # Errors
/// The first [`Runaway`].
pub fn add_first_change(
    size: &mut Size,
    resolved: &Resolved,
    events_max: u64,
    budget: u64,
) -> Result<(), Runaway> {
    let Some(nearest) = &size.breaks else { return Ok(()) };
    let load = (size.load.key().to_string(), size.load.value(nearest.load));
    // A load that was run is one that a file may have.
    let Ok(there) = resolved.changed(&[load]) else { return Ok(()) };
    let effort = Effort { precision: Some(Effort::PRECISION), events_max, ..Effort::default() };
    let report = predict(&there, &effort, Experiment::First(None), &mut |_| {})?;
    let Some(change) = report.bottleneck else { return Ok(()) };
    let sets: Vec<(String, String)> = knob::changes(&there.scenario, &change)
        .into_iter()
        .map(|change| (change.key, change.to))
        .collect();
    let mut first = First { change, holds: None, unbroken: None };
    if let Ok(changed) = resolved.changed(&sets)
        && !sets.is_empty()
    {
        let budget = budget / super::FIRST;
        let (found, _) = super::search(&changed.scenario, size.load, events_max, budget)?;
        (first.holds, first.unbroken) = (found.holds, found.unbroken);
    }
    size.first = Some(first);
    Ok(())
}
