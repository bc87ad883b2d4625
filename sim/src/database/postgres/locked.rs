//! Statements that lock a row, wait for it, and give it back when their transaction ends.

use model::scenario::Rows as RowsOf;
use model::stream::{Purpose, lane_of_attempt};

use super::rows::{Lock, RowId};
use super::{Locks, State};
use crate::engine::{Engine, Event, NONE, Trace};
use crate::observe::{ErrorKind, Limit};

/// The draws for rows of one name.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    of: RowsOf,
    /// Which row is the request's first, second and so on.
    rows: Vec<Purpose>,
    /// Who gets a row that a request's transaction has changed.
    next: Purpose,
}

impl Drawn {
    /// The draws for `of`, of which a request locks so many.
    pub(crate) fn new(of: &RowsOf, most: u32, seed: u64) -> Drawn {
        let purpose = |name: String| Purpose::new(seed, &name);
        Drawn {
            rows: (1..=most).map(|nth| purpose(of.purpose(nth))).collect(),
            next: purpose(format!("row.{}.next", of.name)),
            of: of.clone(),
        }
    }
}

impl<T: Trace> Engine<'_, T> {
    /// The row that a statement of `task` locks.
    fn row_of(&mut self, task: u32, locks: Locks) -> RowId {
        let plan = self.plan;
        let drawn = &plan.database.as_ref().expect("planned with a database").rows;
        let Drawn { of, rows, .. } = &drawn[locks.rows as usize];
        let key = self.requests[self.tasks[task].request].key;
        let draws = &mut self.draws;
        let draw = |nth: u32| draws.draw(&rows[nth as usize - 1], key.lane, key.index);
        RowId { rows: locks.rows, row: of.row(locks.nth, draw) }
    }

    /// The statement of `task` locks its row. False if it waits for it.
    pub(super) fn lock_row(&mut self, task: u32, locks: Locks) -> bool {
        let row = self.row_of(task, locks);
        let connection = self.tasks[task].database.connection;
        match self.database.server.rows.lock(row, task, connection, locks.changes) {
            Lock::Held => {}
            Lock::Taken => {
                self.session(task).rows.push(row);
                self.seen.postgres.rows[row.rows as usize].held.enter(self.now);
            }
            Lock::Waits => {
                self.seen.reach(Limit::Row(row.rows));
                self.seen.postgres.rows[row.rows as usize].waiting.enter(self.now);
                let now = self.now;
                let session = self.session(task);
                (session.awaits, session.attempt, session.looked) = (Some(row), now, false);
                self.begin_row_wait(task);
                self.time_lock(task);
                return false;
            }
        }
        true
    }

    /// `task` has the row that it waited for, if it is still of interest.
    pub(crate) fn row_granted(&mut self, task: u32, ticket: u32) {
        if self.tasks[task].ticket != ticket {
            return;
        }
        if let State::Paused { until } = self.database.server.state {
            return self.agenda.push(until, Event::RowGranted { task, ticket });
        }
        self.has_row(task);
    }

    /// `task` waits for a row no longer, and does not have it.
    pub(super) fn leave_row(&mut self, task: u32) {
        let Some(row) = self.session(task).awaits else { return };
        self.end_row_wait(task);
        self.session(task).awaits = None;
        self.database.server.rows.abandon(row, task);
        self.seen.postgres.rows[row.rows as usize].waiting.leave(self.now);
    }

    /// The transaction on `connection` ends, and with it its locks. If a task has `committed` it, its
    /// changes stay.
    pub(crate) fn release_rows(&mut self, connection: u32, committed: Option<u32>) {
        if self.database.connections[connection].session.rows.is_empty() {
            return;
        }
        self.end_waits_behind(connection);
        let rows = std::mem::take(&mut self.database.connections[connection].session.rows);
        for row in rows {
            self.release_row(row, committed);
        }
    }

    fn release_row(&mut self, row: RowId, committed: Option<u32>) {
        let plan = self.plan;
        let next = &plan.database.as_ref().expect("planned with a database").rows;
        let next = &next[row.rows as usize].next;
        let (draws, tasks, requests) = (&mut self.draws, &mut self.tasks, &self.requests);
        let pick = |among: usize| {
            let Some(task) = committed else { return 0 };
            let entry = &mut tasks[task];
            let key = requests[entry.request].key;
            let lane = lane_of_attempt(key.lane, entry.database.passed);
            entry.database.passed = (entry.database.passed + 1) % 256;
            (draws.draw(next, lane, key.index) % among as u64) as usize
        };
        let released = self.database.server.rows.release(row, committed.is_some(), pick);
        let seen = &mut self.seen.postgres.rows[row.rows as usize];
        match released.next {
            Some(_) => seen.waiting.leave(self.now),
            None => seen.held.leave(self.now),
        }
        released.anew.into_iter().for_each(|task| self.attempt_anew(task));
        let Some(next) = released.next else { return };
        let (ticket, connection) = (self.tasks[next].ticket, self.tasks[next].database.connection);
        let changes = self.sent(next).0.locks().is_some_and(|locks| locks.changes);
        self.database.server.rows.pass(row, next, connection, changes);
        let session = self.session(next);
        session.awaits = None;
        session.rows.push(row);
        // Its statement goes on at this instant, when all rows of the transaction have been passed on.
        self.agenda.push(self.now, Event::RowGranted { task: next, ticket });
    }

    /// The server gives up the waits of clients that have gone.
    pub(super) fn abandon_rows(&mut self, gone: &impl Fn(u32) -> bool) {
        let rows = &self.database.server.rows;
        let waiting: Vec<u32> = rows
            .locked()
            .flat_map(|(row, ..)| rows.waiting(row))
            .filter(|&task| gone(task))
            .collect();
        waiting.into_iter().for_each(|task| self.leave_row(task));
    }

    /// The server ends: nobody holds a row any more. Returns those that waited for one.
    pub(super) fn end_rows(&mut self) -> Vec<u32> {
        let locked: Vec<(RowId, u32, usize)> = self.database.server.rows.locked().collect();
        for (_, connection, _) in &locked {
            self.end_waits_behind(*connection);
        }
        for (row, connection, waiting) in locked {
            self.database.connections[connection].session.rows.clear();
            let seen = &mut self.seen.postgres.rows[row.rows as usize];
            seen.held.leave(self.now);
            (0..waiting).for_each(|_| seen.waiting.leave(self.now));
        }
        let waiting = self.database.server.rows.end_all();
        waiting.iter().for_each(|&task| self.session(task).awaits = None);
        waiting
    }

    /// The sessions that wait for each other for rows, if `connection` is one of them: it waits for a
    /// row whose holder waits for another one, and so on, back to itself.
    pub(super) fn is_deadlocked(&self, connection: u32) -> bool {
        let mut at = connection;
        // As many steps as there can be connections.
        for _ in 0..self.database.connections.len() {
            let awaits = self.database.connections[at].session.awaits;
            match awaits.and_then(|row| self.database.server.rows.holder(row)) {
                Some((holder, _)) if holder == connection => return true,
                Some((holder, _)) => at = holder,
                None => return false,
            }
        }
        false
    }

    /// The statement of `task` fails in the server, and its transaction with it.
    pub(super) fn statement_fails(&mut self, task: u32, kind: ErrorKind) {
        let connection = self.tasks[task].database.connection;
        debug_assert!(connection != NONE);
        self.leave_row(task);
        self.release_rows(connection, None);
        let back = self.leave_server(task);
        self.fail(task, kind);
        self.resume_after(task, back);
    }
}
