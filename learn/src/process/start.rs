//! A service that this program starts, and that ends with it, however it ends.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::ProcessError;

/// Runs the command `$1` in the group of this shell. The end of standard input, which comes when
/// this program ends, ends the whole group: first in good order, then by force. A shell that runs a
/// pipe of programs ends before they do, so that all processes of the group are looked at.
const GUARD: &str = r#"
trap : TERM INT HUP
# A process of the group lives that is neither this shell nor $1.
lives() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        pid=${line%% *}
        # The name stands in parentheses and may hold anything: state, parent, group follow it.
        line=${line##*) }
        state=${line%% *}
        line=${line#* * }
        group=${line%% *}
        [ "$group" = $$ ] && [ "$state" != Z ] && [ "$pid" != $$ ] && [ "$pid" != "$1" ] && return 0
    done
    return 1
}
exec 3<&0 </dev/null
sh -c "$1" 3<&- &
service=$!
(
    trap '' TERM INT HUP
    read -r _ <&3
    read -r own _ </proc/self/stat
    kill -TERM 0
    i=0
    while lives "$own" && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
    kill -KILL 0
) &
exec 3<&-
wait $service
code=$?
while kill -0 $service 2>/dev/null; do wait $service; code=$?; done
exit $code
"#;

/// How long the service has to end in good order before it is killed; a little more than the
/// shell gives it.
const PATIENCE: Duration = Duration::from_secs(8);
/// Bytes of what it wrote that are shown.
const TAIL: u64 = 2000;
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A service that this program has started. It ends, with all processes of its group, when this
/// is dropped, and when this program is killed.
#[derive(Debug)]
pub struct Started {
    leader: Child,
    /// Open for as long as the service is to run.
    lifeline: Option<ChildStdin>,
    output: File,
}

impl Started {
    /// Starts `command` as a shell would, in a process group of its own.
    ///
    /// # Errors
    /// The system does not let it start.
    pub fn new(command: &str) -> Result<Started, ProcessError> {
        let start = || -> io::Result<Started> {
            // It has no name from here on; what is read has a place of its own.
            let file = tempfile::NamedTempFile::new()?;
            let output = file.reopen()?;
            let file = file.into_file();
            let mut leader = Command::new("sh")
                .args(["-c", GUARD, "service", command])
                .stdin(Stdio::piped())
                .stdout(file.try_clone()?)
                .stderr(file)
                .process_group(0)
                .spawn()?;
            let lifeline = leader.stdin.take();
            Ok(Started { leader, lifeline, output })
        };
        start().map_err(ProcessError::Spawn)
    }

    /// The process above all of it.
    pub fn pid(&self) -> u32 {
        self.leader.id()
    }

    /// Makes sure that it still runs.
    ///
    /// # Errors
    /// It has ended, with its last words.
    pub fn check(&mut self) -> Result<(), ProcessError> {
        match self.leader.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                Err(ProcessError::Ended { status: status.to_string(), tail: self.tail() })
            }
            Err(error) => Err(ProcessError::Spawn(error)),
        }
    }

    /// The end of what it has written.
    pub fn tail(&mut self) -> String {
        let mut read = || -> io::Result<String> {
            let end = self.output.seek(SeekFrom::End(0))?;
            self.output.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            self.output.by_ref().take(TAIL).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim().to_string())
        };
        read().unwrap_or_default()
    }

    /// A process of the group lives.
    fn lives(&mut self) -> bool {
        // Its leader is a zombie until it is waited for.
        let _ = self.leader.try_wait();
        has_group(self.leader.id())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + PATIENCE;
        while self.lives() && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        if self.lives()
            && let Some(group) = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.leader.wait();
    }
}

/// A process of the group lives: a zombie does not.
fn has_group(group: u32) -> bool {
    let of = |entry: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name stands in parentheses and may hold anything: state, parent, group follow it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        fields.nth(1)?.parse().ok().filter(|_| state != "Z" && state != "X")
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(of).any(|found: u32| found == group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_all_its_children() {
        let started = Started::new("sleep 1000 & sleep 1000 & wait").expect("a shell");
        let group = started.pid();
        assert!(has_group(group));
        drop(started);
        assert!(!has_group(group));
    }

    /// A shell ends at once when it is told to; the programs of a pipe that it runs may take a moment.
    #[test]
    fn programs_of_a_pipe_may_end_in_good_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let (ready, whole) = (file("ready"), file("whole"));
        let first = format!(
            "trap 'sleep 0.5; echo >{}; exit' TERM; echo >{}; while :; do sleep 0.02; done",
            whole.display(),
            ready.display()
        );
        let started = Started::new(&format!("sh -c \"{first}\" | cat")).expect("a shell");
        while !ready.exists() {
            std::thread::sleep(LOOK);
        }
        drop(started);
        assert!(whole.exists(), "it was killed before it had ended in good order");
    }

    #[test]
    fn its_last_words_are_told() {
        let mut started = Started::new("echo cannot import app; exit 3").expect("a shell");
        let told = loop {
            match started.check() {
                Ok(()) => std::thread::sleep(LOOK),
                Err(error) => break error.to_string(),
            }
        };
        assert!(told.contains("exit status: 3") && told.contains("cannot import app"), "{told}");
    }
}
