//! Verdicts on predictions, for build servers.

use model::read::Resolved;
use render::Exit;
use render::beside::Headline;
use render::ci::{Case, Outcome, Place, Suite};

use super::trial::Trial;
use crate::judge::comparison::{Comparison, Verdict};
use crate::proof::{Proof, Proved};

/// A case for each comparison, at the scenario that it is of.
pub(super) fn of_trials<'a>(
    name: &str,
    trials: &[Trial],
    comparisons: impl IntoIterator<Item = &'a Comparison>,
) -> Suite {
    let pairs = comparisons.into_iter().zip(trials);
    let cases = pairs.map(|(comparison, trial)| case(comparison, Some(&trial.resolved)));
    Suite { name: name.to_string(), cases: cases.collect() }
}

/// Whether it takes as much load as predicted.
pub(super) fn of_proof(proof: &Proof, resolved: &Resolved) -> Suite {
    let load = |one: &Proved| {
        let word = match one.verdict {
            Verdict::Agree => "as predicted",
            Verdict::Disagree => "not as predicted",
            Verdict::Inconclusive => "cannot be told",
        };
        let head = format!("{}: {word}", proof.size.load.words(one.load));
        std::iter::once(head).chain(one.doubts.iter().cloned()).collect::<Vec<_>>().join("; ")
    };
    let case = Case {
        name: proof.size.objectives.join(", "),
        outcome: match proof.exit() {
            Exit::Success => Outcome::Passed,
            Exit::Inconclusive => Outcome::Open,
            _ => Outcome::Failed,
        },
        found: proof.size.headline(),
        more: proof.loads.iter().map(load).collect(),
        place: Some(Place::of(resolved)),
    };
    Suite { name: resolved.scenario.name.clone(), cases: vec![case] }
}

/// The case of one comparison.
pub(super) fn case(comparison: &Comparison, of: Option<&Resolved>) -> Case {
    let (outcome, found) = match comparison.verdict {
        Verdict::Agree => (Outcome::Passed, "prediction and measurement agree"),
        Verdict::Disagree => (Outcome::Failed, "prediction and measurement disagree"),
        Verdict::Inconclusive => (Outcome::Open, "the measurement cannot tell"),
    };
    Case {
        name: comparison.name.clone(),
        outcome,
        found: found.into(),
        more: comparison.reasons.clone(),
        place: of.map(Place::of),
    }
}
