//! Readings of rounds become costs with intervals.

use model::statistics::{Estimate, round_significant};

use super::document::{CONFIDENCE, Cost, ROUNDS_MIN};
use super::reading::{Reading, Round};
use super::recipe::Recipe;

/// What each of `recipes` makes of `rounds`.
pub fn costs(recipes: &[Recipe], rounds: &[Round]) -> Vec<Cost> {
    recipes.iter().map(|recipe| cost(recipe, rounds)).collect()
}

/// The mean over the rounds in which all of its probes stand, marked if those are too few;
/// over all rounds if there are none.
fn cost(recipe: &Recipe, rounds: &[Round]) -> Cost {
    let stands = |round: &&Round| {
        recipe.probes.iter().all(|&probe| round.get(probe).is_some_and(Reading::is_sound))
    };
    // A probe without a good answer gives no number at all.
    let numbers = |rounds: &mut dyn Iterator<Item = &Round>| -> Vec<f64> {
        rounds.map(|round| (recipe.value)(round)).filter(|x| x.is_finite()).collect()
    };
    let standing = numbers(&mut rounds.iter().filter(stands));
    let sound = standing.len() >= ROUNDS_MIN;
    let numbers = if standing.is_empty() { numbers(&mut rounds.iter()) } else { standing };
    let estimate = Estimate::of_mean(&numbers, CONFIDENCE).rounded();
    Cost {
        key: recipe.key.clone(),
        unit: recipe.unit,
        value: round_significant(estimate.value.max(0.0)),
        interval: (numbers.len() >= ROUNDS_MIN).then_some(estimate),
        rounds: numbers.len() as u32,
        sound,
        how: recipe.how.clone(),
    }
}
