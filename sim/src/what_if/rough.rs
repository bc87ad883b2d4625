//! A rough answer, soon there: a few runs, and short ones where a run is long.

use model::read::Resolved;
use model::scenario::{Scenario, Source};

use super::{Failure, Numbers, Question, Runs, effort};
use crate::answer;
use crate::engine::Runaway;
use crate::replicate::{Effort, Replications, replications};

/// Runs. They are the first ones of the sharp answer, unless they are cut.
const RUNS: u32 = 4;
/// Events of one run: about 60 milliseconds of one core.
const EVENTS: u64 = 300_000;
/// A run that has more events is cut to this share of what these events reached.
const SHARE: f64 = 0.8;
/// How often a run is cut.
const CUTS: u32 = 4;

/// The numbers of a few runs.
pub(super) fn numbers(resolved: &Resolved, question: &Question) -> Result<Numbers, Failure> {
    let mut scenario = resolved.scenario.clone();
    let mut cut = false;
    let mut found = run(&scenario);
    for _ in 0..CUTS {
        let Err(Runaway::TooManyEvents { at, .. }) = &found else { break };
        let reached = at.nanos() as f64 / scenario.load.total().nanos().max(1) as f64;
        if !shorten(&mut scenario, SHARE * reached) {
            break;
        }
        cut = true;
        found = run(&scenario);
    }
    let seen = match found {
        Err(Runaway::TooManyEvents { .. }) => {
            return Err(Failure::Other("a run is too long for a rough answer".into()));
        }
        found => found?,
    };
    let runs = Runs::of(&seen.seen);
    // Runs of different lengths cannot be compared run by run.
    let against = question.against.as_ref().filter(|_| !cut);
    let report = answer::report(&scenario, String::new(), &seen, effort().confidence);
    let of = render::number::time_digits(scenario.load.duration.secs_f64(), 3);
    let runs_in_words = if cut { "short runs" } else { "runs" };
    let basis = format!("a rough answer: {RUNS} {runs_in_words} of {of}");
    Ok(Numbers::new(&scenario, &report, runs, against).rough(basis))
}

fn run(scenario: &Scenario) -> Result<Replications, Runaway> {
    let effort = Effort {
        replications: RUNS,
        replications_max: RUNS,
        precision: None,
        events_max: EVENTS,
        ..effort()
    };
    replications(scenario, &effort, &mut |_| {})
}

/// A window of this share of the length. What happens at set times leaves no choice.
fn shorten(scenario: &mut Scenario, share: f64) -> bool {
    let load = &mut scenario.load;
    let steady = match &load.source {
        Source::Several(_) => false,
        source => source.profile().is_some_and(|profile| profile.stages.is_empty()),
    };
    if !steady || !scenario.faults.is_empty() || share <= 0.0 {
        return false;
    }
    load.warmup = load.warmup.scale(share);
    load.duration = load.duration.scale(share);
    !load.duration.is_zero()
}
