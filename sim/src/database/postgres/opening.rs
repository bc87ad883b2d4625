//! The server takes a connection, or refuses it; what its client does then.
//!
//! Postgres forks a process for each client that connects. The process reads what the client wants and takes
//! one of `max_connections` slots (`InitProcess`): if none is left it says so and ends. It authenticates
//! the client, and only then looks whether as many slots as are kept for superusers are free
//! (`InitPostgres`): if not, it says so and ends, and its slot comes free. So a client that is refused
//! costs nearly as much as one that is not, and takes a slot from others meanwhile. A client that computes
//! its answer on a busy loop keeps the slot for as long as that takes.

use model::place;
use model::scenario::{Connections, Refused};
use model::units::{Instant, Span};

use super::{Command, State};
use crate::engine::{Engine, Flow, Trace};
use crate::observe::{ErrorKind, Limit};

/// How much of the server's CPU time for a connection is spent until the client is authenticated and slots
/// are looked at, and how much on one that finds no slot at all, which is taken as what is spent until
/// the server asks for the password. Measured on Postgres 15 with
/// SCRAM: 300 attempts of each kind by asyncpg, by the CPU time of all of the server's processes.
const UNTIL_ASKED: f64 = 0.75;
pub(super) const UNTIL_SLOT: f64 = 0.4;

/// sqlx's pause after the first refusal; each later one is twice as long, up to a share of the time
/// that was left (`PoolInner::connect`).
const FIRST_PAUSE: Span = Span::from_millis(10);
const PAUSES_AT_LEAST: u64 = 5;

/// How far the server is with opening a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Its client is authenticated, and then it is asked whether there is room.
    Asks,
    /// It is filling its caches, or has done so.
    Admitted,
    /// There is no room.
    TurnedAway,
}

