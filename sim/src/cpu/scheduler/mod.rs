//! Who runs next, and for how long: the rules of the kernel's scheduler.
//!
//! All cores share one queue. Linux has one for each core and moves threads between them; a core that
//! would be idle takes a thread from another one, which this queue does by itself.

mod cfs;
mod eevdf;
mod entity;
mod fair;
mod turns;

use model::scenario::{Cpu as Machine, Scheduler as Rules};
use model::units::{Instant, Span};

use fair::Fair;
use turns::Turns;

/// The threads that are ready, and the turns of those that run.
#[derive(Debug)]
pub(super) enum Scheduler {
    /// First come, first served, a slice each.
    Turns(Turns),
    /// By virtual time: EEVDF, or CFS before it.
    Fair(Fair),
}

/// When the kernel looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// Time between two; zero for a kernel that looks at every moment.
    pub(super) interval: Span,
    /// When the first one comes.
    pub(super) phase: Span,
}

impl Ticks {
    /// The first tick that is not before `at`; `at` itself where the kernel looks at every moment.
    pub(super) fn not_before(self, at: Instant) -> Instant {
        if self.interval.is_zero() {
            return at;
        }
        let since_first = at.nanos().saturating_sub(self.phase.nanos());
        Instant::START + self.phase + self.interval * since_first.div_ceil(self.interval.nanos())
    }
}

impl Scheduler {
    pub(super) fn new(machine: &Machine, ticks: Ticks) -> Scheduler {
        match machine.scheduler {
            Rules::RoundRobin => Scheduler::Turns(Turns::new(machine, ticks)),
            Rules::Eevdf => Scheduler::Fair(Fair::eevdf(machine.slice, ticks)),
            Rules::Cfs => Scheduler::Fair(Fair::cfs(machine.slice, ticks)),
        }
    }

    /// `thread` wakes up and is ready.
    pub(super) fn wake(&mut self, thread: u32, now: Instant) {
        match self {
            Scheduler::Turns(turns) => turns.ready.push_back(thread),
            Scheduler::Fair(fair) => fair.wake(thread, now),
        }
    }

    /// `thread`, which has just left its core, is ready all the same: its turn was over.
    pub(super) fn requeue(&mut self, thread: u32) {
        match self {
            Scheduler::Turns(turns) => turns.ready.push_back(thread),
            Scheduler::Fair(fair) => fair.requeue(thread),
        }
    }

    /// `thread`, which has just left its core, was stopped in its turn and goes on before others.
    pub(super) fn put_back(&mut self, thread: u32) {
        match self {
            Scheduler::Turns(turns) => turns.ready.push_front(thread),
            Scheduler::Fair(fair) => fair.requeue(thread),
        }
    }

    /// A thread that does not run is gone.
    pub(super) fn withdraw(&mut self, thread: u32) {
        match self {
            Scheduler::Turns(turns) => turns.ready.retain(|&ready| ready != thread),
            Scheduler::Fair(fair) => fair.withdraw(thread),
        }
    }

    /// Threads that are ready and do not run.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Scheduler::Turns(turns) => turns.ready.len(),
            Scheduler::Fair(fair) => fair.waiting(),
        }
    }

    /// All in the queue.
    pub(super) fn queued(&self) -> Vec<u32> {
        match self {
            Scheduler::Turns(turns) => turns.ready.iter().copied().collect(),
            Scheduler::Fair(fair) => fair.queued.clone(),
        }
    }

    /// The thread that runs next on a core that is free; none if none is ready.
    pub(super) fn next(&mut self) -> Option<u32> {
        match self {
            Scheduler::Turns(turns) => turns.ready.front().copied(),
            Scheduler::Fair(fair) => fair.next(),
        }
    }

    /// `thread`, which [`Self::next`] has named, runs on `core` from `from` on.
    pub(super) fn start(&mut self, core: usize, thread: u32, from: Instant) {
        match self {
            Scheduler::Turns(turns) => {
                let first = turns.ready.pop_front();
                debug_assert_eq!(first, Some(thread));
                turns.start(core, from);
            }
            Scheduler::Fair(fair) => fair.start(thread, from),
        }
    }

    /// `thread` leaves its core, asleep unless it is put back at the same instant.
    pub(super) fn stop(&mut self, thread: u32, now: Instant) {
        if let Scheduler::Fair(fair) = self {
            fair.stop(thread, now);
        }
    }

    /// When the kernel looks next whether the turn of `thread` on `core` is over, with another one ready;
    /// not before `now`.
    pub(super) fn looks(&mut self, core: usize, thread: u32, now: Instant) -> Instant {
        match self {
            Scheduler::Turns(turns) => turns.end(core, now),
            Scheduler::Fair(fair) => fair.looks(thread, now),
        }
    }

    /// The kernel looks whether the turn of `thread` on `core` is over because another one is ready.
    pub(super) fn is_over(&mut self, core: usize, thread: u32, now: Instant) -> bool {
        match self {
            Scheduler::Turns(turns) => !turns.ready.is_empty() && now >= turns.end(core, now),
            Scheduler::Fair(fair) => fair.is_over(thread, now),
        }
    }

    /// Threads have woken and found no core. True if turns that were set before may end earlier now.
    pub(super) fn found_no_core(&mut self, now: Instant) -> bool {
        match self {
            Scheduler::Turns(_) => false,
            Scheduler::Fair(fair) => fair.preempt(now),
        }
    }
}

#[cfg(test)]
mod tests;
