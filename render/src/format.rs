//! For whom an answer is: people or programs.

use clap::{Args, ValueEnum};
use serde::Serialize;

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How to print.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// A document for programs, indented, with a line end.
///
/// # Panics
/// If a key of the document is no text; those of reports and schemas are.
pub fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    // Reports and schemas have text keys and plain numbers: nothing in them can fail.
    format!("{}\n", text.expect("a document of plain values"))
}
