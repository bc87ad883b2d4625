//! What `run`, `ladder` and `sweep` have in common: scenarios are predicted, measured in
//! turns and compared.

use std::time::Duration;

use live::Interrupt;
use live::cli::Expected;
use live::machine::Cpus;
use live::machine::raise_open_files;
use live::run::{Offer, one_service, refuse};
use live::stack::Target;
use model::read::{Diagnostics, Resolved};
use model::report::Report;
use render::{Console, Exit, Failure, Format};

use super::measuring::{Measuring, UntilDecided};
use crate::compare;
use crate::judge::comparison::Comparison;
use crate::measure::equal_speed::at_equal_speed;
use crate::measure::platform;
use crate::measure::platform::{InstalledStack, Platform};
use crate::measure::predict::{predict, predict_alone};
use crate::measure::rounds::Decider;
use crate::measure::run::{End, LiveRun, Measured, measure};

/// Seconds that a round takes beside its warm-up and window: processes start, the database is
/// filled, and all of it is cleared away.
const AROUND: f64 = 1.0;

/// A scenario and its name among others.
pub(super) struct Trial {
    pub(super) name: String,
    pub(super) resolved: Resolved,
}

/// The outcome of trials.
pub(super) struct Outcome {
    /// The prediction of each.
    pub(super) predicted: Vec<Report>,
    /// The comparisons of the first of them, of all unless it was ended early.
    pub(super) comparisons: Vec<Comparison>,
    end: End,
}

impl Outcome {
    /// The exit code where the comparisons would give `exit`: an incomplete
    /// measurement is inconclusive, and the reason of a failure was printed.
    pub(super) fn exit(&self, exit: Exit) -> Exit {
        match self.end {
            End::Whole => exit,
            End::Interrupted => Exit::Inconclusive,
            End::Failed => Exit::Failure,
        }
    }
}

/// Predicts, measures and compares each of `trials`.
///
/// # Errors
/// Any of them cannot be measured here; or there is no answer at all.
pub(super) fn run(
    trials: &[Trial],
    options: &Measuring,
    until_decided: &UntilDecided,
    failures: Format,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let on = &options.on;
    check(trials, on.target())?;
    no_costs_of_own(options)?;
    let budget = until_decided.checked(trials, options)?;
    // Before costs are measured, which may take minutes.
    let expected = options.audience.prepare(console)?;
    let installation = live::cli::installation(on, console)?;
    // From here on an interrupt clears away whatever was begun.
    let interrupt = Interrupt::listen()
        .map_err(|error| Failure::System(format!("the system fails: {error}")))?;
    let scenarios: Vec<&Resolved> = trials.iter().map(|trial| &trial.resolved).collect();
    let postgres = platform::uses_postgres(scenarios.iter().map(|one| &one.scenario));
    let installed = InstalledStack { on, versions: installation.versions(), postgres };
    let order = LiveRun {
        scenarios: &scenarios,
        on,
        rounds: options.repeat,
        out: &options.out,
        failures,
        keep: &[],
    };
    let (installed, order, expected) = (&installed, &order, &expected);
    let paired = PairedTrials { trials, options, budget, installed, order, expected };
    let Pairs { predicted, in_doubt, measured, notes, speeds } = paired.run(&interrupt, console)?;
    let tolerances = options.tolerance.tolerances();
    let pairs = trials.iter().zip(&predicted).zip(&measured.reports);
    let notes = notes.into_iter().chain(std::iter::repeat(None));
    let speeds = speeds.into_iter().chain(std::iter::repeat(None));
    let notes = notes.zip(speeds).map(|(note, speed)| note.into_iter().chain(speed));
    let comparisons = pairs.zip(notes).map(|(((trial, predicted), measured), notes)| {
        let comparison = compare(predicted, measured, &tolerances)
            .map_err(|mismatch| Failure::run(&trial.name, mismatch))?;
        let mut comparison = comparison.with_costs_in_doubt(&in_doubt);
        comparison.warnings.extend(notes);
        Ok(Comparison { name: trial.name.clone(), ..comparison })
    });
    let comparisons = comparisons.collect::<Result<_, Failure>>()?;
    Ok(Outcome { predicted, comparisons, end: measured.end })
}

/// Trials that are about to be predicted and measured.
struct PairedTrials<'a> {
    trials: &'a [Trial],
    options: &'a Measuring,
    /// Rounds are measured until all is decided, for so long.
    budget: Option<Duration>,
    installed: &'a InstalledStack<'a>,
    order: &'a LiveRun<'a>,
    expected: &'a Expected,
}

/// Predictions and measurements of the same trials.
struct Pairs {
    predicted: Vec<Report>,
    /// Costs of the predictions whose calibration was disturbed.
    in_doubt: Vec<String>,
    measured: Measured,
    /// Why trials are not decided, where there was a budget for it.
    notes: Vec<Option<String>>,
    /// How fast the machine was, where the predictions know it.
    speeds: Vec<Option<String>>,
}

