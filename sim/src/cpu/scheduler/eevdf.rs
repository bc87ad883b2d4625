//! Earliest eligible virtual deadline first: Linux from 6.6 on.
//!
//! A thread is *eligible* if it has got no more than the mean of all. Of those the one runs whose virtual
//! deadline is first: its virtual time plus a slice, at the time of its request. What a thread is owed
//! when it falls asleep, its *lag*, it has when it wakes up.

use model::units::{Instant, Span};

use super::Ticks;
use super::entity::{Entity, State};
use super::fair::Fair;

#[derive(Clone, Copy, Debug)]
pub(super) struct Eevdf {
    /// Nanoseconds of a request.
    slice: i64,
    /// What a thread is owed, or owes, at most.
    most: i64,
}

impl Eevdf {
    pub(super) fn new(slice: Span, tick: Span) -> Eevdf {
        let slice = slice.nanos() as i64;
        Eevdf { slice, most: (2 * slice).max(tick.nanos() as i64) }
    }

    /// Renews the request of a thread that has run since it was charged last, at each tick at which the
    /// kernel saw that it was served (`update_deadline`).
    pub(super) fn renew(self, entity: &mut Entity, ticks: Ticks, now: Instant) {
        let at = |entity: &Entity, virtual_time: i64| {
            entity.since + Span::from_nanos((virtual_time - entity.virtual_time).max(0) as u64)
        };
        loop {
            let tick = ticks.not_before(at(entity, entity.deadline));
            if now <= entity.since || tick >= now {
                return;
            }
            let then = entity.virtual_time + (tick - entity.since).nanos() as i64;
            entity.deadline = then + self.slice;
        }
    }

    /// Its request is served: it makes a new one. The kernel looks then who is next.
    pub(super) fn is_served(self, entity: &mut Entity) -> bool {
        let served = entity.virtual_time >= entity.deadline;
        if served {
            entity.deadline = entity.virtual_time + self.slice;
        }
        served
    }

    /// What a thread is owed by a queue with this `mean` (`entity_lag`): at most two slices, or a tick.
    pub(super) fn lag(self, entity: &Entity, mean: i64) -> i64 {
        (mean - entity.virtual_time).clamp(-self.most, self.most)
    }

    /// `thread` as it comes into the queue (`place_entity`): so far behind the mean as it is owed, when
    /// it is in the mean itself. A new thread asks for half a slice first.
    pub(super) fn place(self, fair: &Fair, thread: u32) -> Entity {
        let entity = *fair.entity(thread);
        let count = fair.count();
        let is_new = entity.state == State::New;
        let lag = match count {
            0 => 0,
            count => entity.lag * (count + 1) / count,
        };
        let virtual_time = fair.mean() - if is_new { 0 } else { lag };
        let request = if is_new { self.slice / 2 } else { self.slice };
        let deadline = virtual_time + request;
        Entity { state: State::Ready, virtual_time, deadline, ..entity }
    }

    /// The one in the queue that is next on a free core.
    pub(super) fn first(self, fair: &Fair) -> Option<u32> {
        // With several cores all in the queue may have got more than those that run.
        self.eligible(fair).or_else(|| earliest(fair, |_| true))
    }

    fn eligible(self, fair: &Fair) -> Option<u32> {
        earliest(fair, |entity| fair.is_eligible(entity.virtual_time))
    }

    /// It runs to its deadline, or to parity: until it has got more than the mean.
    pub(super) fn is_protected(self, entity: &Entity) -> bool {
        entity.virtual_time < entity.protected
    }

    /// The one that runs in place of the `running` thread (`pick_eevdf`).
    pub(super) fn beats(self, fair: &Fair, running: u32) -> Option<u32> {
        let entity = fair.entity(running);
        let may = fair.is_eligible(entity.virtual_time);
        if may && self.is_protected(entity) {
            return None;
        }
        let best = self.eligible(fair)?;
        (!may || fair.entity(best).deadline <= entity.deadline).then_some(best)
    }

    /// The tick at which the kernel looks at the turn of a running thread: when it is served, or at every
    /// one if it is not protected.
    pub(super) fn looks(self, entity: &Entity, ticks: Ticks, now: Instant) -> Instant {
        let until = match ticks.interval.is_zero() {
            true => entity.deadline,
            false => entity.protected.min(entity.deadline),
        };
        let left = Span::from_nanos((until - entity.virtual_time).max(0) as u64);
        ticks.not_before(entity.since.max(now) + left.max(Span::from_nanos(1)))
    }
}

/// The one of the queue that `may` run and has the earliest deadline; of several, the one that came
/// first.
fn earliest(fair: &Fair, may: impl Fn(&Entity) -> bool) -> Option<u32> {
    let those = fair.queued.iter().copied().filter(|&thread| may(fair.entity(thread)));
    those.min_by_key(|&thread| fair.entity(thread).deadline)
}
