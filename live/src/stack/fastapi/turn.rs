//! One program at a time installs an environment; others wait.
//!
//! It is a lock on the folder around the environment: the system releases it however the
//! program ends, and no file is left.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// The right to change an environment, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// Another program had it first.
    pub(super) waited: bool,
    _folder: File,
}

impl Turn {
    /// Waits until no other program has the right to change `environment`.
    ///
    /// # Errors
    /// The folder around it cannot be made or locked.
    pub(super) fn take(environment: &Path, progress: &mut dyn FnMut(&str)) -> io::Result<Turn> {
        let environment = std::path::absolute(environment)?;
        let around = environment.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(around)?;
        let folder = File::open(around)?;
        let waited = match folder.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => {
                progress("another program is installing it: waiting");
                folder.lock()?;
                true
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        Ok(Turn { waited, _folder: folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_at_a_time_has_the_turn() {
        let around = tempfile::tempdir().expect("a folder");
        let folder = around.path().join("fastapi");
        let (mut said, reports) = (Vec::new(), std::sync::mpsc::channel());
        let first = Turn::take(&folder, &mut |what| said.push(what.to_string())).expect("free");
        assert!(!first.waited && said.is_empty());
        let second = std::thread::spawn({
            let folder = folder.clone();
            move || {
                Turn::take(&folder, &mut |what| reports.0.send(what.to_string()).expect("heard"))
            }
        });
        assert!(reports.1.recv().expect("it waits").contains("waiting"));
        assert!(!second.is_finished());
        drop(first);
        assert!(second.join().expect("no panic").expect("free again").waited);
        let left = fs::read_dir(around.path()).expect("the folder").count();
        assert_eq!(left, 0, "nothing is left");
    }
}