impl Pairs {
    fn new(predicted: Vec<Report>, measured: Measured, platform: Option<&Platform>) -> Pairs {
        let in_doubt = platform.map_or_else(Vec::new, Platform::in_doubt);
        let in_doubt = in_doubt.into_iter().map(Into::into).collect();
        Pairs { predicted, in_doubt, measured, notes: Vec::new(), speeds: Vec::new() }
    }
}

impl PairedTrials<'_> {
    /// The predictions and the measurements, with costs that are known, measured first, or measured
    /// before and after.
    fn run(&self, interrupt: &Interrupt, console: &mut Console<'_>) -> Result<Pairs, Failure> {
        // What a service of the user's own costs, the scenario says.
        if self.options.on.own().is_some() {
            return self.on(None, interrupt, console);
        }
        let Some(rounds) = self.options.calibrate else {
            let costs = self.options.costs.as_deref();
            let platform = platform::find(costs, self.installed, interrupt, console)?;
            return self.on(Some(&platform), interrupt, console);
        };
        // A prediction that fails should fail before minutes are spent on measuring.
        self.predict(None)?;
        let mut measured = None;
        let mut interlude = |console: &mut Console<'_>| {
            // What the stack costs is known when all is measured.
            let all = self.measure(&[], None, interrupt, console)?;
            if all.end != End::Whole {
                let out = self.options.out.display();
                return Err(Failure::System(format!(
                    "not all was measured, and no profile was written; what was measured is kept \
                     in {out}/"
                )));
            }
            measured = Some(all);
            Ok(())
        };
        let platform =
            platform::around(rounds, self.installed, interrupt, console, &mut interlude)?;
        let measured = measured.expect("half of the rounds came after it");
        Ok(Pairs::new(self.predict(Some(&platform))?, measured, Some(&platform)))
    }

    /// The predictions and the measurements on a `platform` that is known.
    fn on(
        &self,
        platform: Option<&Platform>,
        interrupt: &Interrupt,
        console: &mut Console<'_>,
    ) -> Result<Pairs, Failure> {
        let predicted = self.predict(platform)?;
        let Some(budget) = self.budget else {
            let measured = self.measure(&predicted, None, interrupt, console)?;
            return self.at_equal_speed(Pairs::new(predicted, measured, platform), platform);
        };
        let tolerances = self.options.tolerance.tolerances();
        let judge = |index: usize, measured: &Report| {
            let trial: &Trial = self.trials.get(index)?;
            let predicted = predict(&trial.resolved, platform, measured.run.replications).ok()?;
            let equal = match platform {
                None => at_equal_speed(&trial.resolved, &predicted, measured).ok()?,
                Some(_) => None,
            };
            let predicted = equal.map_or(predicted, |equal| equal.report);
            compare(&predicted, measured, &tolerances).ok()
        };
        let mut decider = Decider::new(self.trials.len(), budget, interrupt, Box::new(judge));
        let measured = self.measure(&predicted, Some(&mut decider), interrupt, console)?;
        // Each has as many rounds as it took.
        let pairs = self.trials.iter().zip(&measured.reports);
        let again = pairs.map(|(trial, measured)| {
            predict(&trial.resolved, platform, measured.run.replications)
                .map_err(|runaway| Failure::run(&trial.name, runaway))
        });
        let predicted = again.collect::<Result<Vec<Report>, Failure>>()?;
        let notes = decider.sentences();
        let pairs = Pairs { notes, ..Pairs::new(predicted, measured, platform) };
        self.at_equal_speed(pairs, platform)
    }

    /// The same with predictions at the speed that the machine had, where the costs are those of the scenario and it
    /// says at which speed they were learned.
    fn at_equal_speed(
        &self,
        mut pairs: Pairs,
        platform: Option<&Platform>,
    ) -> Result<Pairs, Failure> {
        if platform.is_some() {
            return Ok(pairs);
        }
        let both = pairs.predicted.iter_mut().zip(&pairs.measured.reports);
        for (trial, (predicted, measured)) in self.trials.iter().zip(both) {
            let equal = at_equal_speed(&trial.resolved, predicted, measured)
                .map_err(|runaway| Failure::run(&trial.name, runaway))?;
            let (report, note) = equal.map(|equal| (equal.report, equal.note)).unzip();
            *predicted = report.unwrap_or_else(|| predicted.clone());
            pairs.speeds.push(note);
        }
        Ok(pairs)
    }

    fn predict(&self, platform: Option<&Platform>) -> Result<Vec<Report>, Failure> {
        predictions(self.trials, platform, self.options.repeat)
    }

    /// Measures, and shows what is `predicted` beside it to those who look on.
    fn measure(
        &self,
        predicted: &[Report],
        decider: Option<&mut Decider<'_>>,
        interrupt: &Interrupt,
        console: &mut Console<'_>,
    ) -> Result<Measured, Failure> {
        if interrupt.is_set() {
            return Err(Failure::System("interrupted before anything was measured".into()));
        }
        let audience = self.expected.begin(predicted, interrupt, console)?;
        if console.err_is_terminal && !audience.has_screen() {
            console.talk(&announcement(self.trials, self.options.repeat));
        }
        measure(self.order, audience, decider, interrupt, console)
    }
}

