//! Commands pass through a pooler: a client's connection is cheap, and has one to the server for the
//! time of a transaction or of a session.

use model::units::Span;

use super::Command;
use super::pooler::{Link, Pooler};
use crate::engine::{Engine, Event, Trace};
use crate::observe::{ErrorKind, Limit};

impl<T: Trace> Engine<'_, T> {
    fn pooler(&mut self) -> &mut Pooler {
        self.database.server.pooler.as_mut().expect("planned with a pooler")
    }

    /// A command, or a reply, waits until the pooler has passed it on.
    pub(super) fn pass_pooler(&mut self) -> Span {
        let (now, cost) = (self.now, self.costs().pgbouncer.message);
        self.database.server.pooler.as_mut().map_or(Span::ZERO, |pooler| pooler.pass(now, cost))
    }

    /// A command reaches the pooler.
    pub(super) fn pooler_arrival(&mut self, task: u32) {
        let delay = self.pass_pooler();
        if delay.is_zero() {
            return self.pooler_passed(task);
        }
        self.agenda.push(self.now + delay, Event::PoolerPassed { task });
    }

    /// The pooler has read a command: it goes on if the client has a connection to the server.
    pub(crate) fn pooler_passed(&mut self, task: u32) {
        let (command, ..) = self.sent(task);
        if matches!(command, Command::Open { .. }) {
            if self.takes_client(task) {
                return self.reply_of_server(task);
            }
            let back = self.way_back(task);
            self.fail(task, ErrorKind::MaxClientConn);
            return self.resume_after(task, back);
        }
        if self.session(task).linked {
            return self.at_server(task, Span::ZERO);
        }
        match self.pooler().take(task) {
            Link::Idle(process) => {
                self.seen.postgres.pooler.enter(self.now);
                self.link(task, process, Span::ZERO);
            }
            Link::New => {
                self.seen.postgres.pooler.enter(self.now);
                self.database.server.sessions += 1;
                self.seen.postgres.sessions.enter(self.now);
                let opening = self.opening(task);
                self.link(task, None, opening);
            }
            Link::Wait => {
                self.seen.reach(Limit::Pooler);
                self.seen.postgres.pooler_queue.enter(self.now);
                // What gives a connection back does not fail.
                let fails = !command.releases();
                let timeout = self.pooler().settings().query_wait_timeout;
                self.give_up_after(task, timeout.filter(|_| fails));
            }
        }
    }

    /// How long the server's processors work for a connection that the pooler opens.
    fn opening(&self, task: u32) -> Span {
        let scenario = self.scenario();
        let scale = super::scale(scenario, self.server_settings());
        let class = self.requests[self.tasks[task].request].class;
        let concurrency = self.plan.classes[class as usize].concurrency;
        scenario.costs.postgres.of(concurrency).connect.scale(scale)
    }

    /// The client of `task` has a connection to the server, with its `process` there; it is opened in
    /// `opening`.
    fn link(&mut self, task: u32, process: Option<u32>, opening: Span) {
        let session = self.session(task);
        (session.linked, session.thread) = (true, process);
        self.at_server(task, opening);
    }

    /// The pooler counts one more client, if it allows it.
    pub(super) fn takes_client(&mut self, task: u32) -> bool {
        let takes = self.pooler().connect();
        if takes {
            self.session(task).counted = true;
        } else {
            self.seen.reach(Limit::MaxClientConn);
        }
        takes
    }

    /// No transaction is open on `connection`: in transaction mode its client needs none to the server.
    pub(crate) fn unlink_idle(&mut self, connection: u32) {
        let by_transaction =
            self.database.server.pooler.as_ref().is_some_and(Pooler::by_transaction);
        if by_transaction {
            self.unlink(connection);
        }
    }

    /// The client's connection to the server, if it has one, goes to the next who waits.
    pub(super) fn unlink(&mut self, connection: u32) {
        let session = &mut self.database.connections[connection].session;
        if std::mem::take(&mut session.linked) {
            let process = session.thread.take();
            self.next_gets_link(process);
        }
    }

    /// A connection to the server comes free, with its `process` there.
    pub(super) fn next_gets_link(&mut self, process: Option<u32>) {
        match self.pooler().give_back(process) {
            Some(next) => {
                self.seen.postgres.pooler_queue.leave(self.now);
                // It can no longer give up.
                self.tasks[next].ticket = self.tasks[next].ticket.wrapping_add(1);
                self.link(next, process, Span::ZERO);
            }
            None => self.seen.postgres.pooler.leave(self.now),
        }
    }

    /// `task` has waited for too long: the pooler disconnects its client. One that only asked
    /// whether its connection is there opens another.
    pub(crate) fn query_wait_ends(&mut self, task: u32) {
        self.seen.reach(Limit::QueryWait);
        self.pooler().abandon(|waiting| waiting == task);
        self.seen.postgres.pooler_queue.leave(self.now);
        let ((command, ..), back) = (self.sent(task), self.way_back(task));
        self.tasks[task].ticket = self.tasks[task].ticket.wrapping_add(1);
        self.connection_is_lost(task, command, ErrorKind::QueryWaitTimeout);
        self.resume_after(task, back);
    }

    /// The pooler forgets the commands of clients that have gone.
    pub(super) fn abandon_at_pooler(&mut self, gone: impl Fn(u32) -> bool) {
        let pooler = self.database.server.pooler.as_mut();
        let waiting = pooler.map_or(0, |pooler| pooler.abandon(gone));
        (0..waiting).for_each(|_| self.seen.postgres.pooler_queue.leave(self.now));
    }
}
