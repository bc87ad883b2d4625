//! A pool of database connections: size, overflow, and the order of waiting.

use std::collections::VecDeque;

use model::scenario::{Connections, Order};
use model::units::Instant;

use super::postgres::Introduction;

/// The connections of one worker process.
#[derive(Debug)]
pub(crate) struct Pool {
    rule: Connections,
    /// Open or being opened, in use or not.
    total: u32,
    idle: VecDeque<u32>,
    queue: VecDeque<u32>,
    /// The first request that asks gets a connection that has come back, even if others wait.
    overtaking: bool,
    /// Connections that were opened before are opened anew when they are taken.
    pub(crate) invalidated: Instant,
    /// What its library knows of the server.
    pub(crate) introduction: Introduction,
}

/// What a request for a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkout {
    /// An open connection.
    Idle(u32),
    /// The right to open a new one.
    New,
    /// A place in the queue.
    Wait,
}

/// What becomes of a connection that is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checkin {
    /// It passes to this waiter.
    Handed(u32),
    /// It stays in the pool, and this waiter is told to ask again.
    Told(u32),
    /// It stays open in the pool.
    Kept,
    /// It was closed; a waiter may open one in its place.
    Discarded(Option<u32>),
}

impl Pool {
    /// No connection open.
    pub(crate) fn new(rule: Connections, overtaking: bool) -> Pool {
        Pool {
            rule,
            total: 0,
            idle: VecDeque::new(),
            queue: VecDeque::new(),
            overtaking,
            invalidated: Instant::START,
            introduction: Introduction::None,
        }
    }

    /// `task` asks for a connection. Of idle ones the one that came back first is used, as in
    /// SQLAlchemy's queue, or the last, as with its `pool_use_lifo`.
    pub(crate) fn checkout(&mut self, task: u32) -> Checkout {
        let idle = match self.rule {
            Connections::Pool { order: Order::Lifo, .. } => self.idle.pop_back(),
            _ => self.idle.pop_front(),
        };
        if let Some(connection) = idle {
            return Checkout::Idle(connection);
        }
        let room = match self.rule {
            Connections::PerOperation => true,
            Connections::Pool { size, overflow, .. } => self.total < size.saturating_add(overflow),
        };
        if room {
            self.total += 1;
            return Checkout::New;
        }
        self.queue.push_back(task);
        Checkout::Wait
    }

    /// True if a connection that is given back now stays open: it passes to a waiter, or
    /// the pool keeps it. As in SQLAlchemy, what counts is how many are idle: a connection
    /// that comes back while fewer than `size` are idle stays, even one of the overflow.
    pub(crate) fn keeps(&self) -> bool {
        match self.rule {
            Connections::PerOperation => false,
            Connections::Pool { size, .. } => {
                !self.queue.is_empty() || self.idle.len() < size as usize
            }
        }
    }

    /// A connection comes back, open or already closed.
    pub(crate) fn checkin(&mut self, connection: u32, open: bool) -> Checkin {
        if !open {
            return Checkin::Discarded(self.replace());
        }
        if let Some(waiter) = self.queue.pop_front() {
            if self.overtaking {
                self.idle.push_back(connection);
                return Checkin::Told(waiter);
            }
            return Checkin::Handed(waiter);
        }
        self.idle.push_back(connection);
        Checkin::Kept
    }

    /// A closed connection leaves its place, to a waiter if there is one.
    fn replace(&mut self) -> Option<u32> {
        let waiter = self.queue.pop_front();
        if waiter.is_none() {
            self.total -= 1;
        }
        waiter
    }

    /// `task` stops waiting.
    pub(crate) fn abandon(&mut self, task: u32) {
        if let Some(at) = self.queue.iter().position(|&waiting| waiting == task) {
            self.queue.remove(at);
        }
    }

