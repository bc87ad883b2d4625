//! The listening sockets: connections that wait to be accepted, and who accepts them.

use std::collections::VecDeque;

use model::scenario::Spread;

/// Listening sockets of the service.
#[derive(Debug)]
pub struct Listener {
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
pub enum Knock {
    /// The queue is full: the client will try again.
    Dropped,
    /// It waits; this worker's loop, if any, is to be told.
    Queued(Option<u32>),
}

impl Listener {
    /// Sockets for `workers` processes.
    pub fn new(spread: Spread, workers: u32, backlog: u32) -> Listener {
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
    pub fn knock(&mut self, task: u32, hash: u64) -> Knock {
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
            return Knock::Dropped;
        }
        self.queues[queue as usize].push_back(task);
        Knock::Queued(match self.spread {
            // The kernel wakes the sleeper that fell asleep last.
            Spread::Lifo => self.asleep.last().copied(),
            Spread::Hash | Spread::RoundRobin => Some(queue),
        })
    }

    /// `worker` accepts one connection.
    pub fn accept(&mut self, worker: u32) -> Option<u32> {
        let queue = self.queue_of(worker);
        self.queues[queue].pop_front()
    }

    /// Connections that `worker` could accept.
    pub fn waiting(&self, worker: u32) -> usize {
        self.queues[self.queue_of(worker)].len()
    }

    /// The loop of `worker` falls asleep in its poll.
    pub fn sleep(&mut self, worker: u32) {
        debug_assert!(!self.asleep.contains(&worker));
        self.asleep.push(worker);
    }

    /// The loop of `worker` is awake.
    pub fn wake(&mut self, worker: u32) {
        if let Some(at) = self.asleep.iter().rposition(|&asleep| asleep == worker) {
            self.asleep.remove(at);
        }
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
        assert_eq!(listener.knock(1, 0), Knock::Queued(Some(2)));
        listener.wake(2);
        assert_eq!(listener.knock(2, 0), Knock::Queued(Some(1)));
        listener.wake(1);
        listener.sleep(2);
        assert_eq!(listener.knock(3, 0), Knock::Queued(Some(2)));
        assert_eq!(listener.waiting(0), 3);
        assert_eq!(listener.accept(2), Some(1));
    }

    #[test]
    fn a_full_backlog_drops_the_handshake() {
        let mut listener = Listener::new(Spread::Lifo, 1, 1);
        assert_eq!(listener.knock(1, 0), Knock::Queued(Some(0)));
        assert_eq!(listener.knock(2, 0), Knock::Dropped);
    }

    #[test]
    fn round_robin_is_even_and_hashing_keeps_to_its_socket() {
        let mut listener = Listener::new(Spread::RoundRobin, 2, 10);
        let woken: Vec<_> = (0..4).map(|task| listener.knock(task, 0)).collect();
        let to = |worker| Knock::Queued(Some(worker));
        assert_eq!(woken, [to(0), to(1), to(0), to(1)]);
        assert_eq!((listener.accept(1), listener.accept(1)), (Some(1), Some(3)));
        let mut listener = Listener::new(Spread::Hash, 2, 10);
        assert_eq!(listener.knock(9, 7), to(1));
    }
}
