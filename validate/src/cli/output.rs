//! The forms of an answer: one more than other programs have, since what was validated is
//! put into documents.

use clap::{Args, ValueEnum};
use render::Format;

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
}

/// How to print.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Output {
    /// For people, for programs or for documents
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(super) format: OutputFormat,
}

impl From<OutputFormat> for Format {
    /// The form of a failure.
    fn from(form: OutputFormat) -> Format {
        match form {
            OutputFormat::Json => Format::Json,
            OutputFormat::Text | OutputFormat::Markdown => Format::Text,
        }
    }
}
