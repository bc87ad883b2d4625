//! What shows the numbers while a round is measured, and the CPU time that it uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

use crate::machine::cpu_of;

/// The live terminal or the exporter of metrics, while they run. Their CPU time is neither
/// the load generator's nor another program's.
#[derive(Clone, Debug)]
pub(crate) struct Onlooker {
    /// What it is.
    pub display: Display,
    /// Where it runs.
    pub runs: Runs,
}

/// What shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Display {
    /// The live terminal.
    Terminal,
    /// Metrics for other programs.
    Metrics,
    /// Both of them.
    Both,
}

/// Where something is shown.
#[derive(Clone, Debug)]
pub(crate) enum Runs {
    /// By threads of this process, which say how many nanoseconds of CPU time they have used.
    Threads(Vec<Arc<AtomicU64>>),
    /// By the process with this number.
    Process(u32),
}

impl Display {
    /// What it is called among the processes of a report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Display::Terminal => "live terminal",
            Display::Metrics => "metrics exporter",
            Display::Both => "live terminal and metrics exporter",
        }
    }

    /// The process with this name is one.
    pub(super) fn has_name(name: &str) -> bool {
        Display::value_variants().iter().any(|display| display.name() == name)
    }
}

impl Onlooker {
    /// CPU time that it has used, in nanoseconds.
    pub(super) fn cpu(&self) -> u64 {
        match &self.runs {
            Runs::Threads(all) => all.iter().map(|cpu| cpu.load(Ordering::Acquire)).sum(),
            // One that has ended looks no more.
            Runs::Process(pid) => cpu_of(*pid).unwrap_or(0),
        }
    }

    /// Its CPU time is in that of this process.
    pub(super) fn is_inside(&self) -> bool {
        matches!(self.runs, Runs::Threads(_))
    }
}
