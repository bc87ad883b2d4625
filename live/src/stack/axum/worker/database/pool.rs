//! The database connections of one worker: kept or not, first come first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::place;
use model::scenario::Connections;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::{Failure, Handler};
use crate::clock;
use crate::stack::axum::worker::gauge::Gauge;
use crate::stack::axum::worker::waiting::{Mode, Timed, deadline};

/// The pool. A connection that is given back goes to the first request that waits, so that no
/// later one overtakes it.
#[derive(Debug)]
pub(super) struct Pool {
    rule: Connections,
    state: Mutex<State>,
    in_use: Gauge,
    waiting: Gauge,
}

#[derive(Debug, Default)]
struct State {
    /// Open or being opened, in use or not.
    total: u32,
    idle: VecDeque<Connection>,
    /// Requests that wait; some may have been dropped since.
    queue: VecDeque<oneshot::Sender<Held>>,
}

/// The right to one connection, and the connection once it is open. Dropped, it passes
/// on: the connection too, if nothing is under way on it.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    /// False once another has it.
    mine: bool,
}

/// What a request for a connection got.
enum Checkout {
    Now(Held),
    Later(oneshot::Receiver<Held>),
}

impl Pool {
    /// No connection open.
    pub(super) fn new(rule: Connections) -> Arc<Pool> {
        Arc::new(Pool {
            rule,
            state: Mutex::default(),
            in_use: Gauge::new(),
            waiting: Gauge::new(),
        })
    }

    /// Connections in use, those being opened and closed included.
    pub(super) fn in_use(&self) -> &Gauge {
        &self.in_use
    }

    /// Requests that wait for one.
    pub(super) fn waiting(&self) -> &Gauge {
        &self.waiting
    }

    /// A connection for `handler`, which waits in `mode` until the pool's timeout.
    pub(super) async fn checkout(
        self: &Arc<Pool>,
        handler: &mut impl Handler,
        mode: Mode,
    ) -> Result<Held, Failure> {
        let receiver = match self.ask() {
            Checkout::Now(held) => return Ok(held),
            Checkout::Later(receiver) => receiver,
        };
        let began = clock::now();
        let at = match self.rule {
            Connections::Pool { timeout: Some(timeout), .. } => {
                Some(began.saturating_add(timeout.nanos()))
            }
            _ => None,
        };
        let waiting = Waiting::new(&self.waiting);
        let outcome = deadline(mode, at, Timed::new(receiver)).await;
        drop(waiting);
        let now = clock::now();
        let woken = match (&outcome, at) {
            (Some((_, waited)), _) => waited.woken,
            (None, Some(at)) => at,
            (None, None) => now,
        };
        let woken = woken.clamp(began, now);
        handler.spend(place::POOL, woken - began);
        handler.spend(mode.late(), now - woken);
        let (granted, _) = outcome.ok_or(Failure::PoolTimeout)?;
        Ok(granted.expect("the queue keeps a waiter until it grants"))
    }

    /// Idle connections are used again oldest first, as SQLAlchemy's queue does.
    fn ask(self: &Arc<Pool>) -> Checkout {
        let mut state = self.state();
        let connection = state.idle.pop_front();
        let room = match self.rule {
            Connections::PerOperation => true,
            Connections::Pool { size, overflow, .. } => state.total < size.saturating_add(overflow),
        };
        if connection.is_none() && !room {
            let (sender, receiver) = oneshot::channel();
            state.queue.push_back(sender);
            return Checkout::Later(receiver);
        }
        state.total += u32::from(connection.is_none());
        self.in_use.enter();
        Checkout::Now(Held { pool: self.clone(), connection, mine: true })
    }

    /// A place comes back, with its connection or without.
    fn give_back(self: &Arc<Pool>, connection: Option<Connection>) {
        let mut state = self.state();
        let mut held = Held { pool: self.clone(), connection, mine: true };
        while let Some(waiter) = state.queue.pop_front() {
            match waiter.send(held) {
                Ok(()) => return,
                Err(back) => held = back,
            }
        }
        self.in_use.leave();
        match held.part() {
            Some(connection) if state.idle.len() < self.size() => state.idle.push_back(connection),
            // It closes in its own time, on its own thread.
            _ => state.total -= 1,
        }
    }

    /// Idle connections that stay open.
    fn size(&self) -> usize {
        match self.rule {
            Connections::PerOperation => 0,
            Connections::Pool { size, .. } => size as usize,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The connection, or where to put it.
    pub(super) fn connection(&mut self) -> &mut Option<Connection> {
        &mut self.connection
    }

    /// True if the connection stays open when it is given back now. As in SQLAlchemy, what
    /// counts is how many are idle: a connection stays if fewer than `size` are, even if it was
    /// opened beyond `size`. While a request waits, none is idle.
    pub(super) fn is_kept(&self) -> bool {
        self.pool.state().idle.len() < self.pool.size()
    }

    /// Gives up the right, and does not pass it on.
    fn part(mut self) -> Option<Connection> {
        self.mine = false;
        self.connection.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.mine {
            return;
        }
        // A connection with something under way is closed, which takes that back.
        self.pool.give_back(self.connection.take().filter(Connection::is_clean));
    }
}

/// Counts a waiting request while it lives.
struct Waiting<'a>(&'a Gauge);

impl<'a> Waiting<'a> {
    fn new(gauge: &'a Gauge) -> Waiting<'a> {
        gauge.enter();
        Waiting(gauge)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests;
