//! `validate sweep`: one key at several values, predicted and measured.

use model::read::{Diagnostics, Resolved};
use render::{Console, Exit, Failure};

use super::options::SweepOptions;
use super::trial::{self, Trial, all};
use super::verdicts;
use crate::Sweep;
use crate::measure::platform;
use crate::measure::platform::InstalledStack;

/// Most characters of a value in the name of a file.
const LONGEST: usize = 40;

/// Predicts a curve, and measures it unless only the prediction is wanted.
pub(super) fn run(options: &SweepOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let (scenario, trials) = trials(options)?;
    let format = options.output.format;
    if options.predict_only {
        let on = &options.measuring.on;
        let postgres = platform::uses_postgres(trials.iter().map(|one| &one.resolved.scenario));
        let installed = InstalledStack { on, versions: platform::versions(on), postgres };
        let named = options.measuring.costs.as_deref();
        let read = named.map(|file| platform::named(file, &installed, console));
        let predicted = trial::predicted_alone(&trials, read.transpose()?.as_ref())?;
        let sweep = Sweep::of(&scenario, &options.vary, &predicted, Vec::new(), false);
        options.output.judged("validate sweep", &sweep, &[], console)?;
        return Ok(sweep.exit());
    }
    let mut outcome =
        trial::run(&trials, &options.measuring, &options.until_decided, format, console)?;
    let comparisons = std::mem::take(&mut outcome.comparisons);
    let sweep = Sweep::of(&scenario, &options.vary, &outcome.predicted, comparisons, true);
    let points = sweep.points.iter().filter_map(|point| point.comparison.as_ref());
    let suites = [verdicts::of_trials("validate sweep", &trials, points)];
    options.output.judged("validate sweep", &sweep, &suites, console)?;
    Ok(outcome.exit(sweep.exit()))
}

/// The scenario's name, and the scenario at each value; or every problem of any.
fn trials(options: &SweepOptions) -> Result<(String, Vec<Trial>), Diagnostics> {
    let timing = &options.measuring.timing;
    let written = load(options, &timing.chosen())?;
    // What is only predicted takes no time that would have to be saved.
    let cut = if options.predict_only { timing.chosen() } else { timing.cut(&written) };
    // A length that is varied is not cut.
    let own = format!("{}=", options.vary.key);
    let sets: Vec<String> = cut.into_iter().filter(|set| !set.starts_with(&own)).collect();
    let scenario = written.first().map_or(String::new(), |first| first.scenario.name.clone());
    let loaded = load(options, &sets)?;
    let trial = |(mut resolved, value): (Resolved, &String)| {
        let name = options.vary.name(value);
        // Runs are kept under this name, and progress is told under it.
        resolved.scenario.name = format!("{scenario}-{}", plain(&name));
        Trial { name, resolved }
    };
    let trials = loaded.into_iter().zip(&options.vary.values).map(trial).collect();
    Ok((scenario, trials))
}

fn load(options: &SweepOptions, sets: &[String]) -> Result<Vec<Resolved>, Diagnostics> {
    let (mut loaded, mut problems) = (Vec::new(), Vec::new());
    for value in &options.vary.values {
        let sets: Vec<String> = sets.iter().cloned().chain([options.vary.set(value)]).collect();
        match options.source.load(&sets) {
            Ok(resolved) => loaded.push(resolved),
            Err(problem) => problems.push(problem),
        }
    }
    all(problems)?;
    Ok(loaded)
}

/// `text` as part of a file's name.
fn plain(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let all: String = text.chars().map(plain).collect();
    let parts: Vec<&str> = all.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_part_of_a_file_name() {
        assert_eq!(plain("users=50"), "users-50");
        assert_eq!(plain(r#"latency={ p50 = "1s", p99 = "2/s" }"#), "latency-p50-1s-p99-2-s");
        assert!(plain(&"x".repeat(500)).len() <= LONGEST);
    }
}
