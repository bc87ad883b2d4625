//! Threads that take the interpreter lock, wait for it and let go of it.

use model::place;

use super::lock::TimerOutcome;
use crate::engine::{Engine, Event, NONE, ThreadState, Trace};

impl<T: Trace> Engine<'_, T> {
    /// True if what `task` does next needs no interpreter lock.
    #[inline]
    pub(crate) fn enters_library(&self, task: u32) -> bool {
        self.plan.native && task != NONE && self.plan.ops[self.tasks[task].pc as usize].is_native()
    }

    /// Takes the interpreter lock if the thread needs it and can have it. If not, it leaves
    /// its core and waits.
    #[inline]
    pub(crate) fn acquire_lock(&mut self, thread: u32) -> bool {
        if self.plan.interpreter.is_none() {
            return true;
        }
        let lock = &self.workers[self.threads[thread].worker as usize].lock;
        lock.may_keep(thread) || self.acquire_that_lock(thread)
    }

    // Apart, since most threads that ask have it.
    #[inline(never)]
    fn acquire_that_lock(&mut self, thread: u32) -> bool {
        let id = self.threads[thread].worker;
        let lock = &mut self.workers[id as usize].lock;
        if lock.held_by(thread) {
            // It was asked to let go.
            self.release_lock(thread);
            self.wait_for_lock(thread);
            return false;
        }
        if !lock.try_acquire(thread, self.now) {
            self.wait_for_lock(thread);
            return false;
        }
        if let Some(at) = lock.timer_after_handover() {
            self.agenda.push(at, Event::LockTimer { worker: id });
        }
        self.seen.interpreter.held.enter(self.now);
        true
    }

    pub(crate) fn wait_for_lock(&mut self, thread: u32) {
        self.leave_core(thread);
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::WaitsForLock;
        let (id, task) = (entry.worker, entry.task);
        if task != NONE {
            self.set_place(task, place::INTERPRETER);
        }
        if let Some(at) = self.workers[id as usize].lock.wait(thread, self.now) {
            self.agenda.push(at, Event::LockTimer { worker: id });
        }
    }

    /// Lets go of the interpreter lock if the thread holds it; the first waiter may try.
    #[inline]
    pub(crate) fn release_lock(&mut self, thread: u32) {
        if self.plan.interpreter.is_some() {
            self.release_that_lock(thread);
        }
    }

    #[inline(never)]
    fn release_that_lock(&mut self, thread: u32) {
        let lock = &mut self.workers[self.threads[thread].worker as usize].lock;
        if !lock.held_by(thread) {
            return;
        }
        self.seen.interpreter.held.leave(self.now);
        if let Some(next) = lock.release() {
            self.make_ready(next);
        }
    }

    /// A waiter for the interpreter lock has slept for the switch interval.
    pub(crate) fn lock_timer(&mut self, id: u32) {
        match self.workers[id as usize].lock.timer(self.now) {
            TimerOutcome::Nothing => {}
            TimerOutcome::Again(at) => self.agenda.push(at, Event::LockTimer { worker: id }),
            TimerOutcome::Drop(holder) => {
                // A holder without a core lets go as soon as it has one.
                if self.threads[holder].state == ThreadState::Running {
                    self.charge(holder);
                    // A holder whose work ends now lets go by itself as it goes on, perhaps into
                    // the library. If it waited here, it would sleep for a lock that it does not
                    // need, and the waiters would be forgotten.
                    if !self.threads[holder].work.is_zero() {
                        self.release_lock(holder);
                        self.wait_for_lock(holder);
                    }
                }
            }
        }
    }
}
