//! Scenarios that were predicted and measured: comparisons and what they say together.

use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::{Comparison, SCHEMA, Verdict};
use super::summary::Summary;

/// Predictions against measurements, side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Version of this form.
    pub schema: u32,
    /// One by one, in the order in which they were asked for.
    pub comparisons: Vec<Comparison>,
    /// All together.
    pub summary: Summary,
}

impl Validation {
    /// That of `comparisons`.
    pub fn of(comparisons: Vec<Comparison>) -> Validation {
        let summary = Summary::of(&comparisons);
        Validation { schema: SCHEMA, comparisons, summary }
    }

    /// That any disagrees weighs more than that another cannot tell.
    pub fn exit(&self) -> Exit {
        exit(&self.comparisons)
    }
}

/// The exit code for `comparisons`: nothing compared allows no answer.
pub(crate) fn exit<'a>(comparisons: impl IntoIterator<Item = &'a Comparison>) -> Exit {
    let verdicts: Vec<Verdict> = comparisons.into_iter().map(|c| c.verdict).collect();
    match () {
        () if verdicts.contains(&Verdict::Disagree) => Exit::Disagree,
        () if verdicts.is_empty() || verdicts.contains(&Verdict::Inconclusive) => {
            Exit::Inconclusive
        }
        () => Exit::Success,
    }
}
