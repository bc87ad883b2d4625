//! Timeouts of the server: `deadlock_timeout`, `lock_timeout`, `statement_timeout` and
//! `idle_in_transaction_session_timeout`.
//!
//! A session looks for a deadlock once in an attempt to lock a row. A commit that waits for the log
//! cannot be given up (`RecordTransactionCommit` is a critical section). Commands of the driver,
//! such as BEGIN and COMMIT, take so little time that `statement_timeout` is not counted for them.

use model::units::{Instant, Span};

use super::{Command, State};
use crate::engine::{Engine, Event, Trace};
use crate::observe::{ErrorKind, Limit};

impl<T: Trace> Engine<'_, T> {
    /// The server begins with a command of `task`.
    pub(super) fn time_statement(&mut self, task: u32, command: Command) {
        self.session(task).idle_since = Instant::NEVER;
        let times = matches!(command, Command::Statement { .. } | Command::Write { .. });
        if let Some(span) = self.server_settings().statement_timeout.filter(|_| times) {
            let ticket = self.tasks[task].ticket;
            self.agenda.push(self.now + span, Event::StatementTimeout { task, ticket });
        }
    }

    /// The statement of `task` begins to wait for a row.
    pub(super) fn time_lock(&mut self, task: u32) {
        let ticket = self.tasks[task].ticket;
        let settings = self.server_settings();
        let (deadlock, lock) = (settings.deadlock_timeout, settings.lock_timeout);
        self.agenda.push(self.now + deadlock, Event::DeadlockTimeout { task, ticket });
        if let Some(span) = lock {
            self.agenda.push(self.now + span, Event::LockTimeout { task, ticket });
        }
    }

    /// The attempt of `task` to lock its row begins anew.
    pub(super) fn attempt_anew(&mut self, task: u32) {
        let (now, ticket) = (self.now, self.tasks[task].ticket);
        let session = self.session(task);
        session.attempt = now;
        if std::mem::take(&mut session.looked) {
            let at = now + self.server_settings().deadlock_timeout;
            self.agenda.push(at, Event::DeadlockTimeout { task, ticket });
        }
    }

    /// True if nothing is to be done now: the wait of `task` is over, or the server stands still, or
    /// the attempt began so late that `event` comes again.
    fn is_early(&mut self, task: u32, ticket: u32, timeout: Span, event: Event) -> bool {
        if self.tasks[task].ticket != ticket || self.session(task).awaits.is_none() {
            return true;
        }
        let paused = match self.database.server.state {
            State::Paused { until } => until,
            State::Up | State::Down => Instant::START,
        };
        let due = (self.session(task).attempt + timeout).max(paused);
        let early = due > self.now;
        if early {
            self.agenda.push(due, event);
        }
        early
    }

    /// `task` has waited for a row for so long that it looks for a deadlock.
    pub(crate) fn deadlock_timeout(&mut self, task: u32, ticket: u32) {
        let timeout = self.server_settings().deadlock_timeout;
        if self.is_early(task, ticket, timeout, Event::DeadlockTimeout { task, ticket }) {
            return;
        }
        if self.is_deadlocked(self.tasks[task].database.connection) {
            return self.statement_fails(task, ErrorKind::DatabaseDeadlock);
        }
        self.session(task).looked = true;
    }

    /// `task` has waited for a row for too long.
    pub(crate) fn lock_timeout(&mut self, task: u32, ticket: u32) {
        let timeout = self.server_settings().lock_timeout.unwrap_or(Span::MAX);
        if self.is_early(task, ticket, timeout, Event::LockTimeout { task, ticket }) {
            return;
        }
        self.seen.reach(Limit::DatabaseLockTimeout);
        self.statement_fails(task, ErrorKind::DatabaseLockTimeout);
    }

    /// The statement of `task` has been in the server for too long, if it still is.
    pub(crate) fn statement_timeout(&mut self, task: u32, ticket: u32) {
        if self.tasks[task].ticket != ticket {
            return;
        }
        if let State::Paused { until } = self.database.server.state {
            return self.agenda.push(until, Event::StatementTimeout { task, ticket });
        }
        if self.tasks[task].place == model::place::DISK {
            return;
        }
        self.stop_working(task);
        self.seen.reach(Limit::StatementTimeout);
        self.statement_fails(task, ErrorKind::DatabaseStatementTimeout);
    }

    /// No processor works on the command of `task` any more, or is to.
    fn stop_working(&mut self, task: u32) {
        if let Some(thread) = self.session(task).thread.take() {
            self.end_session_thread(thread);
        }
    }

    /// The server has replied to a command of `connection`. If a transaction is open, it is idle in
    /// it from now on.
    pub(super) fn time_idle(&mut self, connection: u32) {
        let Some(span) = self.server_settings().idle_in_transaction_session_timeout else { return };
        let session = &mut self.database.connections[connection].session;
        if session.begun {
            session.idle_since = self.now;
            self.agenda.push(self.now + span, Event::IdleInTransaction { connection });
        }
    }

    /// If `connection` has been idle in a transaction for too long, the server ends its session. The
    /// client sees that at its next command.
    pub(crate) fn idle_in_transaction(&mut self, connection: u32) {
        let settings = self.server_settings();
        let span = settings.idle_in_transaction_session_timeout.unwrap_or(Span::MAX);
        if self.database.connections[connection].session.idle_since + span > self.now {
            return;
        }
        if let State::Paused { until } = self.database.server.state {
            return self.agenda.push(until, Event::IdleInTransaction { connection });
        }
        self.seen.reach(Limit::IdleInTransaction);
        self.release_rows(connection, None);
        let session = &mut self.database.connections[connection].session;
        session.idle_since = Instant::NEVER;
        session.lost = Some(ErrorKind::DatabaseIdleInTransaction);
        let (counted, thread) = (std::mem::take(&mut session.counted), session.thread.take());
        thread.into_iter().for_each(|thread| self.end_session_thread(thread));
        if counted {
            self.database.server.sessions -= 1;
            self.seen.postgres.sessions.leave(self.now);
        }
    }
}
