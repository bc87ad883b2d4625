//! Why a command ends without an answer.

use std::io;

use model::read::{Diagnostic, Diagnostics};

use super::options::Format;
use crate::engine::Runaway;

/// Why a command ends without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The input is refused.
    Refused(Diagnostics),
    /// A simulation does not come to its end.
    Runaway {
        /// Whose simulation.
        scenario: String,
        /// What happened.
        runaway: Runaway,
    },
    /// The machine does not do what is asked.
    System(String),
    /// The answer cannot be written.
    Write(io::Error),
}

impl Failure {
    /// A run of `scenario` that does not come to its end.
    pub(super) fn runaway(scenario: &str, runaway: Runaway) -> Failure {
        Failure::Runaway { scenario: scenario.to_string(), runaway }
    }

    /// Words for people, or for programs that asked for JSON an array of diagnostics.
    pub(super) fn text(&self, format: Format) -> String {
        match (format, self) {
            (Format::Text, Failure::Refused(diagnostics)) => format!("{diagnostics}\n"),
            (Format::Text, Failure::Runaway { scenario, runaway }) => {
                format!("error: {scenario}: {runaway}\n")
            }
            (Format::Text, Failure::System(why)) => format!("error: {why}\n"),
            (Format::Text, Failure::Write(error)) => format!("error: cannot write: {error}\n"),
            (Format::Json, _) => super::json(&self.diagnostics()),
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let one = |file: &str, found: String| {
            let file = file.to_string();
            vec![Diagnostic { file, line: None, column: None, found, allowed: None, advice: None }]
        };
        match self {
            Failure::Refused(diagnostics) => diagnostics.diagnostics.clone(),
            Failure::Runaway { scenario, runaway } => one(scenario, runaway.to_string()),
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
