//! The connections of an HTTP client to one upstream.
//!
//! As httpx has it. Of idle connections a call chooses the oldest, and has it only when it has
//! had its locks, each for a turn of the event loop: calls that begin together choose the same
//! one, wait for its locks one by one, and all but the first must choose again. With more
//! connections than the limit, in use and idle, each that falls idle is closed, so that a client
//! that is busier than that opens one for every call. One that has been idle for too long is
//! closed at the next look.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::units::{Instant, Span};

use crate::slots::Slots;

/// A connection, by when it was opened.
pub(super) type Connection = u32;

/// Connections of a client, in use and idle.
#[derive(Debug)]
pub(crate) struct Kept {
    limit: Option<u32>,
    expiry: Option<Span>,
    in_use: u32,
    /// Since when each is idle, the oldest connection first.
    idle: BTreeMap<Connection, Instant>,
    opened: Connection,
    /// The locks that are held, by their connection and number.
    locks: BTreeMap<(Connection, u32), Slots>,
}

impl Kept {
    /// No connection yet. With more than `limit` none is kept, nor for longer than `expiry`.
    pub(crate) fn new(limit: Option<u32>, expiry: Option<Span>) -> Kept {
        Kept { limit, expiry, in_use: 0, idle: BTreeMap::new(), opened: 0, locks: BTreeMap::new() }
    }

    /// How many are idle, once those that have been for too long are closed, and in use.
    pub(crate) fn look(&mut self, now: Instant) -> (u32, u32) {
        if let Some(expiry) = self.expiry {
            self.idle.retain(|_, since| *since + expiry > now);
        }
        (self.idle.len() as u32, self.in_use)
    }

    /// The idle connection that a call is to use; none if it needs a new one.
    pub(crate) fn choose(&self) -> Option<Connection> {
        self.idle.keys().next().copied()
    }

    /// A new connection, in use.
    pub(crate) fn open(&mut self) -> Connection {
        self.opened += 1;
        self.in_use += 1;
        self.opened
    }

    /// Takes the one that was chosen. False if it is idle no more.
    pub(crate) fn take(&mut self, chosen: Connection) -> bool {
        let is_free = self.idle.remove(&chosen).is_some();
        self.in_use += u32::from(is_free);
        is_free
    }

    /// Takes a lock of `connection`, or queues for it. False if another has it.
    pub(crate) fn lock(&mut self, connection: Connection, lock: u32, task: u32) -> bool {
        let one = || Slots::new(1);
        self.locks.entry((connection, lock)).or_insert_with(one).acquire(task)
    }

    /// Lets go of it; it passes straight to the first waiter, which is returned.
    pub(crate) fn unlock(&mut self, connection: Connection, lock: u32) -> Option<u32> {
        let Entry::Occupied(mut held) = self.locks.entry((connection, lock)) else {
            unreachable!("a lock that is let go of is held");
        };
        let next = held.get_mut().release();
        if next.is_none() {
            held.remove();
        }
        next
    }

    /// True if no lock of any connection is held.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.locks.is_empty()
    }

    /// Gives one back, which is closed if it is `broken` or one too many.
    pub(crate) fn give_back(&mut self, connection: Connection, broken: bool, now: Instant) {
        let all = self.in_use + self.idle.len() as u32;
        let surplus = self.limit.is_some_and(|limit| all > limit);
        self.in_use -= 1;
        if !broken && !surplus {
            self.idle.insert(connection, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::START;

    /// As a call does that has the client to itself. True if it opened a connection.
    fn call(kept: &mut Kept) -> (Connection, bool) {
        match kept.choose() {
            Some(chosen) => {
                assert!(kept.take(chosen));
                (chosen, false)
            }
            None => (kept.open(), true),
        }
    }

    #[test]
    fn what_is_idle_is_used_again_the_oldest_first() {
        let mut kept = Kept::new(None, None);
        let (first, second) = (call(&mut kept), call(&mut kept));
        assert!(first.1 && second.1);
        kept.give_back(second.0, false, NOW);
        kept.give_back(first.0, false, NOW);
        assert_eq!(kept.look(NOW), (2, 0));
        assert_eq!(call(&mut kept), (first.0, false));
        kept.give_back(first.0, true, NOW);
        assert_eq!(call(&mut kept), (second.0, false));
        assert!(call(&mut kept).1, "the other one was broken");
    }

    #[test]
    fn two_that_choose_the_same_cannot_both_have_it() {
        let mut kept = Kept::new(None, None);
        let (only, _) = call(&mut kept);
        kept.give_back(only, false, NOW);
        assert_eq!((kept.choose(), kept.choose()), (Some(only), Some(only)));
        assert!(kept.take(only));
        assert!(!kept.take(only));
        assert_eq!(kept.choose(), None);
    }

    #[test]
    fn beyond_the_limit_connections_are_closed_as_they_fall_idle() {
        let mut kept = Kept::new(Some(2), None);
        let all: Vec<Connection> = (0..3).map(|_| call(&mut kept).0).collect();
        kept.give_back(all[0], false, NOW);
        let (another, opened) = call(&mut kept);
        assert!(opened, "it was one of three");
        kept.give_back(another, false, NOW);
        kept.give_back(all[1], false, NOW);
        assert!(!call(&mut kept).1, "it was one of two");
    }

    #[test]
    fn what_is_idle_for_too_long_is_closed() {
        let mut kept = Kept::new(None, Some(Span::from_secs(5)));
        let (only, _) = call(&mut kept);
        kept.give_back(only, false, NOW);
        assert_eq!(kept.look(NOW + Span::from_millis(4999)), (1, 0));
        assert_eq!(kept.look(NOW + Span::from_secs(5)), (0, 0));
        assert!(call(&mut kept).1);
    }
}
