//! `validate size`: how much load it takes, and whether the real service took it.

use live::Interrupt;
use model::read::{Diagnostics, Resolved};
use model::report::{LoadKind, Report, Size};
use render::{Console, Exit, Failure};
use sim::size::{BUDGET, check, size};

use super::options::SizeOptions;
use super::trial::{self, Trial};
use super::verdicts;
use crate::compare;
use crate::measure::platform::{self, InstalledStack, Platform};
use crate::measure::predict::{overlay, predict_alone};
use crate::measure::run::{End, LiveRun, measure};
use crate::proof::{Proof, Proved, SHARES};

/// Most events of one run of the search.
const EVENTS_MAX: u64 = 100_000_000;

/// Predicts the highest load on the costs of this machine, and measures around it.
pub(super) fn run(options: &SizeOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let measuring = &options.measuring;
    let resolved = load(options, &[])?;
    check(&resolved)?;
    let asked = [Trial { name: resolved.scenario.name.clone(), resolved: resolved.clone() }];
    trial::check(&asked, measuring.on.target())?;
    trial::no_costs_of_own(measuring)?;
    if measuring.calibrate.is_some() {
        return Err(Failure::System(
            "--calibrate measures costs after the scenarios too, but here the loads that are measured \
             follow from the costs. Run `validate calibrate` first"
                .into(),
        ));
    }
    // Before costs are measured, which may take minutes.
    let expected = measuring.audience.prepare(console)?;
    let installation = live::cli::installation(&measuring.on, console)?;
    let interrupt = Interrupt::listen()
        .map_err(|error| Failure::System(format!("the system fails: {error}")))?;
    let postgres = platform::uses_postgres([&resolved.scenario]);
    let installed =
        InstalledStack { on: &measuring.on, versions: installation.versions(), postgres };
    let costs = measuring.costs.as_deref();
    let platform = match measuring.on.own() {
        Some(_) => None,
        None => Some(platform::find(costs, &installed, &interrupt, console)?),
    };
    let found = sized(&resolved, platform.as_ref())?;
    let Some(holds) = found.holds else {
        let proof = Proof::of(found, Vec::new());
        let suites = [verdicts::of_proof(&proof, &resolved)];
        options.output.judged("validate size", &proof, &suites, console)?;
        return Ok(proof.exit());
    };
    let loads = around(found.load, holds.value);
    let trials = trials(options, found.load, &loads)?;
    // The largest load may need more than the answer does.
    trial::check(&trials, measuring.on.target())?;
    let paired = trial::predictions(&trials, platform.as_ref(), measuring.repeat)?;
    let audience = expected.begin(&paired, &interrupt, console)?;
    if console.err_is_terminal && !audience.has_screen() {
        console.talk(&trial::announcement(&trials, measuring.repeat));
    }
    let scenarios: Vec<&Resolved> = trials.iter().map(|one| &one.resolved).collect();
    let order = LiveRun {
        scenarios: &scenarios,
        on: &measuring.on,
        rounds: measuring.repeat,
        out: &measuring.out,
        failures: options.output.format,
        keep: &found.objectives,
    };
    let measured = measure(&order, audience, None, &interrupt, console)?;
    let pairs = trials.iter().zip(&paired).zip(&measured.reports).zip(loads);
    let proved = pairs.map(|(((trial, paired), report), share_and_load)| {
        proved(options, trial, platform.as_ref(), [paired, report], share_and_load)
    });
    let proof = Proof::of(found, proved.collect::<Result<_, Failure>>()?);
    let suites = [verdicts::of_proof(&proof, &resolved)];
    options.output.judged("validate size", &proof, &suites, console)?;
    Ok(match measured.end {
        End::Whole => proof.exit(),
        End::Interrupted => Exit::Inconclusive,
        End::Failed => Exit::Failure,
    })
}

/// The scenario, with the objectives of the command line.
fn load(options: &SizeOptions, sets: &[String]) -> Result<Resolved, Diagnostics> {
    let open = options.open.then(|| "load.rate=1/s".to_string());
    let chosen = options.measuring.timing.chosen();
    let sets: Vec<String> = open.into_iter().chain(chosen).chain(sets.iter().cloned()).collect();
    let mut resolved = options.source.load(&sets)?;
    options.keep.apply(&mut resolved)?;
    Ok(resolved)
}

/// The highest load on `platform`.
fn sized(resolved: &Resolved, platform: Option<&Platform>) -> Result<Size, Failure> {
    let mut resolved = resolved.clone();
    if let Some(platform) = platform {
        overlay(&mut resolved, platform);
    }
    size(&resolved, EVENTS_MAX, BUDGET)
        .map_err(|runaway| Failure::run(&resolved.scenario.name, runaway))
}

/// Shares of the answer and their loads: of users at least one fewer and one more. A single user has
/// no fewer.
fn around(kind: LoadKind, answer: f64) -> Vec<(f64, f64)> {
    let at = |share: f64| {
        let load = nearest(kind, answer * share);
        match kind {
            LoadKind::Users if share > 1.0 => load.max(answer + 1.0),
            LoadKind::Users if share < 1.0 => load.min(answer - 1.0),
            _ => load,
        }
    };
    SHARES.map(|share| (share, at(share))).into_iter().filter(|(_, load)| *load > 0.0).collect()
}

/// A load that can be sent: whole users, or a rate of four digits.
fn nearest(kind: LoadKind, load: f64) -> f64 {
    match kind {
        LoadKind::Users => load.round().max(1.0),
        LoadKind::Rate => format!("{load:.3e}").parse().unwrap_or(load),
    }
}

/// The scenario under each load.
fn trials(
    options: &SizeOptions,
    kind: LoadKind,
    loads: &[(f64, f64)],
) -> Result<Vec<Trial>, Diagnostics> {
    let trial = |(_, at): &(f64, f64)| {
        let (set, name) = match kind {
            LoadKind::Users => (format!("load.users={at}"), format!("users-{at}")),
            LoadKind::Rate => (format!("load.rate={at}/s"), format!("rate-{at}")),
        };
        let mut resolved = load(options, &[set])?;
        // Runs are kept under this name.
        resolved.scenario.name = format!("{}-{name}", resolved.scenario.name);
        Ok(Trial { name, resolved })
    };
    loads.iter().map(trial).collect()
}

/// One load on both sides.
fn proved(
    options: &SizeOptions,
    trial: &Trial,
    platform: Option<&Platform>,
    [paired, measured]: [&Report; 2],
    (share, load): (f64, f64),
) -> Result<Proved, Failure> {
    let stuck = |runaway| Failure::run(&trial.name, runaway);
    let compared = compare(paired, measured, &options.measuring.tolerance.tolerances())
        .map_err(|mismatch| Failure::run(&trial.name, mismatch))?;
    // Whether it was predicted to hold, from as many runs as that takes.
    let predicted = predict_alone(&trial.resolved, platform).map_err(stuck)?;
    Ok(Proved::of(share, load, &predicted, measured, compared.doubts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_users_are_measured_below_and_above_all_the_same() {
        let loads = |kind, answer| -> Vec<f64> {
            around(kind, answer).into_iter().map(|(_, load)| load).collect()
        };
        assert_eq!(loads(LoadKind::Users, 4.0), [3.0, 4.0, 5.0]);
        assert_eq!(loads(LoadKind::Users, 200.0), [180.0, 200.0, 220.0]);
        assert_eq!(loads(LoadKind::Users, 1.0), [1.0, 2.0]);
        assert_eq!(loads(LoadKind::Rate, 10.0), [9.0, 10.0, 11.0]);
    }
}
