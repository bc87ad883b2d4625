//! A program that runs beside its test, and how it ended.

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;

use crate::processes::Processes;
use crate::wait::wait_for;

/// A program that runs. It is killed if its test ends before it does.
#[derive(Debug)]
pub struct Running {
    child: Child,
    // Files, not pipes: a program that writes much need not be read meanwhile.
    out: File,
    err: File,
    processes: Processes,
}

impl Running {
    /// Starts `command`, whose processes are `processes`, in a process group of its own, as a
    /// shell does.
    pub(crate) fn start(mut command: Command, processes: Processes) -> Running {
        let file = || tempfile::tempfile().expect("a folder for temporary files");
        let to = |file: &File| file.try_clone().expect("a file of ours");
        let (out, err) = (file(), file());
        command.stdin(Stdio::null()).stdout(to(&out)).stderr(to(&err)).process_group(0);
        let child = command.spawn().expect("the program can be started");
        Running { child, out, err, processes }
    }

    /// The same on a terminal, which is standard input and standard error.
    pub(crate) fn start_on(
        mut command: Command,
        processes: Processes,
        input: OwnedFd,
        error: OwnedFd,
    ) -> Running {
        let file = || tempfile::tempfile().expect("a folder for temporary files");
        let (out, err) = (file(), file());
        let to = out.try_clone().expect("a file of ours");
        command.stdin(input).stdout(to).stderr(error).process_group(0);
        let child = command.spawn().expect("the program can be started");
        Running { child, out, err, processes }
    }

    /// Its number, which is that of its group.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a process of ours");
    }

    /// Waits until it has written an address to its standard output.
    ///
    /// # Panics
    /// It ends without.
    pub fn address(&mut self) -> SocketAddr {
        let (out, child) = (&self.out, &mut self.child);
        let named = || {
            let ended = child.try_wait().expect("a process of ours");
            let text = text(out);
            let line = text.split_once("http://").and_then(|(_, rest)| rest.split_once('\n'));
            assert!(line.is_some() || ended.is_none(), "it has ended and named no address");
            line.map(|(address, _)| address.trim().parse().expect("an address"))
        };
        wait_for("an address", || progress(&self.processes, out), named)
    }

    /// True if it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a process of ours").is_some()
    }

    /// Waits for its end.
    pub fn ended(self) -> Ended {
        self.ended_while(|| ())
    }

    /// Waits for its end, and repeats `look` meanwhile.
    pub fn ended_while(mut self, mut look: impl FnMut()) -> Ended {
        let child = &mut self.child;
        let ended = || {
            look();
            child.try_wait().expect("a process of ours")
        };
        let moves = || progress(&self.processes, &self.err);
        let status = wait_for("the end of the program", moves, ended);
        Ended { code: status.code(), out: text(&self.out), err: text(&self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time and output of a program: while it works, one of them changes.
fn progress(processes: &Processes, output: &File) -> u64 {
    processes.progress() + output.metadata().map_or(0, |file| file.len())
}

/// What has been written to `file` so far. The offset, which a child shares, stays.
fn text(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().expect("a file of ours").len() as usize];
    let length = file.read_at(&mut bytes, 0).expect("a file of ours");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Output and exit code of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Ended {
    /// It has ended with `code`.
    pub fn with_code(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// It has ended with one of `codes`.
    pub fn with_one_of(self, codes: &[i32]) -> Ended {
        assert!(self.code.is_some_and(|code| codes.contains(&code)), "{self:?}");
        self
    }

    /// It was refused: exit code 2, no answer, and each of `words` in the error.
    pub fn refused(self, words: &[&str]) -> Ended {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word}: {}", self.err);
        }
        self
    }

    /// Its standard output as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
