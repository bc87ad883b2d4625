//! `validate schema`: the form of an answer.

use render::{Console, Exit, Failure};
use schemars::schema_for;

use super::options::{Document, SchemaOptions};
use crate::{Calibration, Climb, Comparison, Proof, Summary, Sweep, Validation};

/// Prints the JSON Schema of a document.
pub(super) fn run(options: &SchemaOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let schema = match options.document {
        Document::Comparison => schema_for!(Comparison),
        Document::Summary => schema_for!(Summary),
        Document::Calibration => schema_for!(Calibration),
        Document::Validation => schema_for!(Validation),
        Document::Ladder => schema_for!(Climb),
        Document::Sweep => schema_for!(Sweep),
        Document::Size => schema_for!(Proof),
    };
    console.data(&render::json(&schema.to_value()))?;
    Ok(Exit::Success)
}
