//! For whom an answer is: people, documents or programs.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::kept::{keep, refuse};
use crate::page::Page;
use crate::{Console, Failure, Paint};

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
#[derive(Clone, Debug, Args)]
pub struct Output {
    /// For people, for programs or for documents
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the answer with pictures into this file too, as a page for a browser that needs no
    /// network. It replaces a page of an earlier run, and no other file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl Output {
    /// The file of the page with pictures, if one is wanted.
    pub fn page(&self) -> Option<&Path> {
        self.html.as_deref()
    }

    /// Prints an answer, and writes its page with pictures if one is wanted.
    ///
    /// # Errors
    /// The stream takes no more, or the file cannot be written.
    pub fn answer(&self, answer: &impl Answer, console: &mut Console<'_>) -> Result<(), Failure> {
        console.answer(answer, self.format)?;
        self.write(answer)
    }

    /// Writes the page with pictures, if one is wanted.
    ///
    /// # Errors
    /// The file cannot be written, or is no page of an earlier run.
    pub fn write(&self, answer: &impl Answer) -> Result<(), Failure> {
        let Some(file) = self.page() else { return Ok(()) };
        let name = file.file_stem().map_or("rung".into(), |stem| stem.to_string_lossy());
        keep(file, &answer.illustrated().html(&name))
    }

    /// Refuses, before a long run, a file that could not be written after it.
    ///
    /// # Errors
    /// It is there and no page of an earlier run, or its folder is not there.
    pub fn check(&self) -> Result<(), Failure> {
        self.page().map_or(Ok(()), refuse)
    }
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

    /// The same for a browser, with pictures and with what is asked first at its top.
    fn illustrated(&self) -> Page {
        self.page()
    }

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
