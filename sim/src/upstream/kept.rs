//! The connections of an HTTP client to one upstream.
//!
//! As httpx has it. Of idle connections a call chooses the oldest, and has it only when it has
//! had its locks, each for a turn of the event loop: calls that begin together choose the same
//! one, wait for its locks one by one, and all but the first must choose again. With more
//! connections than the limit, in use and idle, each that falls idle is closed, so that a client
//! that is busier than that opens one for every call. One that has been idle for too long is
//! closed at the next look.
//!
//! With a limit of connections calls queue. Whenever a call asks, ends or has lost its connection to
//! another, the first in the queue is given an idle connection or a new one, and so on
//! (`_assign_requests_to_connections` of httpcore 1.0.9). What is given stays idle until a call has
//! its locks: one idle connection is given to all that wait, which line up at its locks. So nearly
//! none is left in the queue that the next look goes through. Where each connection that falls idle
//! is closed, as one too many, a new one goes to one call alone, and the queue stays long.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::scenario::{Client, Scenario};
use model::units::{Instant, Span};

use super::{ClientId, most};
use crate::slots::Slots;

/// A connection, by when it was opened.
pub(super) type Connection = u32;

/// Connections of a client, in use and idle.
#[derive(Debug)]
pub(crate) struct Kept {
    limit: Option<u32>,
    /// The limit is of idle connections alone.
    counts_idle: bool,
    /// No more are open at a time; calls queue for them.
    most: Option<u32>,
    expiry: Option<Span>,
    in_use: u32,
    /// Since when each is idle, the oldest connection first.
    idle: BTreeMap<Connection, Instant>,
    opened: Connection,
    /// The locks that are held, by their connection and number.
    locks: BTreeMap<(Connection, u32), Slots>,
    /// Calls without a connection, in the order in which they first asked.
    queue: BTreeMap<u64, u32>,
    tickets: u64,
}

/// A connection for a call of the queue.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) task: u32,
    pub(super) connection: Connection,
    /// It is new, and given to no other call.
    pub(super) opens: bool,
}

impl Kept {
    /// No connection yet. With more than `limit` none is kept, nor for longer than `expiry`.
    /// What `client` has in the scenario.
    pub(super) fn of(scenario: &Scenario, client: ClientId) -> Kept {
        let spec = &scenario.upstreams[client as usize / 2];
        let counts_idle = Client::counts_idle(spec.client);
        Kept { counts_idle, ..Kept::new(spec.kept, spec.expiry, most(scenario, client)) }
    }

    /// With `most`, no more are opened, and calls queue.
    pub(crate) fn new(limit: Option<u32>, expiry: Option<Span>, most: Option<u32>) -> Kept {
        Kept {
            limit: limit.map(|limit| limit.min(most.unwrap_or(limit))),
            expiry,
            counts_idle: false,
            most,
            in_use: 0,
            idle: BTreeMap::new(),
            opened: 0,
            locks: BTreeMap::new(),
            queue: BTreeMap::new(),
            tickets: 0,
        }
    }

    /// True if calls queue here.
    pub(super) fn queues(&self) -> bool {
        self.most.is_some()
    }

    /// Calls in the queue.
    pub(super) fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Connections in use by calls that queued here.
    pub(crate) fn queued_for(&self) -> u32 {
        if self.queues() { self.in_use } else { 0 }
    }

    /// True if no call waits for what is there.
    pub(crate) fn is_served(&self) -> bool {
        self.queue.is_empty() || !self.has_one()
    }

    fn has_one(&self) -> bool {
        let all = self.in_use + self.idle.len() as u32;
        !self.idle.is_empty() || self.most.is_none_or(|most| all < most)
    }

    /// Joins the queue, at the place of `ticket` if the call has been in it before.
    pub(super) fn join(&mut self, task: u32, ticket: Option<u64>) -> u64 {
        let ticket = ticket.unwrap_or_else(|| {
            self.tickets += 1;
            self.tickets
        });
        self.queue.insert(ticket, task);
        ticket
    }

    /// Leaves the queue.
    pub(super) fn abandon(&mut self, ticket: u64) {
        self.queue.remove(&ticket);
    }

