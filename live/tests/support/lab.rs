//! Where a test runs the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{COSTS, Ended, Kept};

/// A folder of a test's own, with a scenario in it: `shop.toml`.
#[derive(Debug)]
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    /// A folder with `scenario` in it, to which the costs of all tests are added.
    pub(crate) fn new(scenario: &str) -> Lab {
        let lab = Lab { folder: tempfile::tempdir().expect("a folder for temporary files") };
        lab.write("shop.toml", &format!("{scenario}\n{COSTS}"));
        lab
    }

    /// Puts a file beside the scenario.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder is ours");
    }

    /// A file or folder beside the scenario.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where runs are kept.
    pub(crate) fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    /// Everything below the folder of runs, hidden files included, in order.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.runs()) else { return Vec::new() };
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("the folder is ours").path()).collect();
        paths.sort();
        paths
    }

    /// What the environment of every process that is started here has under `LIVE_TEST`.
    pub(crate) fn mark(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// The program with `words`, in the folder.
    pub(crate) fn command(&self, words: &str) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_live")), words)
    }

    /// Another `program` with `words`, in the folder.
    pub(crate) fn command_of(&self, program: &Path, words: &str) -> Command {
        let mut command = Command::new(program);
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        command.env("LIVE_TEST", self.mark());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with `words` to its end.
    pub(crate) fn live(&self, words: &str) -> Ended {
        self.command(words).output().expect("the program runs").into()
    }

    /// The run that `ended` says it has kept.
    pub(crate) fn kept(&self, ended: &Ended) -> Kept {
        let folder = ended.err.lines().find_map(|line| line.strip_prefix("kept in "));
        Kept::read(&self.path(folder.unwrap_or_else(|| panic!("nothing is kept: {ended:?}"))))
    }
}