/// The predictions of `trials` for so many rounds.
///
/// # Errors
/// One does not come to its end.
pub(super) fn predictions(
    trials: &[Trial],
    platform: Option<&Platform>,
    rounds: u32,
) -> Result<Vec<Report>, Failure> {
    let predict = |trial: &Trial| {
        predict(&trial.resolved, platform, rounds)
            .map_err(|runaway| Failure::run(&trial.name, runaway))
    };
    trials.iter().map(predict).collect()
}

/// The predictions of `trials` that nothing is measured for.
///
/// # Errors
/// One does not come to its end.
pub(super) fn predicted_alone(
    trials: &[Trial],
    platform: Option<&Platform>,
) -> Result<Vec<Report>, Failure> {
    let predict = |trial: &Trial| {
        predict_alone(&trial.resolved, platform)
            .map_err(|runaway| Failure::run(&trial.name, runaway))
    };
    trials.iter().map(predict).collect()
}

/// A service of the user's own costs what its scenario says.
///
/// # Errors
/// The user names other costs.
pub(super) fn no_costs_of_own(options: &Measuring) -> Result<(), Failure> {
    let Some(url) = options.on.own() else { return Ok(()) };
    let named =
        [("--costs", options.costs.is_some()), ("--calibrate", options.calibrate.is_some())];
    match named.into_iter().find(|(_, named)| *named) {
        Some((option, _)) => Err(Failure::System(format!(
            "{option} is for the stacks that this program starts: what {url} costs, the scenario \
             says. Leave out {option}"
        ))),
        None => Ok(()),
    }
}

/// Refuses what cannot be measured here, while the user's own files can still be named.
pub(super) fn check(trials: &[Trial], target: Target) -> Result<(), Diagnostics> {
    let files = raise_open_files().unwrap_or(u64::MAX);
    let offer = Offer { cpus: Cpus::allowed().count().max(1), files };
    let scenarios: Vec<&Resolved> = trials.iter().map(|trial| &trial.resolved).collect();
    let refused = trials.iter().filter_map(|trial| refuse(&trial.resolved, offer, target).err());
    all(refused.chain(one_service(&scenarios, target).err()))
}

/// Every problem once, if there is any.
///
/// # Errors
/// There is one.
pub(super) fn all(problems: impl IntoIterator<Item = Diagnostics>) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    for diagnostic in problems.into_iter().flat_map(|problems| problems.diagnostics) {
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}

/// How many seconds it will take.
pub(super) fn seconds(trials: &[Trial], rounds: u32) -> f64 {
    let round = |trial: &Trial| {
        let load = &trial.resolved.scenario.load;
        load.warmup.secs_f64() + load.duration.secs_f64() + AROUND
    };
    trials.iter().map(round).sum::<f64>() * f64::from(rounds)
}

/// How long it will take, in words.
pub(super) fn announcement(trials: &[Trial], rounds: u32) -> String {
    let seconds = seconds(trials, rounds);
    let what = match trials {
        [one] => one.name.clone(),
        many => format!("{} scenarios in turns", many.len()),
    };
    let times = if rounds == 1 { "once".to_string() } else { format!("{rounds} rounds") };
    format!("measuring {what}, {times}: about {}\n", rough(seconds))
}

/// A time as people say it.
pub(super) fn rough(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use model::read::load_text;

    use super::*;

    fn trial(name: &str, duration: &str) -> Trial {
        let text = r#"
            load = { users = 5, warmup = "2s", duration = "4s" }
            service.concurrency = "async"
            endpoint = [{ name = "hello", weight = 1 }]
            costs.cpu.request = "2ms"
        "#;
        let sets = [format!("load.duration={duration}")];
        let resolved = load_text(name, text, &sets).expect("a valid scenario");
        Trial { name: name.into(), resolved }
    }

    #[test]
    fn how_long_it_takes_is_said_before() {
        let (short, long) = (trial("shop", "4s"), trial("bank", "40s"));
        let both = [short, long];
        assert_eq!(announcement(&both[..1], 1), "measuring shop, once: about 7 s\n");
        let many = "measuring 2 scenarios in turns, 3 rounds: about 2 min\n";
        assert_eq!(announcement(&both, 3), many);
    }
}
