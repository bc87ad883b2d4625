//! What the instructions of locks do.

use model::place;

use super::{LockId, Op};
use crate::engine::{Engine, Flow, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};
use crate::standstill::Awaited;

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn application_lock(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::Acquire { lock } => self.acquire(thread, task, lock),
            Op::Release { lock } => self.release(task, lock),
        }
    }

    /// An async handler parks while it waits; any other waits with its thread, the loop's too.
    fn acquire(&mut self, thread: u32, task: u32, lock: LockId) -> Flow {
        let worker = self.worker_of(task);
        let state = self.locks.of(lock, worker);
        if state.slots.acquire(task) {
            state.holders.push(task);
            self.seen.locks[lock as usize].held.enter(self.now);
            return Flow::Continue;
        }
        self.seen.reach(Limit::Lock(lock));
        let timeout = self.scenario().locks[lock as usize].timeout;
        self.give_up_after(task, timeout);
        self.begin_wait(task, Awaited::Lock(lock));
        self.seen.locks[lock as usize].waiting.enter(self.now);
        self.suspend(thread, task, place::lock(self.scenario(), lock))
    }

    fn release(&mut self, task: u32, lock: LockId) -> Flow {
        let worker = self.worker_of(task);
        let state = self.locks.of(lock, worker);
        state.holders.retain(|holder| *holder != task);
        match state.slots.release() {
            Some(next) => {
                state.holders.push(next);
                self.end_wait(next, Awaited::Lock(lock));
                self.seen.locks[lock as usize].waiting.leave(self.now);
                // A waiter in another process hears of it through the kernel.
                let via = if self.worker_of(next) == worker { Via::Loop } else { Via::Poll };
                self.grant(next, via);
            }
            None => self.seen.locks[lock as usize].held.leave(self.now),
        }
        Flow::Continue
    }

    /// The tasks of a process that has ended neither wait for locks nor hold them. What it shared with
    /// others is free, as a file's lock is that the kernel takes back.
    pub(crate) fn free_locks(&mut self, worker: u32, tasks: &[u32]) {
        for lock in 0..self.scenario().locks.len() as LockId {
            for &task in tasks {
                if self.awaited(task) == Some(Awaited::Lock(lock)) {
                    self.locks.of(lock, worker).slots.abandon(task);
                    self.seen.locks[lock as usize].waiting.leave(self.now);
                }
            }
            let holders = &self.locks.of(lock, worker).holders;
            let gone: Vec<u32> =
                holders.iter().copied().filter(|holder| tasks.contains(holder)).collect();
            for task in gone {
                self.release(task, lock);
            }
        }
    }

    /// `task` has waited for the lock for as long as it wanted to.
    pub(crate) fn give_up_lock(&mut self, task: u32, lock: LockId) {
        self.seen.reach(Limit::LockTimeout(lock));
        self.leave_lock(task, lock);
        self.fail(task, ErrorKind::LockTimeout);
    }

    /// `task` waits for the lock no longer.
    pub(crate) fn leave_lock(&mut self, task: u32, lock: LockId) {
        let worker = self.worker_of(task);
        self.locks.of(lock, worker).slots.abandon(task);
        self.end_wait(task, Awaited::Lock(lock));
        self.seen.locks[lock as usize].waiting.leave(self.now);
    }
}
