//! Which scenario a command is about, as every program asks for it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};
use model::read::{Diagnostic, Diagnostics, Resolved, Rung, ladder, load};
use model::scenario::settable_keys;

use crate::ladder::turned_knobs;

/// Which scenario.
#[derive(Debug, Args)]
pub struct Source {
    /// The scenario file
    file: PathBuf,
    #[command(flatten)]
    changes: Changes,
}

/// Which ladder: a scenario and all that it extends.
#[derive(Debug, Args)]
pub struct LadderSource {
    #[command(flatten)]
    source: Source,
    /// Accept rungs that turn more than one knob
    #[arg(long)]
    allow_many: bool,
}

/// Which scenarios, all of them changed alike.
#[derive(Debug, Args)]
pub struct Sources {
    /// The scenario file, or several
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// How a scenario differs from its file.
#[derive(Debug, Args)]
pub struct Changes {
    /// Change a key of the scenario: --set service.workers=4 (repeatable)
    #[arg(
        long = "set", value_name = "KEY=VALUE",
        value_parser = Setting, hide_possible_values = true,
    )]
    sets: Vec<String>,
    /// Root of the random draws, instead of the scenario's own
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
}

/// A seed as a file may have it.
fn seed(text: &str) -> Result<u64, String> {
    let most = i64::MAX as u64;
    let number = text.parse().ok().filter(|seed| *seed <= most);
    number.ok_or_else(|| format!("a seed is a whole number from 0 to {most}"))
}

/// Any text; a shell that completes it offers the keys of a scenario.
#[derive(Clone, Debug)]
struct Setting;

impl TypedValueParser for Setting {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        static KEYS: LazyLock<Vec<String>> =
            LazyLock::new(|| settable_keys().iter().map(|key| format!("{key}=")).collect());
        Some(Box::new(KEYS.iter().map(|key| PossibleValue::new(key.as_str()))))
    }
}

impl Source {
    /// The file as the user named it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Every change to its keys, as `--set` has it.
    pub fn sets(&self) -> Vec<String> {
        self.changes.all(&[])
    }

    /// The scenario, with the changes that the command's other options make to its keys:
    /// `load.duration=10s`.
    ///
    /// # Errors
    /// Every problem of its files and changes.
    pub fn load(&self, options: &[String]) -> Result<Resolved, Diagnostics> {
        self.changes.load(&self.file, options)
    }
}

impl Source {
    /// As words of a command line.
    pub fn words(&self) -> Vec<String> {
        let file = self.file.display().to_string();
        std::iter::once(file).chain(self.changes.words()).collect()
    }
}

impl LadderSource {
    /// The scenario and all that it extends, root first, changed likewise. Unless the user allows
    /// more, each rung turns one knob.
    ///
    /// # Errors
    /// Every problem of any rung; else every rung that turns more than one knob.
    pub fn rungs(&self, options: &[String]) -> Result<Vec<Rung>, Diagnostics> {
        let changes = &self.source.changes;
        let mut rungs = ladder(&self.source.file, &changes.all(options))?;
        rungs.iter_mut().for_each(|rung| changes.forget_published(&mut rung.resolved));
        one_knob_each(rungs, self.allow_many)
    }
}

/// The rungs, if each turns one knob or `allow_many` is true.
///
/// # Errors
/// Every rung that turns more than one knob.
pub fn one_knob_each(rungs: Vec<Rung>, allow_many: bool) -> Result<Vec<Rung>, Diagnostics> {
    let refused: Vec<Diagnostic> =
        rungs.iter().filter(|rung| rung.knobs_turned() > 1).map(refusal).collect();
    match allow_many || refused.is_empty() {
        true => Ok(rungs),
        false => Err(Diagnostics { diagnostics: refused }),
    }
}

impl Sources {
    /// The scenarios in the order in which they were named, with the changes that the command's
    /// other options make to their keys.
    ///
    /// # Errors
    /// Every problem of any of them.
    pub fn load(&self, options: &[String]) -> Result<Vec<Resolved>, Diagnostics> {
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for file in &self.files {
            match self.changes.load(file, options) {
                Ok(resolved) => all.push(resolved),
                // Files may have a parent in common, and its problems with it.
                Err(refused) => {
                    for problem in refused.diagnostics {
                        if !problems.contains(&problem) {
                            problems.push(problem);
                        }
                    }
                }
            }
        }
        match problems.is_empty() {
            true => Ok(all),
            false => Err(Diagnostics { diagnostics: problems }),
        }
    }
}

impl Changes {
    /// The scenario of a file, changed by these and by the command's other options.
    ///
    /// # Errors
    /// Every problem of its files and changes.
    pub fn load(&self, file: &Path, options: &[String]) -> Result<Resolved, Diagnostics> {
        let mut resolved = load(file, &self.all(options))?;
        self.forget_published(&mut resolved);
        Ok(resolved)
    }

    fn words(&self) -> Vec<String> {
        let sets = self.sets.iter().flat_map(|set| ["--set".to_string(), set.clone()]);
        let seed = self.seed.iter().flat_map(|seed| ["--seed".to_string(), seed.to_string()]);
        sets.chain(seed).collect()
    }

    /// True where nothing is changed.
    pub fn are_none(&self) -> bool {
        self.sets.is_empty() && self.seed.is_none()
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Several {
        #[command(flatten)]
        sources: Sources,
    }

    const SHOP: &str = r#"
        costs.cpu.request = "1ms"
        load = { users = 2, duration = "10s" }
        service.concurrency = "blocking"
        endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "1ms" }] }]
        published = { throughput = "80/s", fitted = false, note = "somebody's" }
    "#;

    /// Loads the files, each of which has this text, with these other words.
    fn several(files: &[(&str, &str)], words: &[&str]) -> Result<Vec<Resolved>, Diagnostics> {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let paths = files.iter().map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("the folder is ours");
            path.display().to_string()
        });
        let args = ["several".to_string()].into_iter().chain(paths);
        let args = args.chain(words.iter().map(ToString::to_string));
        Several::parse_from(args).sources.load(&["load.warmup=3s".to_string()])
    }

    #[test]
    fn several_files_are_changed_alike() {
        let other = "extends = \"shop.toml\"\nservice.concurrency = \"async\"";
        let files = [("shop.toml", SHOP), ("other.toml", other)];
        let loaded = several(&files, &["--set", "service.workers=3", "--seed", "5"]);
        let loaded = loaded.expect("both are right");
        let names: Vec<&str> = loaded.iter().map(|r| &*r.scenario.name).collect();
        assert_eq!(names, ["shop", "other"]);
        for Resolved { scenario, .. } in &loaded {
            assert_eq!((scenario.seed, scenario.service.workers), (5, 3));
            assert_eq!(scenario.load.warmup.secs_f64(), 3.0);
            assert!(scenario.published.is_none());
        }
        let as_written = several(&files, &[]).expect("both are right");
        assert!(as_written[0].scenario.published.is_some());
    }

    #[test]
    fn every_problem_of_every_file_is_told_once() {
        let child = "extends = \"shop.toml\"\nservice.workers = 0";
        let broken = format!("{SHOP}\nservice.wokers = 2");
        let files = [("shop.toml", &*broken), ("one.toml", child), ("other.toml", child)];
        let refused = several(&files, &[]).expect_err("all are wrong");
        let count = |file: &str| {
            refused.diagnostics.iter().filter(|problem| problem.file.ends_with(file)).count()
        };
        let counts = ["shop.toml", "one.toml", "other.toml"].map(count);
        assert_eq!(counts, [1, 1, 1], "{refused}");
    }
}
