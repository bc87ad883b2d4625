//! The callbacks of an event loop that are ready to run, in the order of its runtime.
//!
//! asyncio has one queue for all. tokio's loop on one thread has two: what its own tasks
//! wake, and what other threads wake; it takes from either in turns. What its sockets and
//! timers wake it learns only when it polls them: when both queues are empty, or after so
//! many callbacks. (tokio, `runtime/scheduler/current_thread`; its `event_interval` is 61.)

use std::collections::VecDeque;

use model::scenario::EventLoop;

/// Callbacks after which tokio polls its sockets though others are ready.
const EVENT_INTERVAL: u64 = 61;
/// Of so many callbacks the first comes from other threads, if there is one: the setting
/// of the service that is measured.
const REMOTE_INTERVAL: u64 = 2;

/// What woke a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// Another callback of the same loop.
    Loop,
    /// Another thread.
    Thread,
    /// A socket or a timer.
    Poll,
}

/// The callbacks of one loop.
#[derive(Debug)]
pub(crate) struct Callbacks {
    /// It is tokio's.
    two_queues: bool,
    queue: VecDeque<u32>,
    remote: VecDeque<u32>,
    /// Not learned of yet.
    polled: VecDeque<u32>,
    /// Callbacks left of this turn of asyncio.
    turn: usize,
    /// Callbacks of tokio so far.
    ticks: u64,
}

impl Callbacks {
    /// None, of a loop of this kind.
    pub(crate) fn new(event_loop: EventLoop) -> Callbacks {
        Callbacks {
            two_queues: event_loop == EventLoop::Tokio,
            queue: VecDeque::new(),
            remote: VecDeque::new(),
            polled: VecDeque::new(),
            turn: 0,
            ticks: 0,
        }
    }

    /// `callback` is ready.
    #[inline]
    pub(crate) fn push(&mut self, callback: u32, via: Via) {
        match via {
            Via::Thread if self.two_queues => self.remote.push_back(callback),
            Via::Poll if self.two_queues => self.polled.push_back(callback),
            _ => self.queue.push_back(callback),
        }
    }

    /// True if the loop polls its sockets before it goes on.
    pub(crate) fn polls(&self) -> bool {
        match self.two_queues {
            false => self.turn == 0,
            true => {
                self.queue.is_empty() && self.remote.is_empty()
                    || self.ticks.is_multiple_of(EVENT_INTERVAL)
            }
        }
    }

    /// It has polled.
    pub(crate) fn begin_turn(&mut self) {
        if self.two_queues {
            self.queue.append(&mut self.polled);
        }
        self.turn = self.queue.len();
    }

    /// The next to run.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<u32> {
        if self.two_queues {
            return self.pop_of_two();
        }
        let next = self.queue.pop_front()?;
        self.turn = self.turn.saturating_sub(1);
        Some(next)
    }

    fn pop_of_two(&mut self) -> Option<u32> {
        let others_first = self.ticks.is_multiple_of(REMOTE_INTERVAL);
        let next = match others_first {
            true => self.remote.pop_front().or_else(|| self.queue.pop_front()),
            false => self.queue.pop_front().or_else(|| self.remote.pop_front()),
        }?;
        self.ticks += 1;
        Some(next)
    }

    /// Takes out a callback that another thread woke, if it is there.
    pub(crate) fn take_woken(&mut self, callback: u32) -> bool {
        let found = self.remote.iter().rposition(|woken| *woken == callback);
        found.is_some_and(|at| self.remote.remove(at).is_some())
    }

    /// The next to run, unless it is one of `others`, which stay where they are.
    pub(crate) fn pop_unless(&mut self, others: &[u32]) -> Option<u32> {
        let first = self.remote.front().or_else(|| self.queue.front())?;
        if others.contains(first) { None } else { self.pop() }
    }

    /// All that are ready, for the audit.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.queue.iter().chain(&self.remote).chain(&self.polled).copied()
    }

    /// None is ready.
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(callbacks: &mut Callbacks) -> Vec<u32> {
        std::iter::from_fn(|| {
            if callbacks.polls() {
                callbacks.begin_turn();
            }
            callbacks.pop()
        })
        .collect()
    }

    fn mixed(event_loop: EventLoop) -> Callbacks {
        let mut callbacks = Callbacks::new(event_loop);
        callbacks.push(1, Via::Poll);
        for (callback, via) in [(2, Via::Loop), (3, Via::Loop), (4, Via::Thread), (5, Via::Thread)]
        {
            callbacks.push(callback, via);
        }
        callbacks
    }

    #[test]
    fn asyncio_has_one_queue() {
        assert_eq!(all(&mut mixed(EventLoop::Asyncio)), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn tokio_takes_turns_and_polls_last() {
        let mut callbacks = mixed(EventLoop::Tokio);
        // The first callback of all comes after a poll.
        assert!(callbacks.polls());
        callbacks.ticks = 2;
        assert_eq!(all(&mut callbacks), [4, 2, 5, 3, 1]);
        assert!(callbacks.is_empty());
    }

    #[test]
    fn what_another_thread_woke_can_be_taken_out() {
        let mut callbacks = mixed(EventLoop::Tokio);
        assert!(callbacks.take_woken(5) && !callbacks.take_woken(5));
        assert!(!callbacks.take_woken(2), "it woke by itself");
        callbacks.ticks = 2;
        assert_eq!(all(&mut callbacks), [4, 2, 3, 1]);
    }

    #[test]
    fn tokio_polls_now_and_then_though_others_are_ready() {
        let mut callbacks = Callbacks::new(EventLoop::Tokio);
        callbacks.ticks = 1;
        callbacks.push(1000, Via::Poll);
        for callback in 0..200 {
            callbacks.push(callback, Via::Loop);
        }
        let order = all(&mut callbacks);
        assert_eq!(order.len(), 201);
        // It learned of it after 60 callbacks, and then it had its place in the queue.
        assert_eq!(order[200], 1000);
        assert_eq!(callbacks.pop(), None);
    }
}