    /// Gives the queue what there is.
    pub(super) fn assign(&mut self) -> Vec<Given> {
        let mut all = Vec::new();
        while self.has_one()
            && let Some((_, task)) = self.queue.pop_first()
        {
            let (connection, opens) = match self.choose() {
                Some(idle) => (idle, false),
                None => (self.open(), true),
            };
            all.push(Given { task, connection, opens });
        }
        all
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
        let idle = self.idle.len() as u32;
        let others = if self.counts_idle { idle } else { idle + self.in_use - 1 };
        let surplus = self.limit.is_some_and(|limit| others >= limit);
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
        let mut kept = Kept::new(None, None, None);
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
        let mut kept = Kept::new(None, None, None);
        let (only, _) = call(&mut kept);
        kept.give_back(only, false, NOW);
        assert_eq!((kept.choose(), kept.choose()), (Some(only), Some(only)));
        assert!(kept.take(only));
        assert!(!kept.take(only));
        assert_eq!(kept.choose(), None);
    }

    #[test]
    fn beyond_the_limit_connections_are_closed_as_they_fall_idle() {
        let mut kept = Kept::new(Some(2), None, None);
        let all: Vec<Connection> = (0..3).map(|_| call(&mut kept).0).collect();
        kept.give_back(all[0], false, NOW);
        let (another, opened) = call(&mut kept);
        assert!(opened, "it was one of three");
        kept.give_back(another, false, NOW);
        kept.give_back(all[1], false, NOW);
        assert!(!call(&mut kept).1, "it was one of two");
    }

    #[test]
    fn a_client_that_counts_idle_ones_alone_keeps_more() {
        let kept = |counts_idle| {
            let mut kept = Kept { counts_idle, ..Kept::new(Some(2), None, None) };
            let all: Vec<Connection> = (0..4).map(|_| call(&mut kept).0).collect();
            all.iter().for_each(|one| kept.give_back(*one, false, NOW));
            kept.look(NOW).0
        };
        assert_eq!((kept(true), kept(false)), (2, 2));
        // One is given back while three are in use.
        let mut busy = Kept { counts_idle: true, ..Kept::new(Some(2), None, None) };
        let all: Vec<Connection> = (0..4).map(|_| call(&mut busy).0).collect();
        busy.give_back(all[0], false, NOW);
        assert!(!call(&mut busy).1, "it is kept");
    }

    #[test]
    fn what_is_idle_for_too_long_is_closed() {
        let mut kept = Kept::new(None, Some(Span::from_secs(5)), None);
        let (only, _) = call(&mut kept);
        kept.give_back(only, false, NOW);
        assert_eq!(kept.look(NOW + Span::from_millis(4999)), (1, 0));
        assert_eq!(kept.look(NOW + Span::from_secs(5)), (0, 0));
        assert!(call(&mut kept).1);
    }

    #[test]
    fn one_that_falls_idle_is_given_to_all_that_wait_and_a_new_one_to_one() {
        let mut kept = Kept::new(Some(2), None, Some(2));
        for task in 0..5 {
            kept.join(task, None);
        }
        let given = kept.assign();
        assert_eq!(
            given.iter().map(|one| (one.task, one.opens)).collect::<Vec<_>>(),
            [(0, true), (1, true)]
        );
        assert_eq!((kept.waiting(), kept.is_served()), (3, true));
        kept.give_back(given[1].connection, false, NOW);
        let all: Vec<_> = kept.assign().iter().map(|one| (one.task, one.opens)).collect();
        assert_eq!(all, [(2, false), (3, false), (4, false)]);
        assert!(kept.take(given[1].connection) && kept.waiting() == 0);
        // One that has lost it keeps its place before those that come later.
        kept.join(9, None);
        kept.join(3, Some(4));
        kept.give_back(given[0].connection, true, NOW);
        let next: Vec<_> = kept.assign().iter().map(|one| (one.task, one.opens)).collect();
        assert_eq!(next, [(3, true)], "the other one was broken");
        assert_eq!(kept.waiting(), 1);
    }
}
