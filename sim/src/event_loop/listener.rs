//! The listening sockets: connections that wait to be accepted, and the worker that accepts them.

use std::collections::VecDeque;

use model::scenario::Spread;

/// Listening sockets of the service.
#[derive(Debug)]
pub(crate) struct Listener {
    spread: Spread,
    backlog: u32,
    /// One queue shared by all workers, or one per worker.
    queues: Vec<VecDeque<u32>>,
    /// Loops asleep in their poll, the latest to fall asleep last.
    asleep: Vec<u32>,
    next: u32,
}

/// What became of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// The queue is full: the client will try again.
    Dropped,
    /// It waits; this worker's loop, if any, is to be told.
    Queued(Option<u32>),
}

impl Listener {
    /// Sockets for `workers` processes.
    pub(crate) fn new(spread: Spread, workers: u32, backlog: u32) -> Listener {
        let queues = if spread == Spread::Lifo { 1 } else { workers };
        Listener {
            spread,
            backlog,
            queues: (0..queues).map(|_| VecDeque::new()).collect(),
            // The worker that started last went to sleep last.
            asleep: (0..workers).collect(),
            next: 0,
        }
    }

    /// A handshake completes for `task`. `hash` decides where sockets are hashed.
    pub(crate) fn handshake(&mut self, task: u32, hash: u64) -> Handshake {
        let workers = self.queues.len() as u32;
        let queue = match self.spread {
            Spread::Lifo => 0,
            Spread::Hash => (hash % u64::from(workers)) as u32,
            Spread::RoundRobin => {
                self.next = (self.next + 1) % workers;
                (self.next + workers - 1) % workers
            }
        };
        if self.queues[queue as usize].len() >= self.backlog as usize {
            return Handshake::Dropped;
        }
        self.queues[queue as usize].push_back(task);
        Handshake::Queued(match self.spread {
            // The kernel wakes the sleeper that fell asleep last.
            Spread::Lifo => self.asleep.last().copied(),
            Spread::Hash | Spread::RoundRobin => Some(queue),
        })
    }

    /// `worker` accepts one connection.
    pub(crate) fn accept(&mut self, worker: u32) -> Option<u32> {
        let queue = self.queue_of(worker);
        self.queues[queue].pop_front()
    }

    /// Connections that `worker` could accept.
    pub(crate) fn waiting(&self, worker: u32) -> usize {
        self.queues[self.queue_of(worker)].len()
    }

    /// The loop of `worker` falls asleep in its poll.
    pub(crate) fn sleep(&mut self, worker: u32) {
        debug_assert!(!self.asleep.contains(&worker));
        self.asleep.push(worker);
    }

    /// The loop of `worker` is awake.
    pub(crate) fn wake(&mut self, worker: u32) {
        if let Some(at) = self.asleep.iter().rposition(|&asleep| asleep == worker) {
            self.asleep.remove(at);
        }
    }

    /// A loop that sleeps though a connection waits that it could accept.
    pub(crate) fn sleeper(&self) -> Option<u32> {
        let waits = self.spread == Spread::Lifo && !self.queues[0].is_empty();
        self.asleep.last().copied().filter(|_| waits)
    }

    fn queue_of(&self, worker: u32) -> usize {
        if self.spread == Spread::Lifo { 0 } else { worker as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_that_slept_last_is_woken_first() {
        let mut listener = Listener::new(Spread::Lifo, 3, 10);
        assert_eq!(listener.handshake(1, 0), Handshake::Queued(Some(2)));
        listener.wake(2);
        assert_eq!(listener.handshake(2, 0), Handshake::Queued(Some(1)));
        listener.wake(1);
        listener.sleep(2);
        assert_eq!(listener.handshake(3, 0), Handshake::Queued(Some(2)));
        assert_eq!(listener.waiting(0), 3);
        assert_eq!(listener.accept(2), Some(1));
    }

    #[test]
    fn a_full_backlog_drops_the_handshake() {
        let mut listener = Listener::new(Spread::Lifo, 1, 1);
        assert_eq!(listener.handshake(1, 0), Handshake::Queued(Some(0)));
        assert_eq!(listener.handshake(2, 0), Handshake::Dropped);
    }

    #[test]
    fn round_robin_is_even_and_hashing_keeps_to_its_socket() {
        let mut listener = Listener::new(Spread::RoundRobin, 2, 10);
        let woken: Vec<_> = (0..4).map(|task| listener.handshake(task, 0)).collect();
        let to = |worker| Handshake::Queued(Some(worker));
        assert_eq!(woken, [to(0), to(1), to(0), to(1)]);
        assert_eq!((listener.accept(1), listener.accept(1)), (Some(1), Some(3)));
        let mut listener = Listener::new(Spread::Hash, 2, 10);
        assert_eq!(listener.handshake(9, 7), to(1));
    }
}
