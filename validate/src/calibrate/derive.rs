//! Readings of rounds become costs with intervals.

use model::statistics::{Estimate, round_significant};

use super::document::{CONFIDENCE, Cost, ROUNDS_MIN};
use super::reading::{Reading, Round};
use super::recipe::Recipe;

/// The cost of each of `recipes` from `rounds`.
pub(crate) fn costs(recipes: &[Recipe], rounds: &[Round<'_>]) -> Vec<Cost> {
    recipes.iter().map(|recipe| cost(recipe, rounds)).collect()
}

/// The recipes of costs that do not stand: fewer than two rounds give them without doubt.
pub(crate) fn unsound<'a>(recipes: &'a [Recipe], rounds: &[Round<'_>]) -> Vec<&'a Recipe> {
    recipes.iter().filter(|recipe| !cost(recipe, rounds).sound).collect()
}

/// From the rounds in which all of its probes are sound, marked if those are too few; from all
/// rounds if there are none.
fn cost(recipe: &Recipe, rounds: &[Round<'_>]) -> Cost {
    // A probe without a good answer gives no number at all.
    let all: Vec<&Round<'_>> = rounds.iter().filter(|round| recipe.of(round).is_finite()).collect();
    let is_sound = |round: &&Round<'_>| {
        recipe.probes.iter().all(|probe| round.get(probe).is_some_and(Reading::is_sound))
    };
    let sound_rounds: Vec<&Round<'_>> = all.iter().copied().filter(is_sound).collect();
    let sound = sound_rounds.len() >= ROUNDS_MIN;
    let used = if sound_rounds.is_empty() { all } else { sound_rounds };
    let estimate = estimate(recipe, &used).rounded();
    Cost {
        key: recipe.key.clone(),
        unit: recipe.unit,
        value: round_significant(estimate.value.max(0.0)),
        interval: (used.len() >= ROUNDS_MIN).then_some(estimate),
        rounds: used.len() as u32,
        sound,
        how: recipe.how.clone(),
    }
}

/// The recipe's value of the mean of all rounds; its interval by leaving out one of them at a
/// time (the jackknife; Quenouille 1956, Tukey 1958). For a difference of readings that is the
/// mean over the rounds and its interval. A recipe that divides, or looks for a time of decay,
/// is much less certain in one round than of the mean of all, and off on average.
fn estimate(recipe: &Recipe, rounds: &[&Round<'_>]) -> Estimate {
    if rounds.is_empty() {
        return Estimate::exact(0.0);
    }
    let value = recipe.of(&Round::mean_of(rounds));
    let count = rounds.len() as f64;
    let without = |left_out: usize| {
        let others: Vec<&Round<'_>> =
            (0..rounds.len()).filter(|&i| i != left_out).map(|i| rounds[i]).collect();
        recipe.of(&Round::mean_of(&others))
    };
    let pseudo = |left_out: usize| count * value - (count - 1.0) * without(left_out);
    let half = match rounds.len() {
        1 => 0.0,
        all => {
            let pseudo: Vec<f64> = (0..all).map(pseudo).collect();
            Estimate::of_mean(&pseudo, CONFIDENCE).half_width()
        }
    };
    Estimate { value, low: value - half, high: value + half }
}
