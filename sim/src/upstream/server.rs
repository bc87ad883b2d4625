//! An upstream that works on so many calls at a time.
//!
//! A call that it has taken on is worked on to its end, also if the service has given up by then: no
//! server of an upstream sees that in the middle of its work.

use std::collections::VecDeque;

use model::scenario::Upstream;
use model::units::Span;

/// A call, and how long it takes once it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) task: u32,
    /// The task waits for it as long as it has this ticket.
    pub(super) ticket: u32,
    pub(super) latency: Span,
}

/// What became of a call that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Begins,
    Queued,
    Refused,
}

/// Its servers and its queue.
#[derive(Debug)]
pub(crate) struct Server {
    capacity: u32,
    /// Places in the queue; none if there is no limit.
    places: Option<u32>,
    busy: u32,
    queue: VecDeque<Job>,
}

impl Server {
    /// That of `upstream`; none if it takes on all that come.
    pub(crate) fn of(upstream: &Upstream) -> Option<Server> {
        let capacity = upstream.capacity?;
        Some(Server { capacity, places: upstream.queue, busy: 0, queue: VecDeque::new() })
    }

    pub(super) fn take(&mut self, job: Job) -> Taken {
        if self.busy < self.capacity {
            self.busy += 1;
            return Taken::Begins;
        }
        if self.places.is_some_and(|places| self.queue.len() as u64 >= u64::from(places)) {
            return Taken::Refused;
        }
        self.queue.push_back(job);
        Taken::Queued
    }

    /// A call is done; the next one of the queue begins.
    pub(super) fn done(&mut self) -> Option<Job> {
        let next = self.queue.pop_front();
        self.busy -= u32::from(next.is_none());
        next
    }
}
