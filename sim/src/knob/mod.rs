//! What to change: by experiment, on the same random numbers.
//!
//! `candidate` lists what the owner of a service could change, and what each change costs. `trial`
//! runs the scenario with and without them; `goal` says by what they are judged; `search` decides
//! how many runs that takes and which change comes first, and what follows from it. `words` and
//! `how` say it.

mod candidate;
mod goal;
mod how;
mod missed;
mod search;
#[cfg(test)]
mod tests;
mod trial;
mod words;

use model::read::Resolved;
use model::report::{Bottleneck, Knob, Move, Report, Setting};
use model::scenario::Scenario;
use model::statistics::Estimate;

pub use candidate::{Candidate, candidates};
pub(crate) use candidate::{Price, blocks, double, twice};
pub use goal::Goal;
pub(crate) use goal::mean;
pub(crate) use words::most_of_the_time;

use crate::engine::Runaway;
use crate::observe::Observations;
use crate::replicate::Effort;
use missed::Missed;
use search::{Found, Moved, Search, Step};

/// Finds out what to change in the service that `report` is about, and writes it there. `path`:
/// what follows from the first change, too. The first change does not depend on `path`. `seen` are
/// the replications that the report is made of, which are not run again.
///
/// # Errors
/// The first [`Runaway`].
pub(crate) fn advise(
    resolved: &Resolved,
    effort: &Effort,
    wanted: Option<&Goal>,
    path: bool,
    seen: &[Observations],
    report: &mut Report,
) -> Result<(), Runaway> {
    let scenario = &resolved.scenario;
    let default = Goal::by_default(scenario, report);
    let goal = wanted.unwrap_or(&default);
    let budget = report.recovery.as_ref().and_then(|recovery| recovery.budget?.most);
    let search = Search { resolved, goal, effort, budget, seen };
    let mut step = search.first()?;
    // Faster processors make everything faster. That is no news where nothing is wrong.
    let is_asked = wanted.is_some() || Missed::most(scenario, report).is_some();
    if !is_asked && matches!(goal, Goal::Time { .. }) && !step.is_sure_below(Price::Hardware) {
        step.found = Found::Nothing;
    }
    let moves = if path { search.path(&step)? } else { Vec::new() };
    report.knobs = step.ranked.iter().map(|at| knob(resolved, &step, *at)).collect();
    let sentence = words::sentence(scenario, report, goal, &step);
    report.bottleneck = sentence.map(|sentence| {
        let (Found::Sure(best) | Found::Unsure(best)) = step.found else {
            let knob = words::load(scenario, report).to_string();
            return Bottleneck { knob, sentence, goal: goal.to_string(), ..Bottleneck::default() };
        };
        let candidate = step.trials.variants[best].candidate.as_ref();
        Bottleneck {
            knob: candidate.map_or(String::new(), Candidate::name),
            gain: step.trials.compare(best).gain.rounded().value,
            sentence,
            kind: candidate.map(|candidate| candidate.price.kind()),
            goal: goal.to_string(),
            how: candidate.and_then(|candidate| how::how(scenario, &candidate.changes)),
            path: moves.iter().map(|moved| in_report(resolved, moved)).collect(),
        }
    });
    if path {
        // The sentence is that of the search, whether there is a path or not.
        search.sharpen(&mut step)?;
        report.knobs = step.ranked.iter().map(|at| knob(resolved, &step, *at)).collect();
    }
    Ok(())
}

/// The keys and values of the change that `bottleneck` names for `scenario`; none if nothing is to be changed.
pub(crate) fn changes(scenario: &Scenario, bottleneck: &Bottleneck) -> Vec<Setting> {
    // The change is known by its keys; where nothing is to be changed there is none of that name.
    if bottleneck.kind.is_none() {
        return Vec::new();
    }
    let single = candidates(scenario);
    let mut pairs = single.iter().flat_map(|one| single.iter().map(|other| one.and(other)));
    let named = |one: &Candidate| one.name() == bottleneck.knob;
    let found = single.iter().find(|one| named(one)).cloned();
    found.or_else(|| pairs.find(named)).map_or(Vec::new(), |one| one.changes)
}

fn knob(
    resolved: &Resolved,
    step: &Step<'_>,
    (variant, compared): (usize, trial::Comparison),
) -> Knob {
    let trials = &step.trials;
    let moot = trials.is_moot(variant);
    let scores = &trials.variants[if moot { trial::BASE } else { variant }].scores;
    let rates: Vec<f64> = scores.iter().map(|score| score.rate).collect();
    let candidate = trials.variants[variant].candidate.as_ref();
    Knob {
        knob: candidate.map_or(String::new(), Candidate::name),
        from: candidate.map_or(String::new(), |c| c.values(|change| &change.from)),
        to: candidate.map_or(String::new(), |c| c.values(|change| &change.to)),
        throughput: Estimate::of_mean(&rates, 0.95).rounded().value,
        gain: compared.gain.rounded(),
        response_time_change: compared.slower.rounded(),
        reached: !moot,
        kind: candidate.map_or(Price::Line, |candidate| candidate.price).kind(),
        improvement: Some(compared.improvement.rounded()),
        how: candidate.and_then(|candidate| how::how(&resolved.scenario, &candidate.changes)),
    }
}

fn in_report(resolved: &Resolved, moved: &Moved) -> Move {
    let mean = |pick: fn(&trial::Score) -> f64| {
        let all: Vec<f64> = moved.after.iter().map(pick).collect();
        Estimate::of_mean(&all, 0.95).rounded().value
    };
    Move {
        changes: moved.changes.clone(),
        kind: moved.price.kind(),
        how: how::how(&resolved.scenario, &moved.changes),
        improvement: moved.comparison.improvement.rounded(),
        throughput: mean(|score| score.rate),
        error_share: mean(|score| score.errors),
        response_time: mean(|score| score.mean),
    }
}
