//! One probe, measured by `live` in a process of its own.

use std::fs;
use std::io;
use std::path::Path;

use live::Interrupt;
use live::cli::On;
use model::report::Report;
use render::{Exit, Failure};

use crate::measure::child;

/// Everything that the measurement of a probe needs.
pub(crate) struct Bench<'a> {
    /// The stack that they run on.
    pub(crate) on: &'a On,
    /// A folder that is removed when all is done.
    pub(crate) folder: &'a Path,
    /// Set when the user wants to stop.
    pub(crate) interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// The report of `live run` on the scenario `file`, called `name`.
    ///
    /// # Errors
    /// There is no report, or the user stopped.
    pub(crate) fn measure(&self, name: &str, file: &Path) -> Result<Report, Failure> {
        let failed = |error: io::Error| Failure::run(name, format!("cannot be measured: {error}"));
        let (answer, talk) = (self.folder.join("answer.json"), self.folder.join("talk"));
        let runs = child::joined("--out", &self.folder.join("runs"));
        let words = ["run", "--format", "json"].map(Into::into);
        let words = words.into_iter().chain(child::on(self.on)).chain([runs, file.into()]);
        let status =
            child::live(words, &answer, Some(&talk), None, self.interrupt).map_err(failed)?;
        if self.interrupt.is_set() {
            return Err(interrupted());
        }
        let has_answer = [Exit::Success, Exit::Inconclusive].map(|exit| i32::from(exit.code()));
        if !status.code().is_some_and(|code| has_answer.contains(&code)) {
            let talk = fs::read_to_string(&talk).unwrap_or_default();
            let talk = talk.trim().trim_start_matches("error: ");
            return Err(Failure::run(name, format!("its measurement failed ({status}): {talk}")));
        }
        let answer = fs::read_to_string(&answer).map_err(failed)?;
        serde_json::from_str(&answer)
            .map_err(|error| Failure::run(name, format!("its measurement is no report: {error}")))
    }
}

/// The user stopped.
pub(crate) fn interrupted() -> Failure {
    Failure::System("interrupted: no profile was written".into())
}
