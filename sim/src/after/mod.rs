//! Work after the reply: its client has its answer, and the worker still has something to do.
//!
//! It is the request's task that goes on, on the same threads, loop and connections. It has an account
//! of its own, from the reply on.

mod answer;
mod run;

use model::units::Instant;
use serde::{Deserialize, Serialize};

use crate::engine::Accounts;
use crate::observe::Gauge;

/// What is counted of work after replies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observed {
    /// Pieces of it that are under way.
    pub at_work: Gauge,
    /// Pieces that ended.
    pub ended: u64,
    /// Those of them that ended in an error.
    pub failed: u64,
    /// Where the time of those that ended went, by place, in nanoseconds.
    pub time: Vec<u128>,
    /// Pieces in queues half-way through the window, and at its end.
    pub queued: [u64; 2],
}

impl Observed {
    pub(crate) fn new(places: usize) -> Observed {
        let at_work = Gauge::new();
        Observed { at_work, ended: 0, failed: 0, time: vec![0; places], queued: [0; 2] }
    }

    pub(crate) fn reset(&mut self) {
        (self.ended, self.failed) = (0, 0);
        self.time.fill(0);
    }

    /// The piece that is `task` ends.
    fn end(&mut self, now: Instant, task: u32, accounts: &Accounts, failed: bool) {
        self.at_work.leave(now);
        self.ended += 1;
        self.failed += u64::from(failed);
        for (total, part) in self.time.iter_mut().zip(accounts.of(task)) {
            *total += u128::from(*part);
        }
    }
}
