//! `validate run`: is what is predicted what happens?

use std::path::Path;

use model::read::{Diagnostics, Resolved, load};
use render::{Console, Exit, Failure, json};

use super::options::RunOptions;
use super::output::OutputFormat;
use super::trial::{self, Trial, all};
use crate::{Validation, told};

/// Predicts, measures and compares scenarios.
pub(super) fn run(options: &RunOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let format = options.output.format;
    let trials = trials(options)?;
    let mut outcome = trial::run(&trials, &options.measuring, format.into(), console)?;
    let validation = Validation::of(std::mem::take(&mut outcome.comparisons));
    if validation.comparisons.is_empty() {
        // The measurement has printed why.
        return Ok(outcome.exit(Exit::Inconclusive));
    }
    let text = match (format, &*validation.comparisons, trials.len()) {
        (OutputFormat::Json, ..) => json(&validation),
        (OutputFormat::Text, [one], 1) => told::text(one, console.paint()),
        (OutputFormat::Markdown, [one], 1) => told::markdown(one),
        (OutputFormat::Text, ..) => told::validation_text(&validation, console.paint()),
        (OutputFormat::Markdown, ..) => told::validation_markdown(&validation),
    };
    console.data(&text)?;
    Ok(outcome.exit(validation.exit()))
}

/// The scenario of each file, or every problem of any.
fn trials(options: &RunOptions) -> Result<Vec<Trial>, Diagnostics> {
    let seed = options.seed.map(|seed| format!("seed={seed}"));
    let timing = options.measuring.timing.chosen();
    let sets: Vec<String> = options.sets.iter().cloned().chain(seed).chain(timing).collect();
    let (mut loaded, mut problems) = (Vec::new(), Vec::new());
    for file in &options.files {
        match load(file, &sets) {
            Ok(resolved) => loaded.push((file.as_path(), resolved)),
            Err(problem) => problems.push(problem),
        }
    }
    all(problems)?;
    Ok(named(loaded))
}

/// Scenarios by their names; those of one name by their files.
fn named(loaded: Vec<(&Path, Resolved)>) -> Vec<Trial> {
    let names: Vec<String> = loaded.iter().map(|(_, r)| r.scenario.name.clone()).collect();
    let trial = |(file, resolved): (&Path, Resolved)| {
        let name = &resolved.scenario.name;
        let name = match names.iter().filter(|other| *other == name).count() {
            1 => name.clone(),
            _ => format!("{name} ({})", file.display()),
        };
        Trial { name, resolved }
    };
    loaded.into_iter().map(trial).collect()
}
