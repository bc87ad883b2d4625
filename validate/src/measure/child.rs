//! This program as `live`, in a process of its own: a measurement knows nothing of the
//! prediction that it will be held against.
//!
//! The child has a process group of its own: a terminal would send it Ctrl-C a second
//! time, which ends it at once. It ends with its parent, however that ends.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use live::Interrupt;
use live::cli::{Hosts, On};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

/// The hidden command that makes this program `live`.
pub(crate) const LIVE: &str = "live";
/// Pause between two looks at the child.
const LOOK: Duration = Duration::from_millis(20);

/// Runs `live` with `words` until it ends; an interrupt is passed on to it once. Its answer goes
/// to the file `answer`, its messages to the file `talk`; without one, to standard error. Its
/// standard input is `input`; without one, it is empty.
///
/// # Errors
/// It cannot be run, or a file not be made.
pub(crate) fn live(
    words: impl IntoIterator<Item = OsString>,
    answer: &Path,
    talk: Option<&Path>,
    input: Option<OwnedFd>,
    interrupt: &Interrupt,
) -> io::Result<ExitStatus> {
    let mut command = Command::new(std::env::current_exe()?);
    let input = input.map_or_else(Stdio::null, Stdio::from);
    // Files, not pipes: a pipe has to be emptied while the child runs.
    command.arg(LIVE).args(words).stdin(input).stdout(File::create(answer)?);
    if let Some(talk) = talk {
        command.stderr(File::create(talk)?);
    }
    let mut child = Running(command.process_group(0).spawn()?);
    // The command holds the child's end of its input: with it open here, the end of the child
    // would go unnoticed.
    drop(command);
    let mut signalled = false;
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(status);
        }
        if interrupt.is_set() && !signalled {
            // It may have ended just now.
            let _ = kill_process(Pid::from_child(&child.0), Signal::INT);
            signalled = true;
        }
        std::thread::sleep(LOOK);
    }
}

/// The words that say what `live` is to run scenarios on.
pub(crate) fn on(on: &On) -> Vec<OsString> {
    // Whole, so that no option is forgotten.
    let On { target, start, database_pid, hosts: Hosts { allowed }, environment } = on;
    let target = format!("--target={}", target.word());
    let mut words = vec![target.into(), joined("--environment", &environment.folder)];
    let hosts = allowed.iter().map(|host| format!("--allow-host={host}"));
    let start = start.iter().map(|command| format!("--start={command}"));
    let database = database_pid.iter().map(|pid| format!("--database-pid={pid}"));
    words.extend(hosts.chain(start).chain(database).map(OsString::from));
    words
}

/// An option and its value as one word: whatever the value begins with, it is no option.
pub(crate) fn joined(option: &str, path: &Path) -> OsString {
    let mut all = OsString::from(option);
    all.push("=");
    all.push(path);
    all
}

/// Makes the kernel send SIGTERM to this process when the one that started it ends, even if that
/// is killed. A system that cannot do so lets the measurement run to its end.
pub(crate) fn end_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
}

/// A child that is killed if its owner is dropped before it has ended.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless an error got in between.
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use live::cli::{Environment, Place};

    use super::*;

    #[test]
    fn what_is_said_of_a_service_is_passed_on() {
        let asked = On {
            target: Place::Own("http://127.0.0.1:8000".parse().expect("a URL")),
            start: Some("exec serve -p 8000".into()),
            database_pid: Some(4242),
            hosts: Hosts { allowed: vec!["shop.local".into()] },
            environment: Environment { folder: PathBuf::from("-there") },
        };
        let wanted = [
            "--target=http://127.0.0.1:8000",
            "--environment=-there",
            "--allow-host=shop.local",
            "--start=exec serve -p 8000",
            "--database-pid=4242",
        ];
        assert_eq!(on(&asked), wanted);
    }
}
