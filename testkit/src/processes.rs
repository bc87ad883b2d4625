//! The processes that a test has started, children of children included.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal};

/// The variable that marks the environment of every process of a test.
const MARK: &str = "RUNG_TEST";

/// All processes whose environment has the mark of one test.
#[derive(Clone, Debug)]
pub struct Processes {
    mark: String,
}

impl Processes {
    /// The processes that are marked with `folder`.
    pub(crate) fn of(folder: &Path) -> Processes {
        Processes { mark: folder.display().to_string() }
    }

    /// Marks what `command` starts.
    pub(crate) fn mark(&self, command: &mut Command) {
        command.env(MARK, OsStr::new(&self.mark));
    }

    /// Those that have the word `part` in their command line; with an empty one, all.
    pub fn with(&self, part: &str) -> Vec<Pid> {
        let mark = format!("{MARK}={}", self.mark);
        let entries = fs::read_dir("/proc").expect("Linux").flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let has = |pid: &i32| {
            // A process that has just ended has neither.
            let contains = |name: &str, text: &str| {
                let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
                bytes.split(|byte| *byte == 0).any(|word| word == text.as_bytes())
            };
            contains("environ", &mark) && (part.is_empty() || contains("cmdline", part))
        };
        numbers.filter(has).filter_map(Pid::from_raw).collect()
    }

    /// A number that changes while they compute: clock ticks of CPU time that they have used.
    pub(crate) fn progress(&self) -> u64 {
        let ticks = |pid: Pid| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            let stat = stat.unwrap_or_default();
            let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
            let times = fields.split(' ').skip(11).take(2);
            times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>()
        };
        self.with("").into_iter().map(ticks).sum()
    }
}

/// True if the tests were started with SIGINT ignored, as a shell does it for jobs in the
/// background: programs that they start ignore it too, until they listen for themselves.
pub fn starts_deaf_to_interrupts() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (Signal::INT.as_raw() - 1)) != 0
}
