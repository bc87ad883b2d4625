//! Why a question that a program asks, over HTTP or from the page of what-ifs, has no answer.

use model::read::Diagnostics;

use crate::engine::Runaway;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The scenario or its changes are wrong.
    Refused(Diagnostics),
    /// A run did not come to its end.
    Run(Runaway),
    /// Something else, in a sentence.
    Other(String),
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Failure {
        Failure::Refused(diagnostics)
    }
}

impl From<Runaway> for Failure {
    fn from(runaway: Runaway) -> Failure {
        Failure::Run(runaway)
    }
}
