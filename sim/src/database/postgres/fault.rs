//! The server is down or stands still for a time, and what its clients do then.
//!
//! SQLAlchemy drops a connection at an error that says that it is gone, and opens all older ones of
//! its pool anew (`Connection._handle_dbapi_exception`, `Pool._invalidate`); it does the same where a ping
//! fails. sqlx drops the one connection.

use model::place;
use model::scenario::{DatabaseClient, DatabaseFault};
use model::units::Instant;

use super::{Command, State};
use crate::engine::{Engine, Event, Flow, Trace};
use crate::observe::ErrorKind;

impl<T: Trace> Engine<'_, T> {
    /// Faults come when they are due: each ends before one that begins at the same instant, and
    /// before all that waits for its end.
    pub(crate) fn schedule_faults(&mut self) {
        for (fault, of) in (0..).zip(&self.scenario().faults) {
            self.agenda.push(of.begin(), Event::FaultBegins { fault });
            self.agenda.push(of.end(), Event::FaultEnds);
        }
    }

    pub(crate) fn fault_begins(&mut self, fault: u32) {
        let of = self.scenario().faults[fault as usize];
        match of.database {
            DatabaseFault::Down | DatabaseFault::Killed => self.server_ends(),
            DatabaseFault::Paused => self.server_stands_still(of.end()),
        }
    }

    pub(crate) fn fault_ends(&mut self) {
        self.processes_go_on();
        self.database.server.state = State::Up;
    }

    /// All that is under way ends later by as long as the server stands still. A sync that the disk
    /// does meanwhile is noticed at its end.
    fn server_stands_still(&mut self, until: Instant) {
        self.database.server.state = State::Paused { until };
        self.processes_stop();
    }

    /// The server's sessions end, with all that it works on.
    fn server_ends(&mut self) {
        let tasks = &self.tasks;
        let ours = |event: &Event| match *event {
            Event::LogSynced => true,
            Event::RowGranted { task, ticket } => tasks[task].ticket == ticket,
            _ => false,
        };
        let granted = self.agenda.take(ours);
        let at_rows = self.end_rows();
        let server = &mut self.database.server;
        server.state = State::Down;
        server.sessions = 0;
        let at_log = server.log.end_all();
        let at_work = self.end_processes();
        self.lose_sessions();
        let granted = granted.iter().filter_map(|(_, event)| event.task());
        for task in granted.chain(at_work).chain(at_log).chain(at_rows) {
            self.lose(task);
        }
    }

    /// The processes of all sessions end. Returns the tasks that they worked for.
    fn end_processes(&mut self) -> Vec<u32> {
        let connections: Vec<u32> = self.database.connections.live().map(|(id, _)| id).collect();
        let mut tasks = Vec::new();
        for connection in connections {
            let session = &mut self.database.connections[connection].session;
            if let Some(thread) = session.thread.take() {
                tasks.extend(self.worked_for(thread));
                self.end_session_thread(thread);
            }
        }
        tasks
    }

    fn lose_sessions(&mut self) {
        let counted = self.database.connections.live().filter(|(_, one)| one.session.counted);
        let counted: Vec<u32> = counted.map(|(id, _)| id).collect();
        for connection in counted {
            let session = &mut self.database.connections[connection].session;
            let kind = ErrorKind::DatabaseConnectionLost;
            (session.counted, session.lost) = (false, Some(kind));
            session.idle_since = Instant::NEVER;
            self.seen.postgres.sessions.leave(self.now);
        }
    }

    /// The command of `task` finds no server, or its session has ended: the client hears of that.
    pub(super) fn lose(&mut self, task: u32) {
        let ((command, ..), back) = (self.sent(task), self.way_back(task));
        self.set_place(task, place::SERVER);
        // Timers of the command find nothing to end.
        self.tasks[task].ticket = self.tasks[task].ticket.wrapping_add(1);
        if let Command::Open { .. } = command {
            return self.refused(task, back, ErrorKind::DatabaseConnectionRefused);
        }
        let kind = self.session(task).lost.unwrap_or(ErrorKind::DatabaseConnectionLost);
        self.connection_is_lost(task, command, kind);
        self.resume_after(task, back);
    }

    /// The client of `task` sees at its `command` that the connection is gone, which is an error of
    /// this `kind`.
    pub(super) fn connection_is_lost(
        &mut self,
        task: u32,
        command: Command,
        kind: ErrorKind,
    ) -> Flow {
        let connection = self.tasks[task].database.connection;
        self.drop_lost(task);
        match command {
            Command::Ping { reopen } => {
                self.database.connections[connection].since = self.now;
                self.jump(task, reopen)
            }
            command if command.releases() => Flow::Continue,
            _ => self.fail(task, kind),
        }
    }

    /// A connection that is gone comes back. It is dropped if its client notices: if it asks, or has a
    /// transaction to roll back.
    pub(super) fn drop_at_return(&mut self, task: u32) {
        let tests = self.server_settings().client.is_some_and(DatabaseClient::tests_on_return);
        if tests || self.session(task).begun {
            self.drop_lost(task);
        }
    }

    /// The client drops the connection of `task`, and what else its library drops with it.
    fn drop_lost(&mut self, task: u32) {
        let client = self.server_settings().client;
        if client.is_some_and(DatabaseClient::invalidates_pool) {
            // Nothing is done about older ones again where this one was opened before the last time.
            let connection = self.tasks[task].database.connection;
            let since = self.database.connections[connection].since;
            let now = self.now;
            let pool = self.pool(task);
            if pool.invalidated <= since {
                pool.invalidated = now;
            }
        }
        self.closed(task);
    }
}
