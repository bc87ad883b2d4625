//! A measurement by a child process: this program, as `live run`.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use live::run::interrupt::Interrupt;
use model::report::Report;
use render::{Exit, Failure};
use rustix::process::{Pid, Signal, kill_process};

/// Pause between two looks at the child.
const LOOK: Duration = Duration::from_millis(20);

/// Where children run, and who may stop them.
pub(crate) struct Bench<'a> {
    /// A folder that is removed when all is done.
    pub(crate) folder: &'a Path,
    /// The wish to end.
    pub(crate) interrupt: &'a Interrupt,
}

impl Bench<'_> {
    /// What `live run` says of the scenario `file`, called `name`.
    ///
    /// # Errors
    /// It has nothing to say, or nobody wants to hear it any more.
    pub(crate) fn measure(&self, name: &str, file: &Path) -> Result<Report, Failure> {
        let failed = |error: io::Error| Failure::run(name, format!("cannot be measured: {error}"));
        let (out, err) = (self.folder.join("answer.json"), self.folder.join("talk"));
        let status = self.run(file, &out, &err).map_err(failed)?;
        if self.interrupt.is_set() {
            return Err(interrupted());
        }
        let has_answer = [Exit::Success, Exit::Inconclusive].map(|exit| i32::from(exit.code()));
        if !status.code().is_some_and(|code| has_answer.contains(&code)) {
            let talk = fs::read_to_string(&err).unwrap_or_default();
            let talk = talk.trim().trim_start_matches("error: ");
            return Err(Failure::run(name, format!("its measurement failed ({status}): {talk}")));
        }
        let answer = fs::read_to_string(&out).map_err(failed)?;
        serde_json::from_str(&answer)
            .map_err(|error| Failure::run(name, format!("its measurement is no report: {error}")))
    }

    fn run(&self, file: &Path, out: &Path, err: &Path) -> io::Result<ExitStatus> {
        // Files, not pipes: nobody need empty them while the child runs.
        let mut command = Command::new(program()?);
        command
            .args(["live", "run"])
            .arg(file)
            .args(["--format", "json", "--out"])
            .arg(self.folder.join("runs"))
            .stdin(Stdio::null())
            .stdout(File::create(out)?)
            .stderr(File::create(err)?)
            // Ctrl-C is ours to pass on: a second one would not let it end in order.
            .process_group(0);
        let mut child = Running(command.spawn()?);
        let mut told = false;
        loop {
            if let Some(status) = child.0.try_wait()? {
                return Ok(status);
            }
            if self.interrupt.is_set() && !told {
                // It may have ended just now.
                let _ = kill_process(Pid::from_child(&child.0), Signal::TERM);
                told = true;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A child that does not outlive its owner's interest.
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

fn program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// The user did not want to wait.
pub(crate) fn interrupted() -> Failure {
    Failure::System("interrupted: no profile was written".into())
}
