//! Scenarios of the project, for the tests of answers.

use std::path::Path;

use model::read::{Resolved, load};

/// The scenario in `scenarios/` with this name, changed by `sets`, with the objectives `keep`.
pub(crate) fn scenario(name: &str, sets: &[&str], keep: &[&str]) -> Resolved {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name);
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    let mut resolved = load(&path, &sets).unwrap_or_else(|problems| panic!("{problems}"));
    for text in keep {
        let objective = text.parse().unwrap_or_else(|why| panic!("{text}: {why:?}"));
        resolved.scenario.keep(objective).unwrap_or_else(|why| panic!("{text}: {why:?}"));
    }
    resolved
}
