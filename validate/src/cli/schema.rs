//! `validate schema`: what is answered.

use render::{Console, Exit, Failure};

use super::options::{Document, Schema};

/// Prints the JSON Schema of a document.
pub(super) fn run(options: &Schema, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let schema = match options.document {
        Document::Comparison => crate::comparison::schema(),
        Document::Summary => crate::summary::schema(),
        Document::Calibration => crate::calibrate::document::schema(),
        Document::Validation => crate::validation::schema(),
        Document::Ladder => crate::climb::schema(),
        Document::Sweep => crate::sweep::document::schema(),
    };
    console.data(&render::json(&schema))?;
    Ok(Exit::Success)
}
