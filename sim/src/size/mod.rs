//! How much load a service takes: the highest rate, or number of users, that keeps all objectives.
//!
//! `level` runs the scenario under one load, on the same random numbers at every load; `search`
//! looks for the load at which an objective breaks.
//!
//! **The interval** is the set of loads at which runs cannot tell kept from broken: at its lower end
//! the intervals of all numbers lie on the right side of their limits, at its upper end one lies
//! wholly on the wrong side. A load far from the answer needs few runs: those are tried first, with
//! 99 % confidence, and all of them only where few do not decide, with 96 %, so that both looks
//! together have 95 %. The number of the latter follows from a budget of simulated events.
//!
//! **Nothing is assumed to get worse with the load.** Loads well below and above the answer are tried
//! too: one below that surely breaks an objective becomes the new upper end, since a service that
//! works only above some load is of no use; one above that surely keeps all is reported.
//!
//! `dial` is what is turned: the load, or for `headroom` an upstream's latency or the CPU's costs, whose
//! keys `lever` knows.

mod dial;
mod first;
mod headroom;
mod level;
mod lever;
mod search;
mod words;

use model::read::{Diagnostics, Resolved};
use model::report::{Kind, Level, LoadKind, Size};
use model::scenario::{Scenario, Source};

use crate::engine::Runaway;
use dial::Dial;
pub use first::add_first_change;
use level::Levels;
pub(crate) use level::of_runs;
use search::{Found, Search};
pub(crate) use words::of_setting;

/// Events of all runs near the answer, unless one asks for fewer: some seconds of one core.
pub const BUDGET: u64 = 16_000_000;
/// The part of it for each headroom.
const HEADROOM: u64 = 4;
/// The part of it for the load that is taken once the first change is made.
const FIRST: u64 = 2;

/// Finds the highest load that keeps the objectives of `resolved`, with at most `events_max` events
/// in a run and about `budget` in all runs near the answer.
///
/// # Errors
/// The first [`Runaway`].
///
/// # Panics
/// The scenario was not [`check`]ed.
pub fn size(resolved: &Resolved, events_max: u64, budget: u64) -> Result<Size, Runaway> {
    let scenario = &resolved.scenario;
    let load = kind(&scenario.load.source).expect("a load that was checked");
    let (found, tried) = search(scenario, load, events_max, budget)?;
    let mut size = Size {
        schema: Size::SCHEMA,
        kind: Kind::Predicted,
        scenario: scenario.name.clone(),
        seed: scenario.seed,
        digest: resolved.digest(),
        load,
        objectives: scenario.objectives.iter().map(ToString::to_string).collect(),
        confidence: level::CONFIDENCE,
        holds: found.holds,
        unbroken: found.unbroken,
        throughput: found.throughput,
        first: None,
        breaks: found.breaks,
        check: found.check,
        exceptions: found.exceptions,
        levels: tried,
        headroom: Vec::new(),
        warnings: Vec::new(),
    };
    size.warnings = words::warnings(&size, scenario);
    if size.holds.is_none() && size.unbroken.is_none() {
        add_first_change(&mut size, resolved, events_max, budget)?;
    }
    Ok(size)
}

/// The load at which an objective breaks, and all loads that were tried.
fn search(
    scenario: &Scenario,
    load: LoadKind,
    events_max: u64,
    budget: u64,
) -> Result<(Found, Vec<Level>), Runaway> {
    let mut levels = Levels::new(scenario, Dial::Load(load), events_max, budget);
    let found = Search { levels: &mut levels }.run()?;
    let tried = levels.tried();
    Ok((found, tried))
}

/// Adds to `size`, the answer for the same scenario, how much of each thing is left under the load of
/// the scenario before an objective breaks.
///
/// # Errors
/// The first [`Runaway`].
pub fn add_headroom(
    size: &mut Size,
    resolved: &Resolved,
    events_max: u64,
    budget: u64,
) -> Result<(), Runaway> {
    size.headroom = headroom::headroom(resolved, size, events_max, budget / HEADROOM)?;
    Ok(())
}

/// What load the search is for; none of one that is not steady, or of several.
pub(crate) fn kind(source: &Source) -> Option<LoadKind> {
    let steady = source.profile().is_some_and(|profile| profile.stages.is_empty());
    match source {
        Source::Closed { .. } if steady => Some(LoadKind::Users),
        Source::Open { on_off: None, .. } if steady => Some(LoadKind::Rate),
        _ => None,
    }
}

/// Sees to it that there is something to look for.
///
/// # Errors
/// There is no objective, or none that sets an upper limit; or the load is not steady.
pub fn check(resolved: &Resolved) -> Result<(), Diagnostics> {
    let scenario = &resolved.scenario;
    if scenario.objectives.is_empty() {
        return Err(model::read::Diagnostic::of_file(
            resolved.path(),
            "there is no objective that tells how much is too much",
            model::objective::ALLOWED,
            "name one: --keep 'p99 < 800ms', or a table `[[objective]]` with `keep`",
        )
        .into());
    }
    if kind(&scenario.load.source).is_none() {
        return Err(resolved
            .refusal(
                "load",
                "the load is no steady one of its own: it has stages, bursts, groups or a trace",
                "one rate, or one number of users",
                "set a steady load in its place: --set load.rate=10/s, or --set load.users=10",
            )
            .into());
    }
    Ok(())
}
