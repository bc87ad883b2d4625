//! The agenda: what happens next, ordered by time and then by sequence.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use model::units::Instant;

/// The place of an event in the total order: time first, then the order of scheduling.
///
/// Both in one number, time above, so that comparing needs no branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due(u128);

impl Due {
    /// After everything.
    pub const NEVER: Due = Due(u128::MAX);

    /// At `at`; `sequence` breaks ties.
    #[inline]
    pub fn new(at: Instant, sequence: u64) -> Due {
        Due(u128::from(at.nanos()) << 64 | u128::from(sequence))
    }

    /// The same place in the order of its instant, at `limit` if that is earlier.
    pub fn no_later_than(self, limit: Instant) -> Due {
        if limit < self.at() { Due::new(limit, self.0 as u64) } else { self }
    }

    /// When it happens.
    #[inline]
    pub fn at(self) -> Instant {
        Instant::from_nanos((self.0 >> 64) as u64)
    }
}

/// Future events of type `E`.
#[derive(Debug)]
pub struct Agenda<E> {
    heap: BinaryHeap<Entry<E>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<E> {
    due: Due,
    event: E,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Agenda::new()
    }
}

impl<E> Agenda<E> {
    /// An empty agenda.
    pub fn new() -> Agenda<E> {
        Agenda { heap: BinaryHeap::new(), sequence: 0 }
    }

    /// The next number of the sequence, for timers that are kept elsewhere.
    pub fn ticket(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Schedules `event`. Nothing is kept for [`Instant::NEVER`].
    pub fn push(&mut self, at: Instant, event: E) {
        let sequence = self.ticket();
        if at != Instant::NEVER {
            self.heap.push(Entry { due: Due::new(at, sequence), event });
        }
    }

    /// Forgets the events that are not to be kept.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        self.heap.retain(|entry| keep(&entry.event));
    }

    /// Takes out the events that are `wanted`, in their order.
    pub(crate) fn take(&mut self, wanted: impl Fn(&E) -> bool) -> Vec<(Instant, E)> {
        let all = std::mem::take(&mut self.heap).into_vec();
        let (mut taken, kept): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|entry| wanted(&entry.event));
        self.heap = kept.into();
        taken.sort_unstable_by_key(|entry| entry.due);
        taken.into_iter().map(|entry| (entry.due.at(), entry.event)).collect()
    }

    /// When the next event is due.
    pub fn next_due(&self) -> Due {
        self.heap.peek().map_or(Due::NEVER, |entry| entry.due)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.heap.pop().map(|entry| (entry.due.at(), entry.event))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    /// Reversed: the heap keeps the greatest on top, the agenda wants the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

/// Timers that are never worth compacting away.
const SLACK: usize = 64;

/// Timers that all last equally long: they end in the order in which they began, so a
/// queue serves where a heap would sort what is sorted.
#[derive(Debug)]
pub(crate) struct Deadlines<T> {
    queue: VecDeque<(Due, T)>,
    /// When the first ends: asked for at every event, changed less often.
    front: Due,
}

impl<T: Copy> Default for Deadlines<T> {
    fn default() -> Self {
        Deadlines::new()
    }
}

impl<T: Copy> Deadlines<T> {
    /// No timers.
    pub(crate) fn new() -> Deadlines<T> {
        Deadlines { queue: VecDeque::new(), front: Due::NEVER }
    }

    /// Starts a timer. Its end is never before that of an earlier one.
    pub(crate) fn push(&mut self, due: Due, timer: T) {
        debug_assert!(self.queue.back().is_none_or(|(last, _)| *last < due));
        self.queue.push_back((due, timer));
        self.look();
    }

    /// Drops timers from the front that are not `live` any more.
    pub(crate) fn drop_dead(&mut self, live: impl Fn(T) -> bool) {
        while self.queue.front().is_some_and(|&(_, timer)| !live(timer)) {
            self.queue.pop_front();
        }
        self.look();
    }

    /// Drops all that are not `live` if there are many more timers than the `most` that can
    /// be: one that lives long would otherwise keep all that died behind it.
    pub(crate) fn compact(&mut self, most: usize, live: impl Fn(T) -> bool) {
        if self.queue.len() > 2 * most + SLACK {
            self.queue.retain(|&(_, timer)| live(timer));
            self.look();
        }
    }

    /// When the first timer ends.
    #[inline]
    pub(crate) fn front(&self) -> Due {
        self.front
    }

    /// Takes the first timer.
    pub(crate) fn pop(&mut self) -> Option<(Instant, T)> {
        let first = self.queue.pop_front().map(|(due, timer)| (due.at(), timer));
        self.look();
        first
    }

    fn look(&mut self) {
        self.front = self.queue.front().map_or(Due::NEVER, |&(due, _)| due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_leave_by_time_and_then_in_the_order_they_came() {
        let mut agenda = Agenda::new();
        let at = Instant::from_nanos;
        for (time, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b"), (u64::MAX, "never")] {
            agenda.push(at(time), name);
        }
        let order: Vec<_> = std::iter::from_fn(|| agenda.pop()).collect();
        assert_eq!(order, [(at(1), "a"), (at(1), "b"), (at(5), "c"), (at(5), "d")]);
        assert_eq!(agenda.next_due(), Due::NEVER);
    }

    #[test]
    fn dead_timers_are_dropped_from_the_front() {
        let mut timers = Deadlines::new();
        for n in 1..=3 {
            timers.push(Due::new(Instant::from_nanos(n), n), n);
        }
        timers.drop_dead(|n| n > 2);
        timers.compact(0, |_| false);
        assert_eq!(timers.front().at(), Instant::from_nanos(3));
        assert_eq!(timers.pop(), Some((Instant::from_nanos(3), 3)));
        assert_eq!(timers.front(), Due::NEVER);
        for n in 1..=100 {
            timers.push(Due::new(Instant::from_nanos(n), n), n);
        }
        timers.compact(2, |n| n == 1 || n == 100);
        assert_eq!([timers.pop(), timers.pop()].map(|t| t.map(|(_, n)| n)), [Some(1), Some(100)]);
    }
}
