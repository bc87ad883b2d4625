//! The processes of the server: one for each session, which takes turns with the others, and with the
//! workers' threads if the server runs on their processors.

use model::units::Span;

use super::State;
use crate::cpu::Host;
use crate::engine::{Engine, NONE, Role, Thread, ThreadState, Trace};

impl<T: Trace> Engine<'_, T> {
    /// The command of `task` needs `work` of a processor.
    pub(super) fn work_on(&mut self, task: u32, work: Span) {
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
        let host = if self.server_settings().shares_cpu() { Host::Service } else { Host::Database };
        let process = Thread { host, ..Thread::new(NONE, Role::Session { task }) };
        let thread = self.threads.insert(process, |_, _| {});
        self.session(task).thread = Some(thread);
        thread
    }

    /// A session has done what `task` has asked for, and sleeps until the next command, unless it opens
    /// and goes on with that.
    pub(crate) fn session_done(&mut self, thread: u32, task: u32) {
        if let Some(rest) = self.opening_goes_on(task) {
            let entry = &mut self.threads[thread];
            (entry.work, entry.native) = (rest, true);
            return self.run_thread(thread);
        }
        self.leave_core(thread);
        self.threads[thread].state = ThreadState::Idle;
        self.worked(task);
    }

    /// The process of a session ends, with whatever it does.
    pub(super) fn end_session_thread(&mut self, thread: u32) {
        match self.threads[thread].state {
            ThreadState::Running => {
                self.charge(thread);
                let host = self.threads[thread].host;
                self.cpu[host].settle(self.now);
                self.leave_core(thread);
            }
            ThreadState::Ready => self.seen.postgres.queue.leave(self.now),
            ThreadState::Idle | ThreadState::WaitsForLock | ThreadState::Blocked => {}
        }
        self.threads[thread].state = ThreadState::Idle;
        self.end_thread(thread);
    }

    /// The task that the process `thread` works for now.
    pub(super) fn worked_for(&self, thread: u32) -> Option<u32> {
        match (self.threads[thread].state, self.threads[thread].role) {
            (ThreadState::Running | ThreadState::Ready, Role::Session { task }) => Some(task),
            _ => None,
        }
    }

    /// The server's processes are stopped.
    pub(super) fn processes_stop(&mut self) {
        for (thread, done) in self.cpu[Host::Database].halt(self.now) {
            self.stopped(thread, done);
        }
    }

    /// The server's processes run again if they were stopped.
    pub(super) fn processes_go_on(&mut self) {
        if let State::Paused { .. } = self.database.server.state {
            self.cpu[Host::Database].go_on();
        }
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
