//! The option that asks for verdicts in a form for build servers.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, ValueEnum};

use super::{Suite, github, junit};
use crate::{Answer, Console, Failure, Format, Output};

/// A form of verdicts for build servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JUnit XML.
    Junit,
    /// Annotations of GitHub.
    Github,
}

/// How to print an answer that judges.
#[derive(Clone, Debug)]
pub struct VerdictOutput {
    output: Output,
    /// The verdicts alone, in this form.
    form: Option<Form>,
}

/// What can be written after `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Word {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
    /// The objectives or verdicts alone, as JUnit XML
    Junit,
    /// The objectives or verdicts alone, as annotations of GitHub
    Github,
}

const HELP: &str = "For people, for programs, for documents or for build servers";

impl Args for VerdictOutput {
    fn augment_args(command: Command) -> Command {
        with_more_words(Output::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        with_more_words(Output::augment_args_for_update(command))
    }
}

fn with_more_words(command: Command) -> Command {
    command.mut_arg("format", |format| {
        format.value_parser(clap::value_parser!(Word)).help(HELP).long_help(None)
    })
}

impl FromArgMatches for VerdictOutput {
    fn from_arg_matches(matches: &ArgMatches) -> Result<VerdictOutput, Error> {
        let word = matches.get_one("format").copied().unwrap_or(Word::Text);
        let (format, form) = match word {
            Word::Text => (Format::Text, None),
            Word::Json => (Format::Json, None),
            Word::Markdown => (Format::Markdown, None),
            Word::Junit => (Format::Text, Some(Form::Junit)),
            Word::Github => (Format::Text, Some(Form::Github)),
        };
        let html = matches.get_one("html").cloned();
        Ok(VerdictOutput { output: Output { format, html }, form })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = VerdictOutput::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Deref for VerdictOutput {
    type Target = Output;

    fn deref(&self) -> &Output {
        &self.output
    }
}

impl VerdictOutput {
    /// The verdicts alone, in this form; none if the whole answer is wanted.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Prints the answer, or its verdicts alone; and writes its page with pictures if one is wanted.
    ///
    /// # Errors
    /// The stream takes no more, or the file cannot be written.
    pub fn judged(
        &self,
        program: &str,
        answer: &impl Answer,
        verdicts: &[Suite],
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        match self.form {
            None => return self.output.answer(answer, console),
            Some(Form::Junit) => {
                console.data(&junit::write(program, verdicts).map_err(Failure::System)?)?;
            }
            Some(Form::Github) => console.data(&github::write(verdicts))?,
        }
        self.output.write(answer)
    }
}
