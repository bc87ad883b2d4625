//! A server on the service's processors: each session is a process, and takes turns with the
//! workers' threads and with the other sessions.

use model::units::Span;

use crate::engine::{Engine, NONE, Role, Thread, ThreadState, Trace};

impl<T: Trace> Engine<'_, T> {
    /// The command of `task` needs `work` of a processor.
    pub(super) fn work_on_shared(&mut self, task: u32, work: Span) {
        if work.is_zero() {
            return self.worked(task);
        }
        let thread = match self.session(task).thread {
            Some(thread) => thread,
            None => self.start_session(task),
        };
        let entry = &mut self.threads[thread];
        // It needs no lock of an interpreter.
        (entry.role, entry.work, entry.native) = (Role::Session { task }, work, true);
        self.make_ready(thread);
    }

    fn start_session(&mut self, task: u32) -> u32 {
        let process = Thread::new(NONE, Role::Session { task });
        let thread = self.threads.insert(process, |_, _| {});
        self.session(task).thread = Some(thread);
        thread
    }

    /// A session has done what `task` has asked for, and sleeps until the next command.
    pub(crate) fn session_done(&mut self, thread: u32, task: u32) {
        self.leave_core(thread);
        self.threads[thread].state = ThreadState::Idle;
        self.worked(task);
    }

    /// The process of a session ends, with whatever it does.
    pub(super) fn end_session_thread(&mut self, thread: u32) {
        match self.threads[thread].state {
            ThreadState::Running => {
                self.charge(thread);
                self.cpu.settle(self.now);
                self.leave_core(thread);
            }
            ThreadState::Ready => {
                self.cpu.withdraw(thread);
                self.seen.postgres.queue.leave(self.now);
            }
            ThreadState::Idle | ThreadState::WaitsForLock | ThreadState::Blocked => {}
        }
        self.threads[thread].state = ThreadState::Idle;
        self.end_thread(thread);
    }

    fn is_session(&self, thread: u32) -> bool {
        matches!(self.threads[thread].role, Role::Session { .. })
    }

    /// A thread joins the queue for a processor, which is counted if it is a session.
    pub(crate) fn session_waits(&mut self, thread: u32) {
        if self.is_session(thread) {
            self.seen.postgres.queue.enter(self.now);
        }
    }

    /// A thread leaves that queue for a processor.
    pub(crate) fn session_runs(&mut self, thread: u32) {
        if self.is_session(thread) {
            self.seen.postgres.queue.leave(self.now);
            self.seen.postgres.busy.enter(self.now);
        }
    }

    /// A thread leaves its processor.
    pub(crate) fn session_stops(&mut self, thread: u32) {
        if self.is_session(thread) {
            self.seen.postgres.busy.leave(self.now);
        }
    }
}
