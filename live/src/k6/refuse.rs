//! What of a load k6 cannot be told.

use model::read::{Diagnostics, Resolved};
use model::scenario::Source;

use super::executor::{MOST_STAGES, bursts};

/// Refuses a load that a script for k6 cannot put on a service.
///
/// # Errors
/// One diagnostic for each key, with its place in the file.
pub fn refuse(resolved: &Resolved) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    let scenario = &resolved.scenario;
    if let Source::Several(_) = scenario.load.source {
        diagnostics.push(resolved.refusal(
            "load.group",
            "several loads at once cannot be told to k6 yet",
            "one load: `users` or `rate`",
            "measure with `live run`, which runs all groups",
        ));
    }
    if let Source::Open { rate, on_off: Some(on_off), .. } = &scenario.load.source
        && bursts(scenario, rate, on_off).is_none()
    {
        let (found, allowed) = match rate.stages.is_empty() {
            true => (
                format!("`load.on_off` makes more than {MOST_STAGES} stages of a script for k6"),
                "as many on and off times as make fewer stages",
            ),
            false => (
                "`load.on_off` with `load.stages` cannot be told to k6".to_string(),
                "`on_off` at a constant rate: k6 has one list of stages for both",
            ),
        };
        let advice = "shorten the run, write longer times, or keep one of the two keys";
        diagnostics.push(resolved.refusal("load.on_off", &found, allowed, advice));
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}
