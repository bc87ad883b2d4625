//! For whom an answer is: people, documents or programs.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Paint;
use crate::page::Page;

/// A form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
}

/// How to print an answer.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// For people, for programs or for documents
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How to print what is no page.
#[derive(Clone, Copy, Debug, Args)]
pub struct PlainOutput {
    /// For people or for programs
    #[arg(long, default_value = "text", value_parser = plain())]
    pub format: Format,
}

/// Text or JSON.
fn plain() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["text", "json"]).map(|word| match word.as_str() {
        "json" => Format::Json,
        _ => Format::Text,
    })
}

/// What a command answers.
pub trait Answer: Serialize {
    /// What people see of it.
    fn page(&self) -> Page;

    /// The answer in a form.
    fn print(&self, format: Format, paint: Paint) -> String
    where
        Self: Sized,
    {
        match format {
            Format::Text => self.page().text(paint),
            Format::Markdown => self.page().markdown(),
            Format::Json => json(self),
        }
    }
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
