//! Which scenario a command is about, as every program asks for it.

use std::path::PathBuf;

use clap::Args;
use model::read::{Diagnostic, Diagnostics, Resolved, Rung, ladder, load};

use crate::ladder::turned_knobs;

/// Which scenario.
#[derive(Debug, Args)]
pub struct Source {
    /// The scenario file
    file: PathBuf,
    /// Change a key of the scenario: --set service.workers=4 (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Root of the random draws, instead of the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Source {
    /// The scenario, with the changes that the command's other options make to its keys:
    /// `load.duration=10s`.
    ///
    /// # Errors
    /// Every problem of its files and changes.
    pub fn load(&self, options: &[String]) -> Result<Resolved, Diagnostics> {
        let mut resolved = load(&self.file, &self.all(options))?;
        self.forget_published(&mut resolved);
        Ok(resolved)
    }

    /// The scenario and all that it extends, root first, changed likewise. Unless
    /// `allow_many`, each rung turns one knob.
    ///
    /// # Errors
    /// Every problem of any rung; else every rung that turns more than one knob.
    pub fn ladder(&self, options: &[String], allow_many: bool) -> Result<Vec<Rung>, Diagnostics> {
        let mut rungs = ladder(&self.file, &self.all(options))?;
        rungs.iter_mut().for_each(|rung| self.forget_published(&mut rung.resolved));
        let refused: Vec<Diagnostic> =
            rungs.iter().filter(|rung| rung.knobs_turned() > 1).map(refusal).collect();
        match allow_many || refused.is_empty() {
            true => Ok(rungs),
            false => Err(Diagnostics { diagnostics: refused }),
        }
    }

    /// Every change to the file's keys.
    fn all(&self, options: &[String]) -> Vec<String> {
        let seed = self.seed.map(|seed| format!("seed={seed}"));
        self.sets.iter().chain(&seed).chain(options).cloned().collect()
    }

    /// What others published holds for the file as it stands, not for a what-if.
    fn forget_published(&self, resolved: &mut Resolved) {
        if !self.sets.is_empty() {
            resolved.scenario.published = None;
        }
    }
}

/// A gain can be put down to a knob only if it is the one that was turned.
fn refusal(rung: &Rung) -> Diagnostic {
    let turned = turned_knobs(rung);
    let keys: Vec<String> =
        rung.changes.iter().map(|change| format!("\"{}\"", change.key)).collect();
    Diagnostic {
        file: rung.resolved.path().to_string(),
        line: None,
        column: None,
        found: format!(
            "rung `{}` turns {} knobs at once, so that no gain can be put down to one of them: {}",
            rung.name,
            turned.len(),
            turned.join("; ")
        ),
        allowed: Some("one knob per rung".into()),
        advice: Some(format!(
            "give each knob a rung of its own; or, if they belong together, name them: \
             knob = {{ name = \"...\", keys = [{}] }}; or pass --allow-many",
            keys.join(", ")
        )),
    }
}
