//! A standstill is noticed when a wait begins that closes the cycle.

use model::units::Span;

use super::Awaited;
use crate::engine::{Engine, NONE, Record, Trace};

impl<T: Trace> Engine<'_, T> {
    /// Connections that `task` holds.
    pub(crate) fn connections_of(&self, task: u32) -> u32 {
        let mut connection = self.tasks[task].database.connection;
        let mut count = 0;
        while connection != NONE {
            count += 1;
            connection = self.database.connections[connection].outer;
        }
        count
    }

    /// `task` begins to wait.
    pub(crate) fn begin_wait(&mut self, task: u32, awaited: Awaited) {
        let (worker, held) = (self.worker_of(task), self.connections_of(task));
        let waits = &mut self.workers[worker as usize].waits;
        match awaited {
            Awaited::Thread => waits.for_thread += held,
            Awaited::Connection => {
                waits.for_connection += held;
                waits.threads += u32::from(self.tasks[task].token);
            }
        }
        self.look_for_standstill(worker);
    }

    /// `task` has what it waited for, or has given up. Nothing stands still any more.
    pub(crate) fn end_wait(&mut self, task: u32, awaited: Awaited) {
        let (worker, held) = (self.worker_of(task), self.connections_of(task));
        let waits = &mut self.workers[worker as usize].waits;
        match awaited {
            Awaited::Thread => waits.for_thread -= held,
            Awaited::Connection => {
                waits.for_connection -= held;
                waits.threads -= u32::from(self.tasks[task].token);
            }
        }
        if let Some(since) = waits.since.take() {
            let lasted = self.now - since;
            self.note_standstill(lasted);
            self.trace.record(self.now, Record::StandstillEnds { worker, lasted });
        }
    }

    /// None of those that hold a connection can go on, and so none can give one back.
    fn look_for_standstill(&mut self, worker: u32) {
        let entry = &self.workers[worker as usize];
        let [for_thread, for_connection, threads] = entry.waits.counted();
        let Some(pool) = entry.database.as_ref().filter(|_| entry.waits.since.is_none()) else {
            return;
        };
        let blocked = pool.is_exhausted() && for_thread + for_connection == pool.in_use();
        let no_thread = threads == entry.pool_threads.tokens.capacity();
        if !blocked || (for_thread > 0 && !no_thread) {
            return;
        }
        self.workers[worker as usize].waits.since = Some(self.now);
        let seen = &mut self.seen.standstill;
        seen.count += 1;
        seen.first.get_or_insert(self.now);
        seen.for_thread = seen.for_thread.max(for_thread);
        seen.for_connection = seen.for_connection.max(for_connection);
        seen.threads = seen.threads.max(threads);
        let begins = Record::StandstillBegins { worker, for_thread, for_connection, threads };
        self.trace.record(self.now, begins);
    }

    /// The process of `worker` ends, and with it what stood still.
    pub(crate) fn end_standstill(&mut self, worker: u32) {
        if let Some(since) = self.workers[worker as usize].waits.since.take() {
            let lasted = self.now - since;
            self.note_standstill(lasted);
            self.trace.record(self.now, Record::StandstillEnds { worker, lasted });
        }
    }

    fn note_standstill(&mut self, lasted: Span) {
        let seen = &mut self.seen.standstill;
        seen.total += lasted;
        seen.longest = seen.longest.max(lasted);
    }

    /// The run ends: what stands still now never went on.
    pub(crate) fn close_standstills(&mut self, end: model::units::Instant) {
        for worker in 0..self.workers.len() {
            if let Some(since) = self.workers[worker].waits.since {
                self.note_standstill(end - since);
                self.seen.standstill.endless += 1;
            }
        }
    }
}
