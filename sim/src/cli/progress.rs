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
    shown: bool,
}

impl<'c, 'a> Progress<'c, 'a> {
    /// Progress of work that begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the wall clock decides when to speak, never what is computed"
    )]
    pub(super) fn new(console: &'c mut Console<'a>, confidence: f64) -> Progress<'c, 'a> {
        Progress { console, confidence, started: Instant::now(), shown: false }
    }

    /// The work on `name` has come to a new stage.
    pub(super) fn report(&mut self, name: &str, stage: Stage<'_>) {
        if !self.console.err_is_terminal || self.started.elapsed() < PATIENCE {
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
        self.console.talk(&format!("\r\x1b[K{text}"));
        self.shown = true;
    }
}

impl Drop for Progress<'_, '_> {
    fn drop(&mut self) {
        if self.shown {
            self.console.talk("\r\x1b[K");
        }
    }
}
