//! PgBouncer's clients, its connections to the server, and those who wait for one.
//!
//! It is one process with one thread: a message waits until those before it are passed on. It has a
//! processor to itself here.

use std::collections::VecDeque;

use model::scenario::{PgBouncer, PoolMode};
use model::units::{Instant, Span};

/// PgBouncer while the engine runs.
#[derive(Debug)]
pub(crate) struct Pooler {
    settings: PgBouncer,
    /// Connections to the server that it may have.
    size: u32,
    clients: u32,
    open: u32,
    /// Connections to the server that no client uses, with the process of each there, once it has worked.
    idle: Vec<Option<u32>>,
    queue: VecDeque<u32>,
    /// When it has passed on all messages so far.
    free: Instant,
}

/// How a client's command gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// On the open connection that was used last, whose process on the server is this one.
    Idle(Option<u32>),
    /// On one that is opened for it.
    New,
    /// When it gets one, in order.
    Wait,
}

impl Pooler {
    /// One without clients, before a server that takes so many connections.
    pub(super) fn new(settings: PgBouncer, server: Option<u32>) -> Pooler {
        let size = Pooler::size_of(settings, server);
        let (free, queue) = (Instant::START, VecDeque::new());
        Pooler { settings, size, clients: 0, open: 0, idle: Vec::new(), queue, free }
    }

    /// Connections to a server that takes so many.
    pub(super) fn size_of(settings: PgBouncer, server: Option<u32>) -> u32 {
        settings.default_pool_size.min(server.unwrap_or(u32::MAX))
    }

    /// Its settings.
    pub(super) fn settings(&self) -> PgBouncer {
        self.settings
    }

    /// A client gives its connection to the server back after a transaction.
    pub(super) fn by_transaction(&self) -> bool {
        self.settings.pool_mode == PoolMode::Transaction
    }

    /// Clients that are connected.
    pub(crate) fn clients(&self) -> u32 {
        self.clients
    }

    /// Connections to the server in use.
    pub(crate) fn in_use(&self) -> u32 {
        self.open - self.idle.len() as u32
    }

    /// Connections to the server that are open.
    pub(crate) fn open(&self) -> u32 {
        self.open
    }

    /// Clients that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// A client connects; false if it is refused.
    pub(super) fn connect(&mut self) -> bool {
        let room = self.clients < self.settings.max_client_conn;
        self.clients += u32::from(room);
        room
    }

    /// A client disconnects.
    pub(super) fn disconnect(&mut self) {
        self.clients -= 1;
    }

    /// The command of `task` needs a connection to the server.
    pub(super) fn take(&mut self, task: u32) -> Link {
        if let Some(process) = self.idle.pop() {
            return Link::Idle(process);
        }
        if self.open < self.size {
            self.open += 1;
            return Link::New;
        }
        self.queue.push_back(task);
        Link::Wait
    }

    /// A connection to the server comes back, with its `process` there. Returns who gets it.
    pub(super) fn give_back(&mut self, process: Option<u32>) -> Option<u32> {
        let next = self.queue.pop_front();
        if next.is_none() {
            self.idle.push(process);
        }
        next
    }

    /// Processes on the server of connections that no client uses.
    pub(crate) fn idle_processes(&self) -> usize {
        self.idle.iter().flatten().count()
    }

    /// Forgets the commands that wait for `gone` tasks, and says how many they were.
    pub(super) fn abandon(&mut self, gone: impl Fn(u32) -> bool) -> usize {
        let before = self.queue.len();
        self.queue.retain(|&task| !gone(task));
        before - self.queue.len()
    }

    /// A message that it works on for `cost` comes. Returns how long until it is passed on.
    pub(super) fn pass(&mut self, now: Instant, cost: Span) -> Span {
        if cost.is_zero() {
            return Span::ZERO;
        }
        self.free = self.free.max(now) + cost;
        self.free - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_opened_when_needed_kept_and_waited_for_in_order() {
        let settings = PgBouncer { default_pool_size: 2, max_client_conn: 1, ..Default::default() };
        let mut pooler = Pooler::new(settings, Some(97));
        assert!(pooler.connect() && !pooler.connect(), "one client");
        assert_eq!(
            (pooler.take(1), pooler.give_back(Some(7)), pooler.take(2)),
            (Link::New, None, Link::Idle(Some(7)))
        );
        assert_eq!(
            (pooler.take(3), pooler.take(4), pooler.take(5)),
            (Link::New, Link::Wait, Link::Wait)
        );
        assert_eq!((pooler.in_use(), pooler.waiting()), (2, 2));
        assert_eq!((pooler.give_back(None), pooler.abandon(|task| task == 5)), (Some(4), 1));
        assert_eq!((pooler.give_back(None), pooler.in_use(), pooler.open()), (None, 1, 2));
        assert_eq!(Pooler::new(settings, Some(1)).size, 1, "the server takes no more");
    }

    #[test]
    fn its_one_thread_passes_on_a_message_after_the_other() {
        let mut pooler = Pooler::new(PgBouncer::default(), None);
        let (now, cost) = (Instant::START, Span::from_micros(5));
        assert_eq!((pooler.pass(now, cost), pooler.pass(now, cost)), (cost, cost * 2));
        assert_eq!(pooler.pass(now + Span::from_secs(1), cost), cost, "it was idle");
        assert_eq!(pooler.pass(now, Span::ZERO), Span::ZERO);
    }
}
