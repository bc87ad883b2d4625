//! The interpreter lock of one process: one thread at a time runs its code.
//!
//! As CPython has it: a waiter sleeps for the switch interval; if no thread took the lock
//! meanwhile, it asks the holder to let go, and the holder waits until another has taken it.

use std::collections::VecDeque;

use model::units::{Instant, Span};

/// The lock and the threads that wait for it.
#[derive(Debug)]
pub(crate) struct InterpreterLock {
    interval: Span,
    holder: Option<u32>,
    waiting: VecDeque<u32>,
    drop_requested: bool,
    /// When the first waiter loses its patience.
    deadline: Instant,
    /// A timer is on its way; it may come too early and is then set again.
    timer_pending: bool,
}

/// What the lock's timer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerOutcome {
    /// No thread waits any more.
    Nothing,
    /// The lock changed hands since: look again at this instant.
    Again(Instant),
    /// This thread must let go.
    Drop(u32),
}

impl InterpreterLock {
    /// A free lock whose waiters are patient for `interval`.
    pub(crate) fn new(interval: Span) -> InterpreterLock {
        InterpreterLock {
            interval,
            holder: None,
            waiting: VecDeque::new(),
            drop_requested: false,
            deadline: Instant::NEVER,
            timer_pending: false,
        }
    }

    /// True if `thread` has the lock or gets it now.
    pub(crate) fn try_acquire(&mut self, thread: u32, now: Instant) -> bool {
        if self.holder == Some(thread) {
            return true;
        }
        if self.holder.is_some() {
            return false;
        }
        self.holder = Some(thread);
        self.drop_requested = false;
        self.deadline = now + self.interval;
        true
    }

    /// `thread` waits. Returns when to look whether the holder must let go, if no timer is
    /// on its way yet.
    pub(crate) fn wait(&mut self, thread: u32, now: Instant) -> Option<Instant> {
        if self.waiting.is_empty() {
            self.deadline = now + self.interval;
        }
        self.waiting.push_back(thread);
        let needed = !self.timer_pending;
        self.timer_pending = true;
        needed.then_some(self.deadline)
    }

    /// The holder lets go. The first waiter, returned, may try for the lock when it runs.
    pub(crate) fn release(&mut self) -> Option<u32> {
        self.holder = None;
        self.drop_requested = false;
        self.waiting.pop_front()
    }

    /// The timer rings.
    pub(crate) fn timer(&mut self, now: Instant) -> TimerOutcome {
        self.timer_pending = false;
        let Some(holder) = self.holder.filter(|_| !self.waiting.is_empty()) else {
            return TimerOutcome::Nothing;
        };
        self.timer_pending = true;
        if now < self.deadline {
            return TimerOutcome::Again(self.deadline);
        }
        self.timer_pending = false;
        self.drop_requested = true;
        TimerOutcome::Drop(holder)
    }

    /// True if `thread` holds the lock and was not asked to let go.
    #[inline]
    pub(crate) fn may_keep(&self, thread: u32) -> bool {
        self.holder == Some(thread) && !self.drop_requested
    }

    /// True if `thread` holds the lock.
    pub(crate) fn held_by(&self, thread: u32) -> bool {
        self.holder == Some(thread)
    }

    /// The thread that holds the lock.
    pub(crate) fn holder(&self) -> Option<u32> {
        self.holder
    }

    /// Threads that sleep until it is let go.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When to look again after a hand-over, if waiters remain and no timer is on its way.
    pub(crate) fn timer_after_handover(&mut self) -> Option<Instant> {
        if self.waiting.is_empty() || self.timer_pending || self.holder.is_none() {
            return None;
        }
        self.timer_pending = true;
        Some(self.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * MS)
    }

    #[test]
    fn a_holder_is_asked_to_let_go_after_the_interval() {
        let mut lock = InterpreterLock::new(Span::from_millis(5));
        assert!(lock.try_acquire(1, at(0)));
        assert!(!lock.try_acquire(2, at(1)));
        assert_eq!(lock.wait(2, at(1)), Some(at(6)));
        assert_eq!(lock.timer(at(6)), TimerOutcome::Drop(1));
        assert!(!lock.may_keep(1));
        assert_eq!(lock.release(), Some(2));
        assert!(lock.try_acquire(2, at(6)));
        assert!(lock.may_keep(2));
    }

    #[test]
    fn a_change_of_hands_restarts_the_interval() {
        let mut lock = InterpreterLock::new(Span::from_millis(5));
        assert!(lock.try_acquire(1, at(0)));
        assert_eq!(lock.wait(2, at(1)), Some(at(6)));
        assert_eq!(lock.wait(3, at(2)), None);
        assert_eq!(lock.release(), Some(2));
        assert!(lock.try_acquire(2, at(4)));
        assert_eq!(lock.timer(at(6)), TimerOutcome::Again(at(9)));
        assert_eq!(lock.timer(at(9)), TimerOutcome::Drop(2));
    }

    #[test]
    fn a_timer_without_waiters_is_forgotten() {
        let mut lock = InterpreterLock::new(Span::from_millis(5));
        assert!(lock.try_acquire(1, at(0)));
        lock.wait(2, at(1));
        assert_eq!(lock.release(), Some(2));
        assert!(lock.try_acquire(2, at(1)));
        assert_eq!(lock.timer(at(6)), TimerOutcome::Nothing);
        assert_eq!(lock.wait(1, at(7)), Some(at(12)));
    }
}
