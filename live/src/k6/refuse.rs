//! What of a load k6 cannot be told.

use model::read::{Diagnostic, Diagnostics, Resolved};
use model::scenario::{Group, Profile, Source};

use super::executor::{MOST_STAGES, bursts};
use super::replay::MOST_ARRIVALS;

/// Refuses a load that a script for k6 cannot put on a service.
///
/// # Errors
/// One diagnostic for each key, with its place in the file.
pub fn refuse(resolved: &Resolved) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    let scenario = &resolved.scenario;
    for group in scenario.load.groups().iter() {
        match &group.load.source {
            Source::Open { rate, on_off: Some(on_off), .. }
                if bursts(scenario, group, rate, on_off).is_none() =>
            {
                diagnostics.push(too_many_bursts(resolved, group, rate));
            }
            Source::Replay { trace, .. } if trace.count(group.load.total()) > MOST_ARRIVALS => {
                diagnostics.push(too_many_arrivals(resolved, group));
            }
            _ => {}
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}

fn too_many_arrivals(resolved: &Resolved, group: &Group) -> Diagnostic {
    let key = group.key("trace");
    resolved.refusal(
        &key,
        &format!("`{key}` has more than {MOST_ARRIVALS} arrivals for a script for k6"),
        &format!("at most {MOST_ARRIVALS} arrivals in a script"),
        "shorten the run with `--set load.duration=...`, or measure with `live`",
    )
}

fn too_many_bursts(resolved: &Resolved, group: &Group, rate: &Profile) -> Diagnostic {
    let key = group.key("on_off");
    let stages = group.key("stages");
    let (found, allowed) = match rate.stages.is_empty() {
        true => (
            format!("`{key}` makes more than {MOST_STAGES} stages of a script for k6"),
            "as many on and off times as make fewer stages",
        ),
        false => (
            format!("`{key}` with `{stages}` cannot be told to k6"),
            "`on_off` at a constant rate: k6 has one list of stages for both",
        ),
    };
    let advice = "shorten the run, write longer times, or keep one of the two keys";
    resolved.refusal(&key, &found, allowed, advice)
}
