//! `validate ladder`: does each change buy what it is predicted to buy?

use model::read::Rung;
use render::ci::{Case, Outcome};
use render::ladder::turned_knobs;
use render::{Console, Exit, Failure};

use super::options::LadderOptions;
use super::trial::{self, Trial};
use super::verdicts;
use crate::ladder::Climb;

/// Predicts, measures and compares a scenario and all that it extends.
pub(super) fn run(options: &LadderOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let format = options.output.format;
    let rungs = rungs(options)?;
    let trial = |rung: &Rung| Trial { name: rung.name.clone(), resolved: rung.resolved.clone() };
    let trials: Vec<Trial> = rungs.iter().map(trial).collect();
    let mut outcome =
        trial::run(&trials, &options.measuring, &options.until_decided, format, console)?;
    let comparisons = std::mem::take(&mut outcome.comparisons);
    if comparisons.is_empty() {
        // The measurement has printed why.
        return Ok(outcome.exit(Exit::Inconclusive));
    }
    let compared = rungs.iter().zip(&outcome.predicted).zip(comparisons).enumerate();
    let compared = compared.map(|(index, ((rung, predicted), comparison))| {
        let turned = (index > 0).then(|| turned(rung));
        crate::Rung::new(turned, predicted.published.clone(), comparison)
    });
    let name = rungs.last().map_or("", |rung| &rung.name);
    let climb = Climb::of(name, compared.collect());
    let rungs = climb.rungs.iter().map(|rung| &rung.comparison);
    let mut suite = verdicts::of_trials("validate ladder", &trials, rungs);
    suite.cases.push(order(&climb));
    options.output.judged("validate ladder", &climb, &[suite], console)?;
    Ok(outcome.exit(climb.exit()))
}

/// Whether the rungs are in the right order.
fn order(climb: &Climb) -> Case {
    let ranking = &climb.summary.ranking;
    let outcome = match (ranking.wrong.is_empty(), ranking.pairs) {
        (false, _) => Outcome::Failed,
        (true, 0) => Outcome::Open,
        (true, _) => Outcome::Passed,
    };
    Case {
        name: "order of the rungs".into(),
        outcome,
        found: format!("{} of {} pairs are in the right order", ranking.right, ranking.pairs),
        more: Vec::new(),
        place: None,
    }
}

/// The rungs, with windows that let many of them be measured.
fn rungs(options: &LadderOptions) -> Result<Vec<Rung>, Failure> {
    let timing = &options.measuring.timing;
    let written = options.source.rungs(&timing.chosen())?;
    let cut = timing.cut(written.iter().map(|rung| &rung.resolved));
    Ok(options.source.rungs(&cut)?)
}

/// All that a rung turns.
fn turned(rung: &Rung) -> String {
    let knobs = turned_knobs(rung);
    if knobs.is_empty() { "nothing".into() } else { knobs.join("; ") }
}
