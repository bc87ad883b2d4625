//! What a program tells the shell.

use std::process::ExitCode;

/// How a command ended. The codes are the same in every program, so that a script need not
/// know which of them it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With an answer; of a comparison: both agree.
    Success,
    /// With the answer that both do not agree.
    Disagree,
    /// Without an answer: wrong usage, wrong input or a run that fails.
    Failure,
    /// With numbers that allow no answer.
    Inconclusive,
    /// With an answer, and an objective that is not kept.
    Broken,
}

impl Exit {
    /// The code for the shell.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Disagree => 1,
            Exit::Failure => 2,
            Exit::Inconclusive => 3,
            Exit::Broken => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
