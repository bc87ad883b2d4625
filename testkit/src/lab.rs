//! Where a test runs a program.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::processes::Processes;
use crate::running::{Ended, Running};
use crate::terminal::Terminal;
use crate::wait::wait_for;

/// A temporary folder of one test, in which it runs a program.
#[derive(Debug)]
pub struct Lab {
    folder: TempDir,
    program: PathBuf,
    processes: Processes,
}

impl Lab {
    /// An empty folder for `program`.
    pub fn new(program: &str) -> Lab {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let processes = Processes::of(folder.path());
        Lab { folder, program: program.into(), processes }
    }

    /// Puts a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder of ours");
        fs::write(path, text).expect("a folder of ours");
    }

    /// A file or folder in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything in one of its folders, hidden files included, in order; empty if there is
    /// no such folder.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    /// The names of [`Lab::files`].
    pub fn names(&self, folder: &str) -> Vec<String> {
        let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.files(folder).into_iter().filter_map(name).collect()
    }

    /// The program with `words`, in the folder.
    pub fn command(&self, words: &str) -> Command {
        self.command_of(&self.program, words)
    }

    /// Another `program` with `words`, in the folder.
    pub fn command_of(&self, program: &Path, words: &str) -> Command {
        let mut command = Command::new(program);
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        self.processes.mark(&mut command);
        command
    }

    /// Starts the program with `words`.
    pub fn start(&self, words: &str) -> Running {
        self.start_command(self.command(words))
    }

    /// Starts a command of [`Lab::command_of`].
    pub fn start_command(&self, command: Command) -> Running {
        Running::start(command, self.processes.clone())
    }

    /// Starts a command of [`Lab::command_of`] on a terminal of so many columns and rows.
    pub fn start_on_terminal(&self, command: Command, size: [u16; 2]) -> Terminal {
        Terminal::start(command, self.processes.clone(), size)
    }

    /// Runs the program with `words` to its end.
    pub fn end(&self, words: &str) -> Ended {
        self.start(words).ended()
    }

    /// Processes that were started here and have the word `part` in their command line; with
    /// an empty one, all of them.
    pub fn processes(&self, part: &str) -> Vec<Pid> {
        self.processes.with(part)
    }

    /// Waits until there is a process with this `part`.
    pub fn process(&self, part: &str) -> Pid {
        self.wait_for(part, || self.processes(part).first().copied())
    }

    /// Waits until there is a process with this `part` that is not `old`.
    pub fn process_instead_of(&self, old: Pid, part: &str) -> Pid {
        self.wait_for(part, || self.processes(part).into_iter().find(|pid| *pid != old))
    }

    /// Repeats `look` until it finds something, for as long as a process that was started
    /// here makes progress.
    pub fn wait_for<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        wait_for(what, || self.processes.progress(), look)
    }

    /// Waits until no process is left. Orphans may take a moment to end.
    pub fn no_process_is_left(&self) {
        self.wait_for("no process", || self.processes("").is_empty().then_some(()));
    }

    /// Interrupts `run` while it starts, `delay` after its start. Afterwards nothing is left but
    /// what it says that it has kept.
    ///
    /// # Panics
    /// It ends otherwise than it should.
    pub fn interrupted_after(&self, delay: Duration, run: Running) {
        sleep(delay);
        run.signal(Signal::INT);
        let ended = run.ended();
        let kept = match ended.code {
            // The program did not listen yet: the signal just ended it.
            None => 0,
            Some(2) if ended.err.contains("interrupted before anything was measured") => 0,
            Some(3) => 1,
            _ => panic!("{ended:?}"),
        };
        self.only_runs_are_left(kept);
    }

    /// Interrupts `run` again and again while its worker is stopped and does not say what it has
    /// counted: the program ends at once with the exit code of an interrupt.
    pub fn interrupted_twice(&self, run: Running) {
        let worker = self.process("worker-process");
        kill_process(worker, Signal::STOP).expect("a process of ours");
        // Signals that come before the first is handled are one.
        let pid = run.pid();
        let ended = run.ended_while(|| kill_process(pid, Signal::INT).expect("a process of ours"));
        ended.with_code(130);
        // A stopped process does not hear that its parent has gone.
        kill_process(worker, Signal::CONT).expect("a process of ours");
        self.no_process_is_left();
    }

    /// Waits until nothing listens at `address`.
    pub fn is_free(&self, address: SocketAddr) {
        self.wait_for("a free port", || TcpListener::bind(address).ok());
    }

    /// Waits until no process is left, and checks that there are `kept` runs in the folder
    /// `runs`, and no temporary folder.
    pub fn only_runs_are_left(&self, kept: usize) {
        self.no_process_is_left();
        let runs = self.names("runs");
        assert_eq!(runs.len(), kept, "{runs:?}");
        assert!(runs.iter().all(|name| !name.starts_with('.')), "{runs:?}");
    }
}
