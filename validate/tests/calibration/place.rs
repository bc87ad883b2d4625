//! Where a test runs the program.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A folder of a test's own.
#[derive(Debug)]
pub(crate) struct Place(TempDir);

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder for temporary files"))
    }

    /// Something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of everything in one of its folders, hidden files included, in order.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).expect("the folder is there");
        let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.flatten().map(name).collect();
        names.sort();
        names
    }

    /// What the environment of every process that is started here has.
    pub(crate) fn mark(&self) -> String {
        format!("VALIDATE_TEST={}", self.0.path().display())
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_validate"));
        command.args(words.split_whitespace()).current_dir(self.0.path());
        command.env("VALIDATE_TEST", self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with `words`: its exit code, its data, its talk.
    pub(crate) fn validate(&self, words: &str) -> (Option<i32>, String, String) {
        let ended = self.command(words).output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    }

    /// Starts the program with `words`, in a process group of its own, as a shell does.
    pub(crate) fn start(&self, words: &str) -> Child {
        self.command(words).process_group(0).spawn().expect("the program runs")
    }
}
