//! What the database server does with commands.

use model::place;
use model::scenario::{Connections, DatabaseClient, Engine as Kind, Postgres};
use model::units::{Instant, Span};

use super::{Command, Op, State};
use crate::database;
use crate::engine::{Engine, Event, Flow, NONE, Trace};
use crate::observe::{ErrorKind, Limit};
use crate::plan::{self, DrawId};

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn postgres(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::SkipUnlessDue { command, to } => match self.is_due(task, command) {
                true => Flow::Continue,
                false => self.jump(task, to),
            },
            Op::Server { command: Command::Open { trips: 0, .. }, engine, .. }
                if self.database.server.state != State::Down
                    && self.sample(task, engine).is_zero() =>
            {
                self.open_at_once(thread, task)
            }
            Op::Server { command, round_trip, .. } => {
                self.send_command(thread, task, command, round_trip)
            }
            Op::Return { on } => self.return_beside(task, on),
            Op::Returned => self.returned(task),
            Op::SkipIfKnown { to } => self.skip_if_known(thread, task, to),
            Op::Known => self.known(task),
        }
    }

    pub(super) fn server_settings(&self) -> &Postgres {
        match self.scenario().database.as_ref().map(|database| &database.engine) {
            Some(Kind::Postgres(postgres)) => postgres,
            _ => unreachable!("planned with a database server"),
        }
    }

    /// What the server and its client know of the connection of `task`.
    pub(super) fn session(&mut self, task: u32) -> &mut super::Session {
        let connection = self.tasks[task].database.connection;
        &mut self.database.connections[connection].session
    }

    fn is_due(&mut self, task: u32, command: Command) -> bool {
        let (after, forgets) = {
            let postgres = self.server_settings();
            let forgets = postgres.client.is_some_and(DatabaseClient::forgets_on_rollback);
            (postgres.prepare_after, forgets)
        };
        if command.releases() && self.session(task).lost.is_some() {
            self.drop_at_return(task);
            return false;
        }
        let session = self.session(task);
        match command {
            Command::Begin => !session.begun,
            Command::Rollback => session.begun,
            Command::Prepare { statement } => {
                after.is_some_and(|after| session.prepares(statement, after))
            }
            // It is asked after a rollback, or after none.
            Command::Deallocate => {
                let rolled_back = std::mem::take(&mut session.rolled_back);
                let prepared = after.is_some_and(|after| session.has_prepared(after));
                if rolled_back && forgets {
                    session.forget();
                }
                rolled_back && prepared
            }
            _ => true,
        }
    }

    /// A command travels to the server.
    fn send_command(&mut self, thread: u32, task: u32, command: Command, trip: DrawId) -> Flow {
        let opens = matches!(command, Command::Open { .. });
        if opens && self.database.server.state == State::Down {
            let one_trip = self.sample(task, trip);
            self.refused(task, one_trip, ErrorKind::DatabaseConnectionRefused);
            return self.suspend_in_driver(thread, task, place::SERVER);
        }
        if let Some(kind) = self.session(task).lost.filter(|_| !opens) {
            // Its end has reached this side already.
            return self.connection_is_lost(task, command, kind);
        }
        match command {
            Command::Begin | Command::Statement { begins: true, .. } => {
                self.session(task).begun = true;
            }
            Command::Commit { .. } => self.session(task).begun = false,
            Command::Rollback => {
                let session = self.session(task);
                (session.begun, session.rolled_back) = (false, true);
            }
            _ => {}
        }
        let there = self.travel(task, command, trip).scale(0.5);
        self.agenda.push(self.now + there, Event::ServerArrival { task });
        self.suspend_in_driver(thread, task, place::SERVER)
    }

    /// How long the command of `task` is on its way, both ways together.
    fn travel(&mut self, task: u32, command: Command, trip: DrawId) -> Span {
        match command {
            Command::Open { trips, .. }
            | Command::Login { trips, .. }
            | Command::Introduce { trips } => {
                (0..trips).map(|nth| self.sample_attempt(task, trip, nth)).sum()
            }
            _ => self.sample(task, trip),
        }
    }

    /// The command that `task` has sent, its work and its round trip.
    pub(super) fn sent(&self, task: u32) -> (Command, DrawId, DrawId) {
        match self.plan.ops[self.tasks[task].pc as usize - 1] {
            plan::Op::Database(database::Op::Postgres(Op::Server {
                command,
                engine,
                round_trip,
            })) => (command, engine, round_trip),
            other => unreachable!("{other:?} is not at the database server"),
        }
    }

    pub(crate) fn server_arrival(&mut self, task: u32) {
        if self.database.server.pooler.is_some() {
            return self.pooler_arrival(task);
        }
        if let State::Paused { until } = self.database.server.state {
            return self.agenda.push(until, Event::ServerArrival { task });
        }
        let (command, ..) = self.sent(task);
        let opens = matches!(command, Command::Open { .. });
        if self.database.server.state == State::Down
            || (self.session(task).lost.is_some() && !opens)
        {
            return self.lose(task);
        }
        if opens {
            return self.begin_opening(task);
        }
        self.at_server(task, Span::ZERO);
    }

    /// The server works on the command of `task`, after a connection that is opened in `opening`.
    pub(super) fn at_server(&mut self, task: u32, opening: Span) {
        let (command, engine, _) = self.sent(task);
        self.time_statement(task, command);
        let work = self.sample(task, engine);
        let service_time = opening + self.part_of_opening(task, command, work);
        self.seen.postgres.commands += 1;
        self.work_on(task, service_time);
    }

    /// The command of `task` needs no processor of the server any more.
    pub(super) fn worked(&mut self, task: u32) {
        let (command, ..) = self.sent(task);
        if matches!(command, Command::Open { .. } | Command::Login { .. }) {
            return self.opening_worked(task);
        }
        if command.locks().is_none_or(|locks| self.lock_row(task, locks)) {
            self.has_row(task);
        }
    }

    /// The command of `task` has the row that it locks, if it locks one.
    pub(super) fn has_row(&mut self, task: u32) {
        let (command, ..) = self.sent(task);
        let sync = command.sync().map(|sync| self.sample(task, sync)).unwrap_or_default();
        if sync.is_zero() {
            return self.reply_of_server(task);
        }
        self.seen.reach(Limit::LogSync);
        self.set_place(task, place::DISK);
        if self.database.server.log.sync(task, sync) {
            self.seen.postgres.syncs += 1;
            self.agenda.push(self.now + sync, Event::LogSynced);
        }
    }

    /// The log is on the disk: those that waited for it go on, and the next sync begins.
    pub(crate) fn log_synced(&mut self) {
        if let State::Paused { until } = self.database.server.state {
            return self.agenda.push(until, Event::LogSynced);
        }
        let (done, next) = self.database.server.log.synced();
        if let Some(span) = next {
            self.seen.postgres.syncs += 1;
            self.agenda.push(self.now + span, Event::LogSynced);
        }
        for task in done {
            self.set_place(task, place::SERVER);
            self.reply_of_server(task);
        }
    }

    pub(super) fn reply_of_server(&mut self, task: u32) {
        let (command, ..) = self.sent(task);
        let connection = self.tasks[task].database.connection;
        if !self.session(task).begun {
            let committed = !matches!(command, Command::Rollback);
            self.release_rows(connection, committed.then_some(task));
        }
        let back = self.leave_server(task);
        self.resume_after(task, back);
    }

    /// The server is done with the command of `task`. Returns how long the reply is on its way.
    pub(super) fn leave_server(&mut self, task: u32) -> Span {
        let connection = self.tasks[task].database.connection;
        // Timers of the command find nothing to end.
        self.tasks[task].ticket = self.tasks[task].ticket.wrapping_add(1);
        self.time_idle(connection);
        if !self.session(task).begun {
            self.unlink_idle(connection);
        }
        self.pass_pooler() + self.way_back(task)
    }

    pub(super) fn way_back(&mut self, task: u32) -> Span {
        let (command, _, trip) = self.sent(task);
        let both = self.travel(task, command, trip);
        both - both.scale(0.5)
    }

    /// The server's end of `connection` is gone.
    pub(crate) fn end_session(&mut self, connection: u32) {
        self.release_rows(connection, None);
        let session = std::mem::take(&mut self.database.connections[connection].session);
        session.thread.into_iter().for_each(|thread| self.end_session_thread(thread));
        if session.linked {
            self.next_gets_link(None);
        }
        if let Some(pooler) = &mut self.database.server.pooler {
            (0..u32::from(session.counted)).for_each(|_| pooler.disconnect());
        } else if session.counted {
            self.database.server.sessions -= 1;
            self.seen.postgres.sessions.leave(self.now);
        }
    }

    /// The server gives up the commands of clients that have gone.
    pub(crate) fn abandon_commands(&mut self, gone: impl Fn(u32) -> bool) {
        self.abandon_at_pooler(&gone);
        self.abandon_rows(&gone);
        self.database.server.log.abandon(gone);
    }

    /// True if a connection of a pool whose connections were `invalidated` then is too old to be used
    /// again.
    pub(crate) fn is_stale(&self, connection: u32, invalidated: Instant) -> bool {
        debug_assert!(connection != NONE);
        let since = self.database.connections[connection].since;
        if since < invalidated {
            return true;
        }
        let rule = self.scenario().database.as_ref().map(|database| database.connections);
        let Some(Connections::Pool { recycle: Some(recycle), .. }) = rule else { return false };
        self.now - since > recycle
    }
}
