//! Written and shown alike by every program.

use clap::Args;
use model::objective::{Judged, Objective, State};
use model::read::{Diagnostic, Diagnostics, Resolved};

use crate::Exit;
use crate::page::{Align, Page, Table};

/// What the service is to keep, beside the objectives of the file.
#[derive(Clone, Debug, Default, Args)]
pub struct Keep {
    /// What the service is to keep: 'p99 < 800ms', 'errors < 0.1%', 'endpoint:checkout.p95 < 1s',
    /// 'utilisation:cpu < 80%', or as k6 has it 'p(99)<800' (repeatable; beside the `[[objective]]`
    /// of the file, and instead of one about the same number). Exit code 4 if one is broken
    #[arg(long = "keep", value_name = "OBJECTIVE")]
    keep: Vec<String>,
}

impl Keep {
    /// As words of a command line.
    pub fn words(&self) -> Vec<String> {
        self.keep.iter().flat_map(|one| ["--keep".to_string(), one.clone()]).collect()
    }

    /// These, as the option has them.
    pub fn new(keep: Vec<String>) -> Keep {
        Keep { keep }
    }

    /// As the user wrote them.
    pub fn texts(&self) -> &[String] {
        &self.keep
    }

    /// Adds them to those of the scenario.
    ///
    /// # Errors
    /// All that are none, or about nothing that the scenario has, or contradict each other.
    pub fn apply(&self, resolved: &mut Resolved) -> Result<(), Diagnostics> {
        let mut refused = Vec::new();
        for text in &self.keep {
            let kept = text.parse::<Objective>().and_then(|one| resolved.scenario.keep(one));
            if let Err(why) = kept {
                refused.push(Diagnostic {
                    file: "--keep".into(),
                    line: None,
                    column: None,
                    found: why.found,
                    allowed: Some(why.allowed),
                    advice: why.advice,
                });
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics: refused }) }
    }
}

/// How a command ends that has these answers.
pub fn exit<'j>(judged: impl IntoIterator<Item = &'j Judged>) -> Exit {
    let broken = judged.into_iter().any(|one| one.state == State::Broken);
    if broken { Exit::Broken } else { Exit::Success }
}

/// A line for each objective. A sign, and the same in words.
pub fn show(page: &mut Page, judged: &[Judged]) {
    if judged.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        ("", Align::Left),
        ("objective", Align::Left),
        ("found", Align::Left),
        ("", Align::Left),
    ]);
    for one in judged {
        let state = match one.state {
            State::Kept => "✓ kept",
            State::Broken => "✗ broken",
            State::Unknown => "? not told",
        };
        let doubt = match one.sure || one.state == State::Unknown {
            true => "",
            false => "not sure: the limit lies in the interval",
        };
        table.row([state.into(), one.objective.clone(), one.found.clone(), doubt.to_string()]);
    }
    page.heading("Objectives:");
    page.table(table);
}
