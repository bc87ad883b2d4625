//! The settings, the cheapest first.

use model::read::{Diagnostic, Diagnostics, Resolved};
use model::report::Attempt;
use model::scenario::Scenario;
use model::sweep::Axis;

use super::cost::Cost;
use super::trial::Trial;
use super::words::refusal;

/// Most settings.
const MOST: usize = 20_000;

/// A value of each key.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) values: Vec<String>,
    cost: f64,
}

/// All settings that a scenario may have, the cheapest first; of equal cost in the order in which
/// their values were named.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) settings: Vec<Setting>,
    /// How many a scenario may not have.
    pub(super) refused: usize,
}

impl Grid {
    pub(super) fn new(
        resolved: &Resolved,
        keys: &[Axis],
        cost: &Cost,
    ) -> Result<Grid, Diagnostics> {
        let numbers = numbers(keys)?;
        let count = keys.iter().fold(1usize, |all, axis| all.saturating_mul(axis.values.len()));
        if count > MOST {
            let advice = "take larger steps, as in 10..100:10, or a factor, as in 1..64*2";
            return Err(refusal(
                "--choose",
                format!("{count} settings"),
                &format!("at most {MOST}"),
                advice,
            ));
        }
        let (mut settings, mut problems) = (Vec::new(), Vec::new());
        for index in 0..count {
            // The last key's values come fastest.
            let mut left = index;
            let mut at: Vec<usize> = keys
                .iter()
                .rev()
                .map(|axis| {
                    let here = left % axis.values.len();
                    left /= axis.values.len();
                    here
                })
                .collect();
            at.reverse();
            let values: Vec<String> =
                at.iter().zip(keys).map(|(&at, axis)| axis.values[at].clone()).collect();
            let costs: Vec<f64> = at.iter().zip(&numbers).map(|(&at, all)| all[at]).collect();
            match scenario(resolved, keys, &values, &[]) {
                Ok(_) => settings.push(Setting { cost: cost.of(&costs)?, values }),
                Err(problem) => problems.push(problem),
            }
        }
        if settings.is_empty() {
            return Err(together(problems));
        }
        settings.sort_by(|one, other| one.cost.total_cmp(&other.cost));
        Ok(Grid { settings, refused: problems.len() })
    }
}

/// The values of each key as numbers.
fn numbers(keys: &[Axis]) -> Result<Vec<Vec<f64>>, Diagnostics> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    for (index, axis) in keys.iter().enumerate() {
        if keys[..index].iter().any(|other| other.key == axis.key) {
            let found = format!("`{}` is chosen twice", axis.key);
            let advice = "name all its values in one list";
            problems.extend(refusal("--choose", found, "different keys", advice).diagnostics);
        }
        match axis.numbers() {
            Some(numbers) => all.push(numbers),
            None => {
                let found = format!("the values of `{}` are no numbers of one kind", axis.key);
                let advice = "compare others one by one: --under KEY=VALUE";
                let allowed = "numbers, as in service.workers=1..8";
                problems.extend(refusal("--choose", found, allowed, advice).diagnostics);
            }
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(Diagnostics { diagnostics: problems }) }
}

/// Each problem of any setting once.
fn together(problems: Vec<Diagnostics>) -> Diagnostics {
    let mut all: Vec<Diagnostic> = Vec::new();
    for problem in problems.into_iter().flat_map(|problems| problems.diagnostics) {
        if !all.iter().any(|told| told.found == problem.found) {
            all.push(problem);
        }
    }
    Diagnostics { diagnostics: all }
}

/// The scenario with these values and changes.
pub(super) fn scenario(
    resolved: &Resolved,
    keys: &[Axis],
    values: &[String],
    changes: &[(String, String)],
) -> Result<Scenario, Diagnostics> {
    let chosen = keys.iter().zip(values).map(|(axis, value)| (axis.key.clone(), value.clone()));
    let sets: Vec<(String, String)> = chosen.chain(changes.iter().cloned()).collect();
    resolved.with(&sets)
}

impl Setting {
    /// The scenario with it.
    pub(super) fn scenario(&self, resolved: &Resolved, keys: &[Axis]) -> Scenario {
        scenario(resolved, keys, &self.values, &[]).expect("a setting that was checked")
    }

    /// What the last look saw of it.
    pub(super) fn attempt(&self, trial: &Trial) -> Attempt {
        let level = trial.level().expect("a trial that was looked at").clone();
        Attempt { values: self.values.clone(), cost: self.cost, level }
    }
}
