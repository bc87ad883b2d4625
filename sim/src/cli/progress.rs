//! One line of progress, on a terminal and only if the work takes long.

use std::time::{Duration, Instant};

use model::statistics::Estimate;
use render::{Console, number};

use crate::observe::Observations;
use crate::predict::Stage;

/// Work that is done sooner needs no progress line.
const PATIENCE: Duration = Duration::from_millis(300);

/// A line on standard error that is written over and over.
pub(super) struct Progress<'c, 'a> {
    console: &'c mut Console<'a>,
    confidence: f64,
    started: Instant,
    last: Instant,
    shown: bool,
}

impl<'c, 'a> Progress<'c, 'a> {
    /// Progress of work that begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the wall clock decides when to speak, never what is computed"
    )]
    pub(super) fn new(console: &'c mut Console<'a>, confidence: f64) -> Progress<'c, 'a> {
        let now = Instant::now();
        Progress { console, confidence, started: now, last: now, shown: false }
    }

    /// The work on `name` has come to a new stage.
    pub(super) fn report(&mut self, name: &str, stage: Stage<'_>) {
        if !self.is_due() {
            return;
        }
        let text = match stage {
            Stage::Replicated(seen) => {
                let rates: Vec<f64> = seen.iter().map(Observations::throughput).collect();
                let width = Estimate::of_mean(&rates, self.confidence).relative_half_width();
                let runs = seen.len();
                format!("{name}: {runs} replications, interval ±{}", number::percent(width))
            }
            Stage::Knobs(count) => format!("{name}: trying {count} knobs"),
        };
        self.say(&text);
    }

    /// So many settings of all are tried; told some times a second.
    pub(super) fn settings(&mut self, done: usize, all: usize) {
        if self.is_due() && (!self.shown || self.last.elapsed() >= PATIENCE) {
            self.say(&format!("{done} of {all} settings tried"));
        }
    }

    /// So many points of all are done; told some times a second.
    pub(super) fn points(&mut self, done: usize, all: usize) {
        if !self.is_due() || (self.shown && self.last.elapsed() < PATIENCE) {
            return;
        }
        let left = self.started.elapsed().as_secs_f64() * (all - done) as f64 / done.max(1) as f64;
        self.say(&format!("{done} of {all} points, about {} left", number::time_digits(left, 2)));
    }

    fn is_due(&self) -> bool {
        self.console.err_is_terminal && self.started.elapsed() >= PATIENCE
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the wall clock decides when to speak, never what is computed"
    )]
    fn say(&mut self, text: &str) {
        self.console.talk(&format!("\r\x1b[K{text}"));
        self.shown = true;
        self.last = Instant::now();
    }
}

impl Drop for Progress<'_, '_> {
    fn drop(&mut self) {
        if self.shown {
            self.console.talk("\r\x1b[K");
        }
    }
}
