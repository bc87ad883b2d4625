//! Why a command ends without an answer.

use std::fmt::Display;
use std::io;

use model::read::{Diagnostic, Diagnostics};

use crate::{Format, json};

/// Why a command ends without an answer.
#[derive(Debug)]
pub enum Failure {
    /// The input is refused.
    Refused(Diagnostics),
    /// A run does not come to its end.
    Run {
        /// Whose run.
        scenario: String,
        /// What happened.
        why: String,
    },
    /// The machine does not do what is asked.
    System(String),
    /// The answer cannot be written.
    Write(io::Error),
}

impl Failure {
    /// A run of `scenario` that does not come to its end.
    pub fn run(scenario: &str, why: impl Display) -> Failure {
        Failure::Run { scenario: scenario.to_string(), why: why.to_string() }
    }

    /// Words for people, or for programs that asked for JSON an array of diagnostics.
    pub fn text(&self, format: Format) -> String {
        match (format, self) {
            (Format::Json, _) => json(&self.diagnostics()),
            (_, Failure::Refused(diagnostics)) => format!("{diagnostics}\n"),
            (_, Failure::Run { scenario, why }) => format!("error: {scenario}: {why}\n"),
            (_, Failure::System(why)) => format!("error: {why}\n"),
            (_, Failure::Write(error)) => format!("error: cannot write: {error}\n"),
        }
    }

    /// The same for programs.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        let one = |file: &str, found: String| {
            let file = file.to_string();
            vec![Diagnostic { file, line: None, column: None, found, allowed: None, advice: None }]
        };
        match self {
            Failure::Refused(diagnostics) => diagnostics.diagnostics.clone(),
            Failure::Run { scenario, why } => one(scenario, why.clone()),
            Failure::System(why) => one("", why.clone()),
            Failure::Write(error) => one("", format!("cannot write: {error}")),
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Failure {
        Failure::Refused(diagnostics)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Write(error)
    }
}
