//! A number of slots handed out first come, first served: thread-pool tokens, semaphores,
//! client connections, locks.

use std::collections::VecDeque;

/// Slots, and the queue for them. No newcomer overtakes a waiter.
#[derive(Debug)]
pub(crate) struct Slots {
    capacity: u32,
    taken: u32,
    queue: VecDeque<u32>,
}

impl Slots {
    /// `capacity` free slots.
    pub(crate) fn new(capacity: u32) -> Slots {
        Slots { capacity, taken: 0, queue: VecDeque::new() }
    }

    /// Takes a slot, or joins the queue and returns false.
    pub(crate) fn acquire(&mut self, task: u32) -> bool {
        if self.taken < self.capacity && self.queue.is_empty() {
            self.taken += 1;
            return true;
        }
        self.queue.push_back(task);
        false
    }

    /// Gives a slot back; it passes straight to the first waiter, which is returned.
    pub(crate) fn release(&mut self) -> Option<u32> {
        assert!(self.taken > 0, "a slot is given back once");
        let next = self.queue.pop_front();
        if next.is_none() {
            self.taken -= 1;
        }
        next
    }

    /// Leaves the queue. With one timeout for all, the first in the queue leaves.
    pub(crate) fn abandon(&mut self, task: u32) {
        if let Some(at) = self.queue.iter().position(|&waiting| waiting == task) {
            self.queue.remove(at);
        }
    }

    /// Slots in use.
    pub(crate) fn taken(&self) -> u32 {
        self.taken
    }

    /// Slots in all.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Tasks in the queue.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_pass_to_waiters_in_order() {
        let mut slots = Slots::new(2);
        assert!(slots.acquire(1) && slots.acquire(2));
        assert!(!slots.acquire(3) && !slots.acquire(4) && !slots.acquire(5));
        slots.abandon(4);
        assert_eq!(slots.release(), Some(3));
        assert_eq!(slots.release(), Some(5));
        assert_eq!((slots.taken(), slots.waiting()), (2, 0));
        assert_eq!((slots.release(), slots.release()), (None, None));
        assert_eq!(slots.taken(), 0);
    }

    #[test]
    fn a_newcomer_does_not_overtake() {
        let mut slots = Slots::new(1);
        assert!(slots.acquire(1));
        assert!(!slots.acquire(2));
        assert_eq!(slots.release(), Some(2));
        assert!(!slots.acquire(3), "the slot went to 2");
    }
}
