//! What is wrong with a question, and what to know before trusting its answer.

use model::objective::State;
use model::read::{Diagnostic, Diagnostics, Resolved};
use model::report::{Choice, LoadKind};
use model::scenario::{Scenario, Source};

pub(super) fn refusal(option: &str, found: String, allowed: &str, advice: &str) -> Diagnostics {
    Diagnostic {
        file: option.into(),
        line: None,
        column: None,
        found,
        allowed: Some(allowed.into()),
        advice: Some(advice.into()),
    }
    .into()
}

/// Sees to it that there is something to keep.
pub(super) fn check(resolved: &Resolved) -> Result<(), Diagnostics> {
    if resolved.scenario.objectives.is_empty() {
        return Err(refusal(
            resolved.path(),
            "there is no objective that a setting has to keep".into(),
            model::objective::ALLOWED,
            "name one: --keep 'p99 < 800ms', or a table `[[objective]]` with `keep`",
        ));
    }
    Ok(())
}

/// The load in words.
pub(super) fn load(scenario: &Scenario) -> String {
    let steady = scenario.load.source.profile().filter(|profile| profile.stages.is_empty());
    match (&scenario.load.source, steady) {
        (Source::Closed { .. }, Some(profile)) => LoadKind::Users.words(profile.start),
        (Source::Open { on_off: None, .. }, Some(profile)) => LoadKind::Rate.words(profile.start),
        _ => "the load of the file".into(),
    }
}

/// What a reader should know before trusting the answer.
pub(super) fn warnings(choice: &Choice, resolved: &Resolved) -> Vec<String> {
    let mut all = resolved.notes();
    if choice.refused > 0 {
        all.push(format!(
            "{} of {} settings are none that a scenario may have, and were left out",
            choice.refused, choice.settings
        ));
    }
    if choice.untried > 0 {
        all.push(format!(
            "{} dearer settings were not tried: the search has used up its events. Name fewer values, \
             or shorten load.duration",
            choice.untried
        ));
    }
    let seen = choice.chosen.as_ref().or(choice.tried.first());
    for judged in seen.iter().flat_map(|one| &one.level.objectives) {
        if judged.state == State::Unknown {
            all.push(format!(
                "`{}` is not told by this scenario, and was left out",
                judged.objective
            ));
        }
    }
    if let Some(chosen) = &choice.chosen
        && let Some(axis) = choice
            .keys
            .iter()
            .zip(&chosen.values)
            .find(|(axis, value)| axis.values.first() == Some(value) && choice.keys.len() == 1)
    {
        all.push(format!(
            "{} is the first value of {} that was named: a smaller one may hold as well",
            axis.1, axis.0.key
        ));
    }
    all
}
