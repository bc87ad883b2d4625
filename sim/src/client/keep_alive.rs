//! Idle connections: when either side closes them, and what is sent into one that is closed.
//!
//! A server closes a connection when its timer rings, which began with the last reply (uvicorn,
//! `httptools_impl.py`: `timeout_keep_alive_handler`). Its loop reads what has come before it
//! looks at its timers, so that a request which was there in time is served. One that comes later
//! finds no connection: the kernel resets it.

use model::units::{Instant, Span};

use super::User;
use crate::engine::{Due, Engine, Event, NONE, ThreadState, Trace};
use crate::event_loop::{HANG_UP, Via};
use crate::observe::{ErrorKind, Limit};

impl User {
    /// The service has nothing from it after request `iteration`, and keeps its connection.
    fn is_silent(&self, iteration: u64) -> bool {
        self.reached == iteration && self.worker != NONE && self.closed == Instant::NEVER
    }

    /// It has sent nothing after request `iteration`.
    fn is_idle(&self, iteration: u64) -> bool {
        self.idle && self.iteration == iteration
    }
}

impl<T: Trace> Engine<'_, T> {
    /// True if a client learns only after a while that the service closed its connection.
    fn learns_late(&self) -> bool {
        self.scenario().load.keep_alive_timeout.is_some()
    }

    /// The connection of `user`, if it has one, is idle from now on; its next request comes after
    /// `pause`.
    pub(crate) fn watch_idle(&mut self, user: u32, pause: Span) {
        let entry = &self.users[user as usize];
        let service = self.scenario().service.keep_alive;
        if entry.worker == NONE {
            return;
        }
        let iteration = entry.iteration;
        let Some(client) = self.scenario().load.keep_alive_timeout else {
            if pause > service {
                self.start_idle_timer(user, service);
            }
            return;
        };
        let network = &self.costs().network;
        // The timer began when the reply left, and the next request has a way to go.
        if pause.saturating_add(network.client) > service {
            let back = network.client - network.client.scale(0.5);
            self.start_idle_timer(user, service.saturating_sub(back));
        }
        if pause > client && client < service.saturating_add(network.notice) {
            self.agenda.push(self.now + client, Event::ClientCloses { user, iteration });
        }
    }

    /// The service closes the connection of `user` after `span` without a request.
    fn start_idle_timer(&mut self, user: u32, span: Span) {
        let due = Due::new(self.now + span, self.agenda.ticket());
        self.idle.push(due, (user, self.users[user as usize].iteration));
        let (users, late) = (&self.users, self.learns_late());
        let live = |(user, iteration): (u32, u64)| {
            let entry = &users[user as usize];
            if late { entry.is_silent(iteration) } else { entry.is_idle(iteration) }
        };
        self.idle.drop_dead(live);
        self.idle.compact(users.len(), live);
    }

    /// The connection that has been idle longest has been so for too long.
    pub(crate) fn idle_ends(&mut self) {
        let Some((_, (user, iteration))) = self.idle.pop() else { return };
        let entry = &self.users[user as usize];
        if !self.learns_late() {
            if entry.is_idle(iteration) {
                self.end_connection(user, Via::Poll);
            }
            return;
        }
        if !entry.is_silent(iteration) {
            return;
        }
        let worker = entry.worker;
        match self.threads[self.workers[worker as usize].thread].state {
            ThreadState::Idle => self.service_closes(user),
            _ => self.workers[worker as usize].expired.push((user, iteration)),
        }
    }

    /// The loop of `worker` looks at its timers, after its sockets.
    pub(crate) fn close_expired(&mut self, worker: u32) {
        if self.workers[worker as usize].expired.is_empty() {
            return;
        }
        for (user, iteration) in std::mem::take(&mut self.workers[worker as usize].expired) {
            let entry = &self.users[user as usize];
            if entry.worker == worker && entry.is_silent(iteration) {
                self.service_closes(user);
            }
        }
    }

    /// The service closes the connection of `user`, which learns of it later.
    pub(crate) fn service_closes(&mut self, user: u32) {
        let network = &self.costs().network;
        let back = network.client - network.client.scale(0.5);
        let noticed = self.now + back + network.notice;
        let entry = &mut self.users[user as usize];
        let worker = entry.worker;
        entry.closed = noticed;
        self.workers[worker as usize].clients -= 1;
        self.seen.event_loop.disconnected(worker, self.now);
        self.hang_up(worker, Via::Poll);
        self.agenda.push(noticed, Event::CloseNoticed { user });
    }

    /// The client of an idle connection learns that it is closed. One that has sent something
    /// meanwhile learns it from what becomes of that.
    pub(crate) fn close_noticed(&mut self, user: u32) {
        let entry = &self.users[user as usize];
        if entry.idle && entry.closed == self.now {
            self.end_connection(user, Via::Poll);
        }
    }

    /// The client closes a connection that it has not used for too long.
    pub(crate) fn client_closes(&mut self, user: u32, iteration: u64) {
        if self.users[user as usize].is_idle(iteration) {
            self.end_connection(user, Via::Poll);
        }
    }

    /// The connection of `user` is open at the side of the service.
    pub(crate) fn is_open(&self, user: u32) -> bool {
        self.users[user as usize].closed == Instant::NEVER
    }

    /// The latest request of `user` is there to be read.
    pub(crate) fn reached(&mut self, user: u32) {
        let entry = &mut self.users[user as usize];
        entry.reached = entry.iteration;
    }

    /// The request of `task` finds its connection closed: it is lost, or sent again on another.
    pub(crate) fn arrive_too_late(&mut self, task: u32) {
        let request = self.tasks[task].request;
        let user = self.requests[request].user;
        if !self.learns_late() {
            self.end_connection(user, Via::Poll);
            self.requests[request].worker = NONE;
            return self.open_connection(task);
        }
        let noticed = self.users[user as usize].closed.max(self.now);
        self.agenda.push(noticed, Event::Lost { task });
    }

    /// The client learns that the request of `task` is lost.
    pub(crate) fn lost(&mut self, task: u32) {
        let request = self.tasks[task].request;
        if !self.requests[request].settled {
            self.seen.reach(Limit::KeepAlive);
            self.end_connection(self.requests[request].user, Via::Poll);
            self.settle(request, Some(ErrorKind::ConnectionClosed));
        }
        self.free_task(task);
    }

    /// One side ends the connection of `user`, if it has one, and the worker closes it, if it has
    /// not done so.
    pub(crate) fn end_connection(&mut self, user: u32, via: Via) {
        let entry = &mut self.users[user as usize];
        let worker = std::mem::replace(&mut entry.worker, NONE);
        let closed = std::mem::replace(&mut entry.closed, Instant::NEVER);
        if worker != NONE && closed == Instant::NEVER {
            self.workers[worker as usize].clients -= 1;
            self.seen.event_loop.disconnected(worker, self.now);
            self.hang_up(worker, via);
        }
    }

    /// The loop of `worker` closes a connection.
    pub(crate) fn hang_up(&mut self, worker: u32, via: Via) {
        if !self.plan.event_loop.hang_up.is_zero() {
            self.workers[worker as usize].callbacks.push(HANG_UP, via);
            self.wake_loop(worker);
        }
    }
}
