//! Objectives: each is one, is about what the scenario has, and all of them can hold at once.

use crate::keys::Fields;
use crate::objective::{Objective, Refused};
use crate::read::diagnostic::{Problem, Problems};
use crate::scenario::Scenario;

/// Refuses objectives that are none, and those that contradict each other.
pub(super) fn check(root: &Fields, problems: &mut Problems) {
    let list = root.list("objective").unwrap_or_default();
    let mut seen: Vec<Objective> = Vec::new();
    for entry in list {
        let Some(text) = entry.text("keep") else { continue };
        let read = text
            .parse::<Objective>()
            .and_then(|one| contradiction(&one, &seen).map_or(Ok(one), Err));
        match read {
            Ok(objective) => seen.push(objective),
            Err(refused) => problems.push(problem(entry, refused)),
        }
    }
}

/// Refuses objectives about endpoints and stations that the scenario does not have.
pub(super) fn check_names(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let list = root.list("objective").unwrap_or_default();
    for (entry, objective) in list.iter().zip(&scenario.objectives) {
        if let Some(refused) = scenario.lacks(objective) {
            problems.push(problem(entry, refused));
        }
    }
}

fn problem(entry: &Fields, refused: Refused) -> Problem {
    Problem::new(entry.position("keep"), refused.found)
        .allowed(refused.allowed)
        .maybe_advice(refused.advice)
}

/// Why `one` cannot hold beside the others.
pub(crate) fn contradiction(one: &Objective, others: &[Objective]) -> Option<Refused> {
    let other = others.iter().find(|other| one.contradicts(other))?;
    Some(Refused {
        found: format!("`{one}` and `{other}` cannot both hold"),
        allowed: "objectives that can hold at once".into(),
        advice: Some("remove one of them, or correct its limit".into()),
    })
}
