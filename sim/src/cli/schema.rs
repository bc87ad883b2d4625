//! `sim schema`: what may be written, what is answered.

use model::read::{costs_schema, scenario_schema};
use render::{Console, Failure};

use super::options::{Document, Schema};

/// Prints the JSON Schema of a document.
pub(super) fn run(options: &Schema, console: &mut Console<'_>) -> Result<(), Failure> {
    let schema = match options.document {
        Document::Scenario => scenario_schema(),
        Document::Costs => costs_schema(),
        Document::Report => model::report::schema(),
        Document::Explanation => crate::explain::schema(),
        Document::Ladder => render::ladder::schema(),
        Document::Size => model::report::size_schema(),
        Document::Choice => model::report::choice_schema(),
        Document::Sweep => model::sweep::sweep_schema(),
    };
    Ok(console.data(&render::json(&schema))?)
}