    /// No connection is idle, and no other may be opened.
    pub(crate) fn is_exhausted(&self) -> bool {
        match self.rule {
            Connections::PerOperation => false,
            Connections::Pool { size, overflow, .. } => {
                self.idle.is_empty() && self.total >= size.saturating_add(overflow)
            }
        }
    }

    /// Takes the idle connections out of it.
    pub(crate) fn take_idle(&mut self) -> impl Iterator<Item = u32> {
        self.total -= self.idle.len() as u32;
        std::mem::take(&mut self.idle).into_iter()
    }

    /// Connections in use.
    pub(crate) fn in_use(&self) -> u32 {
        self.total - self.idle.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(size: u32, overflow: u32) -> Pool {
        Pool::new(Connections::pool(size, overflow, None), false)
    }

    #[test]
    fn whoever_waits_is_told_and_may_come_too_late() {
        let mut pool = Pool::new(Connections::pool(1, 0, None), true);
        assert_eq!(pool.checkout(1), Checkout::New);
        assert_eq!((pool.checkout(2), pool.checkout(3)), (Checkout::Wait, Checkout::Wait));
        assert_eq!(pool.checkin(7, true), Checkin::Told(2));
        assert_eq!(pool.checkout(4), Checkout::Idle(7), "it asks before 2 does");
        assert_eq!(pool.checkout(2), Checkout::Wait);
        assert_eq!(pool.checkin(7, true), Checkin::Told(3), "2 is behind 3 now");
        assert_eq!(pool.checkout(3), Checkout::Idle(7));
    }

    #[test]
    fn beyond_size_and_overflow_requests_wait_in_order() {
        let mut pool = pool(1, 1);
        assert_eq!(pool.checkout(1), Checkout::New);
        assert_eq!(pool.checkout(2), Checkout::New);
        assert_eq!(pool.checkout(3), Checkout::Wait);
        assert_eq!(pool.checkout(4), Checkout::Wait);
        assert!(pool.keeps(), "a waiter gets it");
        assert_eq!(pool.checkin(70, true), Checkin::Handed(3));
        pool.abandon(4);
        assert!(pool.keeps(), "none is idle yet");
        assert_eq!(pool.checkin(71, true), Checkin::Kept);
        assert!(!pool.keeps(), "overflow is closed on return");
        assert_eq!(pool.checkin(70, false), Checkin::Discarded(None));
        assert_eq!(pool.checkout(5), Checkout::Idle(71));
        assert!(pool.keeps());
        assert_eq!(pool.in_use(), 1);
    }

    #[test]
    fn the_one_that_came_back_last_is_used_where_the_order_says_so() {
        let rule = |order| Connections::Pool {
            size: 2,
            overflow: 0,
            timeout: None,
            order,
            recycle: None,
            pre_ping: false,
        };
        for (order, used) in [(Order::Fifo, 70), (Order::Lifo, 71)] {
            let mut pool = Pool::new(rule(order), false);
            assert_eq!((pool.checkout(1), pool.checkout(2)), (Checkout::New, Checkout::New));
            assert_eq!(
                (pool.checkin(70, true), pool.checkin(71, true)),
                (Checkin::Kept, Checkin::Kept)
            );
            assert_eq!(pool.checkout(3), Checkout::Idle(used));
        }
    }

    #[test]
    fn a_waiter_opens_in_place_of_a_closed_connection() {
        let mut pool = pool(1, 0);
        assert_eq!(pool.checkout(1), Checkout::New);
        assert_eq!(pool.checkout(2), Checkout::Wait);
        assert_eq!(pool.checkin(70, false), Checkin::Discarded(Some(2)));
        assert_eq!(pool.in_use(), 1);
    }

    #[test]
    fn per_operation_opens_each_time_and_never_waits() {
        let mut pool = Pool::new(Connections::PerOperation, false);
        for task in 0..100 {
            assert_eq!(pool.checkout(task), Checkout::New);
        }
        assert!(!pool.keeps());
        assert_eq!(pool.checkin(7, false), Checkin::Discarded(None));
    }
}
