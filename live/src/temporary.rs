//! Folders that vanish: with the value that holds them, or, if the process was killed, by a small
//! process beside it that outlives it; if that was killed too, with the next run.
//!
//! A folder's name says which process made it: `.live-PID-xxxxxx`.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::postgres::end_left_over;

/// How names of temporary folders begin; the process number follows.
const TEMPORARY: &str = ".live-";
/// Everybody may read what is kept, as far as the user's umask allows.
const READABLE: u32 = 0o755;

/// A folder cannot be made or written to.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the folder {}: {source}; choose another with --out", folder.display())]
pub struct FolderError {
    folder: PathBuf,
    source: io::Error,
}

impl FolderError {
    /// The system says `source` of `folder`.
    pub fn new(folder: &Path, source: io::Error) -> FolderError {
        FolderError { folder: folder.to_path_buf(), source }
    }
}

/// Makes the folder below which runs are kept, if it is not there, and removes what runs
/// that were killed have left in it.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare(runs: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(runs).map_err(|source| FolderError::new(runs, source))?;
    // An error now is better than one after the measurement.
    let probe = tempfile::Builder::new().prefix(".probe-").tempfile_in(runs);
    probe.map(drop).map_err(|source| FolderError::new(runs, source))?;
    remove_orphans(runs);
    Ok(())
}

/// A folder below `runs` that vanishes when it is dropped.
///
/// # Errors
/// It cannot be made.
pub fn temporary(runs: &Path) -> Result<Temporary, FolderError> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("{TEMPORARY}{}-", std::process::id()))
        .permissions(Permissions::from_mode(READABLE))
        .tempdir_in(runs)
        .map_err(|source| FolderError::new(runs, source))?;
    // Without it the folder of a run that is killed stays until the next one.
    let remover = remover(folder.path()).ok();
    Ok(Temporary { folder, remover })
}

/// A folder that vanishes when it is dropped, and when its process is killed.
#[derive(Debug)]
pub struct Temporary {
    folder: TempDir,
    remover: Option<Child>,
}

impl Temporary {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(remover) = &mut self.remover {
            // Else it would wait for those who may still write.
            let _ = remover.kill();
            let _ = remover.wait();
        }
    }
}

/// Reads until this process closes the pipe or ends, then removes the folder; once more after a
/// moment, since other processes of the run may still write to it while they end.
const REMOVE: &str = "read -r _; rm -rf -- \"$1\"; sleep 1; rm -rf -- \"$1\"";

fn remover(folder: &Path) -> io::Result<Child> {
    let folder = folder.canonicalize()?;
    let mut command = Command::new("sh");
    command.args(["-c", REMOVE, "remover"]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in a terminal is for the run, not for this process.
    command.process_group(0).spawn()
}

/// Removes the temporary folders of processes that are gone, as far as that is possible, and ends
/// database servers that are left in them.
pub(crate) fn remove_orphans(runs: &Path) {
    // A zombie still has a process number, but its command line is empty.
    let lives = |pid: u32| {
        let command = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline"));
        command.is_ok_and(|command| !command.is_empty())
    };
    if !lives(std::process::id()) {
        // This system does not list its processes there.
        return;
    }
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if owner(&name.to_string_lossy()).is_some_and(|pid| !lives(pid)) {
            end_left_over(&entry.path());
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process whose temporary folder has this name.
fn owner(name: &str) -> Option<u32> {
    let (pid, _) = name.strip_prefix(TEMPORARY)?.split_once('-')?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_killed_runs_are_removed_and_nothing_else() {
        let runs = tempfile::tempdir().expect("a folder for temporary files");
        let ours = temporary(runs.path()).expect("it can be written");
        let name = ours.path().file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(owner(&name), Some(std::process::id()));
        // No process has such a number.
        let gone = format!("{TEMPORARY}{}-abcdef", u32::MAX);
        let others = [".live-x-abcdef", ".live-abcdef", "v2-20261123-070501", &name];
        for name in [&*gone].into_iter().chain(others) {
            fs::create_dir_all(runs.path().join(name).join("deep")).expect("it can be written");
        }
        prepare(runs.path()).expect("it can be written");
        assert!(!runs.path().join(&gone).exists());
        for name in others {
            assert!(runs.path().join(name).exists(), "{name}");
        }
    }
}
