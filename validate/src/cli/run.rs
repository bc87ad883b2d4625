//! `validate run`: is what is predicted what happens?

use model::read::Resolved;
use render::{Console, Exit, Failure, Format};

use super::options::RunOptions;
use super::trial::{self, Trial};
use super::verdicts;
use crate::Validation;

/// Predicts, measures and compares scenarios.
pub(super) fn run(options: &RunOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let format = options.output.format;
    let trials = named(options.sources.load(&options.measuring.timing.chosen())?);
    let mut outcome =
        trial::run(&trials, &options.measuring, &options.until_decided, format, console)?;
    let validation = Validation::of(std::mem::take(&mut outcome.comparisons));
    if validation.comparisons.is_empty() {
        // The measurement has printed why.
        return Ok(outcome.exit(Exit::Inconclusive));
    }
    let suites = [verdicts::of_trials("validate run", &trials, &validation.comparisons)];
    match (&*validation.comparisons, trials.len()) {
        ([one], 1) if format != Format::Json => {
            options.output.judged("validate run", one, &suites, console)?;
        }
        _ => options.output.judged("validate run", &validation, &suites, console)?,
    }
    Ok(outcome.exit(validation.exit()))
}

/// Scenarios by their names; those of one name by their files.
fn named(loaded: Vec<Resolved>) -> Vec<Trial> {
    let names: Vec<String> = loaded.iter().map(|r| r.scenario.name.clone()).collect();
    let trial = |resolved: Resolved| {
        let name = &resolved.scenario.name;
        let name = match names.iter().filter(|other| *other == name).count() {
            1 => name.clone(),
            _ => format!("{name} ({})", resolved.path()),
        };
        Trial { name, resolved }
    };
    loaded.into_iter().map(trial).collect()
}
