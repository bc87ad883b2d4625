//! The completely fair scheduler: Linux before 6.6.
//!
//! The thread with the least virtual time runs, for its part of a period in which each ready thread is to
//! run once. A thread that wakes up is placed a little before the others, and takes the core if the
//! running thread has got more than it by the granularity of wake-ups.

use model::units::{Instant, Span};

use super::Ticks;
use super::entity::{Entity, State};
use super::fair::Fair;

/// Shortest turns in a period (`sched_nr_latency`): more threads make it longer.
const IN_A_PERIOD: i64 = 8;

/// Nanoseconds. `sysctl_sched_min_granularity` is 0.75 ms, and `sysctl_sched_latency` 6 ms and
/// `sysctl_sched_wakeup_granularity` 1 ms, all scaled by the same factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cfs {
    /// The shortest turn.
    least: i64,
}

impl Cfs {
    pub(super) fn new(least: Span) -> Cfs {
        Cfs { least: least.nanos() as i64 }
    }

    fn latency(self) -> i64 {
        IN_A_PERIOD * self.least
    }

    /// How long a turn is among `count` threads (`sched_slice`).
    fn turn(self, count: i64) -> i64 {
        (self.latency() / count.max(1)).max(self.least)
    }

    /// `thread` as it comes into the queue (`place_entity`): a new one after all others have had a turn,
    /// one that has slept half a period before them, or where it was if that is later.
    pub(super) fn place(self, fair: &Fair, thread: u32) -> Entity {
        let entity = *fair.entity(thread);
        let virtual_time = match entity.state {
            State::New => fair.floor + self.turn(fair.count() + 1),
            _ => entity.virtual_time.max(fair.floor - self.latency() / 2),
        };
        Entity { state: State::Ready, virtual_time, ..entity }
    }

    /// The one that is next on a free core.
    pub(super) fn first(self, fair: &Fair) -> Option<u32> {
        fair.queued.iter().copied().min_by_key(|&thread| fair.entity(thread).virtual_time)
    }

    /// `woken` takes the core of `running` (`wakeup_preempt_entity`).
    pub(super) fn takes_over(self, fair: &Fair, woken: u32, running: u32) -> bool {
        let [woken, running] = [woken, running].map(|thread| fair.entity(thread).virtual_time);
        running - woken > self.least * 4 / 3
    }

    /// The one that runs in place of `running` if its turn `ends` or is over (`check_preempt_tick`).
    pub(super) fn beats(self, fair: &Fair, running: u32, now: Instant, ends: bool) -> Option<u32> {
        let entity = fair.entity(running);
        let first = self.first(fair)?;
        let behind = entity.virtual_time - fair.entity(first).virtual_time;
        let ran = (now.max(entity.began) - entity.began).nanos() as i64;
        let turn = self.turn(fair.count());
        let over = ran > turn || (ran >= self.least && behind > turn);
        (behind > 0 && (ends || over)).then_some(first)
    }

    /// The kernel looks at every tick, or, where it looks at every moment, at the end of the turn.
    pub(super) fn looks(self, entity: &Entity, ticks: Ticks, now: Instant, count: i64) -> Instant {
        if !ticks.interval.is_zero() {
            return ticks.not_before(now.max(entity.since) + Span::from_nanos(1));
        }
        let end = entity.began + Span::from_nanos(self.turn(count) as u64 + 1);
        // One that has got less than all others runs on: it is looked at after the shortest turn again.
        if end > now { end } else { now + Span::from_nanos(self.least as u64) }
    }
}
