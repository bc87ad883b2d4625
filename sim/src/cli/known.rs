//! Predictions that may have been made before.

use model::read::Resolved;
use model::report::Report;

use crate::engine::Runaway;
use crate::predict::{Experiment, Stage, predict};
use crate::replicate::Effort;
use crate::store::{Key, Store};

/// Predicts what `resolved` does, or finds what the same build predicted of the same files.
///
/// # Errors
/// A run does not come to its end.
pub(super) fn predicted(
    resolved: &Resolved,
    effort: &Effort,
    experiment: Experiment,
    store: Option<&Store>,
    progress: &mut dyn FnMut(Stage<'_>),
) -> Result<Report, Runaway> {
    let Some(store) = store else { return predict(resolved, effort, experiment, progress) };
    // All that was read, comments included: advice depends on what is written and what is a default.
    let asked = [format!("{resolved:?}"), format!("{effort:?}"), format!("{experiment:?}")];
    let key = Key::of("report", &asked.each_ref().map(String::as_str));
    if let Some(known) = store.get(&key) {
        return Ok(known);
    }
    let report = predict(resolved, effort, experiment, progress)?;
    store.put(&key, &report);
    Ok(report)
}