impl<T: Trace> Engine<'_, T> {
    /// Opening takes no time: the server is only asked whether it has a connection left.
    pub(super) fn open_at_once(&mut self, thread: u32, task: u32) -> Flow {
        if self.database.server.pooler.is_some() {
            let takes = self.takes_client(task);
            return if takes { Flow::Continue } else { self.fail(task, ErrorKind::MaxClientConn) };
        }
        if let State::Paused { until } = self.database.server.state {
            self.tasks[task].pc -= 1;
            // At the instant of its end it goes on after that.
            self.resume_after(task, until - self.now);
            return self.suspend_in_driver(thread, task, place::SERVER);
        }
        if !self.exceeds(1) {
            self.take_slot(task);
            self.session(task).opening = Opening::Admitted;
            return Flow::Continue;
        }
        self.seen.reach(Limit::MaxConnections);
        match self.pause_after_refusal(task, Span::ZERO, ErrorKind::TooManyClients) {
            Ok(pause) => {
                self.tasks[task].pc -= 1;
                self.wait_in_driver(thread, task, pause, place::SERVER)
            }
            Err((Span::ZERO, kind)) => self.fail(task, kind),
            Err((rest, kind)) => {
                self.fail(task, kind);
                self.wait_in_driver(thread, task, rest, place::SERVER)
            }
        }
    }

    /// The server is asked for a connection: its process is forked and takes one of the server's slots,
    /// if any is left.
    pub(super) fn begin_opening(&mut self, task: u32) {
        let all = self.server_settings().max_connections;
        if all.is_some_and(|all| self.database.server.sessions >= all) {
            self.seen.reach(Limit::MaxConnections);
            let session = self.session(task);
            (session.opening, session.lost) = (Opening::TurnedAway, None);
        } else {
            self.take_slot(task);
            self.session(task).opening = Opening::Asks;
        }
        self.at_server(task, Span::ZERO);
    }

    /// What the server does now of the `work` of `command`.
    pub(super) fn part_of_opening(&mut self, task: u32, command: Command, work: Span) -> Span {
        match (command, self.session(task).opening) {
            (Command::Open { answers: false, .. }, Opening::Asks) => work.scale(UNTIL_ASKED),
            (Command::Open { answers: false, .. }, Opening::TurnedAway) => work.scale(UNTIL_SLOT),
            (Command::Login { .. }, _) => {
                work.scale((UNTIL_ASKED - UNTIL_SLOT) / (1.0 - UNTIL_SLOT))
            }
            _ => work,
        }
    }

    /// The server has authenticated the client of `task`, which gets a connection if the slots that are
    /// kept for superusers are free then. Returns what is still to be done for it.
    pub(super) fn opening_goes_on(&mut self, task: u32) -> Option<Span> {
        let (command, engine, _) = self.sent(task);
        let looks = matches!(command, Command::Open { answers: false, .. } | Command::Login { .. });
        if !looks || self.session(task).opening != Opening::Asks {
            return None;
        }
        if self.exceeds(0) {
            self.seen.reach(Limit::MaxConnections);
            let session = self.session(task);
            (session.opening, session.counted) = (Opening::TurnedAway, false);
            self.database.server.sessions -= 1;
            self.seen.postgres.sessions.leave(self.now);
            return None;
        }
        let work = self.sample(task, engine);
        let rest = work - self.part_of_opening(task, command, work);
        self.session(task).opening = Opening::Admitted;
        Some(rest).filter(|rest| !rest.is_zero())
    }

    /// The server has done its part of the opening of the connection of `task`.
    pub(super) fn opening_worked(&mut self, task: u32) {
        match self.session(task).opening {
            Opening::TurnedAway => {
                // Its process ends.
                let process = self.session(task).thread.take();
                process.into_iter().for_each(|thread| self.end_session_thread(thread));
                let back = self.way_back(task);
                self.refused(task, back, ErrorKind::TooManyClients);
            }
            Opening::Asks | Opening::Admitted => self.reply_of_server(task),
        }
    }

    /// True if the server had too many connections with so many `more`.
    fn exceeds(&self, more: u32) -> bool {
        let most = self.server_settings().connections();
        most.is_some_and(|most| self.database.server.sessions + more > most)
    }

    /// The server counts the connection of `task`.
    fn take_slot(&mut self, task: u32) {
        self.database.server.sessions += 1;
        self.seen.postgres.sessions.enter(self.now);
        let session = self.session(task);
        (session.counted, session.lost) = (true, None);
    }

    /// The refusal reaches the client after `back`, which gives up or tries again.
    pub(super) fn refused(&mut self, task: u32, back: Span, kind: ErrorKind) {
        match self.pause_after_refusal(task, back, kind) {
            Ok(pause) => {
                if let (Command::Open { from, .. } | Command::Login { from, .. }, ..) =
                    self.sent(task)
                {
                    self.tasks[task].pc = from;
                }
                self.resume_after(task, back + pause);
            }
            Err((rest, kind)) => {
                self.fail(task, kind);
                self.resume_after(task, back.max(rest));
            }
        }
    }

    /// How long a client that hears of its refusal after `back` waits before it tries again; or how
    /// long until it fails, and with what.
    fn pause_after_refusal(
        &mut self,
        task: u32,
        back: Span,
        kind: ErrorKind,
    ) -> Result<Span, (Span, ErrorKind)> {
        let retries = self.server_settings().refused == Refused::Retry;
        let rule = self.scenario().database.as_ref().map(|database| database.connections);
        let Some(Connections::Pool { timeout, .. }) = rule.filter(|_| retries) else {
            return Err((Span::ZERO, kind));
        };
        let connection = self.tasks[task].database.connection;
        let began = self.database.connections[connection].since;
        let deadline =
            timeout.map_or(Instant::NEVER, |span| self.tasks[task].database.asked + span);
        let session = self.session(task);
        let doubled = FIRST_PAUSE.nanos().saturating_mul(1 << session.refusals.min(32));
        session.refusals += 1;
        let most = deadline.nanos().saturating_sub(began.nanos()) / PAUSES_AT_LEAST;
        let pause = Span::from_nanos(doubled.min(most));
        let left = Span::from_nanos(deadline.nanos().saturating_sub(self.now.nanos()));
        if back + pause >= left {
            self.seen.reach(Limit::PoolTimeout);
            return Err((left, ErrorKind::PoolTimeout));
        }
        Ok(pause)
    }
}
