//! Where the time of one call of the database went.

use model::place;

use super::Handler;
use super::probe::{Farewell, Usage, Visit};
use crate::stack::axum::worker::waiting::{Hands, Mode, Waited};

/// SQLite's busy handler sleeps at least this long, in nanoseconds. What is shorter is no
/// wait for a lock.
const SHORTEST_SLEEP: u64 = 1_000_000;

/// What a call waits for while its thread neither computes nor waits for a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing that it asks for: the hand-over between the threads, a mutex whose holder
    /// has no processor.
    Nothing,
    /// A lock, however short.
    Lock,
    /// A lock, if it is as long as the busy handler sleeps.
    LockIfLong,
    /// The disk.
    Disk,
}

/// The parts of one call, in nanoseconds. They add up to the whole from its first poll to
/// the poll that returned its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Polling for a lock.
    pub(super) lock: u64,
    /// Computing.
    pub(super) cpu: u64,
    /// Ready, without a processor.
    pub(super) cpu_wait: u64,
    /// Waiting for the disk.
    pub(super) disk: u64,
    /// The result was there, but the future was not polled yet.
    pub(super) late: u64,
}

impl Account {
    /// All parts together.
    #[cfg(test)]
    pub(super) fn total(&self) -> u64 {
        self.lock + self.cpu + self.cpu_wait + self.disk + self.late
    }

    /// Books the parts; the lock's only if there is one or `locks`.
    pub(super) fn spend(&self, handler: &mut impl Handler, mode: Mode, locks: bool) {
        if locks || self.lock > 0 {
            handler.spend(place::LOCK, self.lock);
        }
        let parts = [
            (place::CPU, self.cpu),
            (place::CPU_WAIT, self.cpu_wait),
            (place::DISK, self.disk),
            (mode.late(), self.late),
        ];
        for (place, nanos) in parts.into_iter().filter(|(_, nanos)| *nanos > 0) {
            handler.spend(place, nanos);
        }
    }

    /// A call without a visit; its thread had used `before` and `after`.
    pub(super) fn of_call(
        waited: &Waited,
        before: Option<Usage>,
        after: Option<Usage>,
        rest: Rest,
    ) -> Account {
        let mut account = Account { late: waited.late(), ..Account::default() };
        account.stretch(waited.waited(), used(before, after), waited.hands, rest);
        account
    }

    /// A call with a `visit`: before it the lock was waited `ahead`, after it `behind`.
    pub(super) fn of_visit(
        waited: &Waited,
        before: Option<Usage>,
        visit: &Visit,
        after: Option<Usage>,
        (ahead, behind): (Rest, Rest),
    ) -> Account {
        // A result is sent after the visit, but it may be seen before it wakes anybody.
        let entered = visit.entered.clamp(waited.from, waited.polled);
        let left = visit.left.clamp(entered, waited.polled);
        let woken = waited.woken.clamp(left, waited.polled);
        let mut account = Account { late: waited.polled - woken, ..Account::default() };
        let usage = used(before, Some(visit.before));
        account.stretch(entered - waited.from, usage, waited.hands, ahead);
        // In the visit it computes or would like to.
        let burnt = visit.burnt.min(left - entered);
        let delay = left - entered - burnt;
        account.cpu += burnt;
        account.cpu_wait += delay;
        let then = Usage { cpu: visit.before.cpu + burnt, delay: visit.before.delay + delay };
        account.stretch(woken - left, used(Some(then), after), Hands::default(), behind);
        account
    }

    /// The closing of a connection, whose thread said `farewell`.
    pub(super) fn of_close(
        waited: &Waited,
        before: Option<Usage>,
        farewell: Option<&Farewell>,
    ) -> Account {
        let mut account = Account { late: waited.late(), ..Account::default() };
        let after = farewell.map(|farewell| farewell.usage);
        let at = farewell.map_or(waited.woken, |farewell| farewell.at);
        let at = at.clamp(waited.from, waited.woken);
        account.stretch(at - waited.from, used(before, after), waited.hands, Rest::Disk);
        // The thread ends, and says so.
        account.cpu_wait += waited.woken - at;
        account
    }

    /// A stretch of `nanos` in which the connection's thread used `usage` and `hands` was
    /// the part of this side; the rest was a wait. Both sides may overlap: what they took
    /// is no wait in any case.
    fn stretch(&mut self, nanos: u64, usage: Usage, hands: Hands, rest: Rest) {
        let mut left = nanos;
        let mut take = |part: u64| {
            let taken = part.min(left);
            left -= taken;
            taken
        };
        self.cpu += take(usage.cpu);
        self.cpu_wait += take(usage.delay);
        self.cpu += take(hands.cpu);
        self.cpu_wait += take(hands.stalled);
        self.late += take(hands.late);
        match rest {
            Rest::Lock => self.lock += left,
            Rest::LockIfLong if left >= SHORTEST_SLEEP => self.lock += left,
            Rest::Disk => self.disk += left,
            Rest::Nothing | Rest::LockIfLong => self.cpu_wait += left,
        }
    }
}

/// What was used between two readings; nothing if one is missing.
fn used(before: Option<Usage>, after: Option<Usage>) -> Usage {
    let (Some(before), Some(after)) = (before, after) else { return Usage::default() };
    Usage {
        cpu: after.cpu.saturating_sub(before.cpu),
        delay: after.delay.saturating_sub(before.delay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const NONE: Hands = Hands { cpu: 0, stalled: 0, late: 0 };

    fn usage(cpu: u64, delay: u64) -> Option<Usage> {
        Some(Usage { cpu, delay })
    }

    #[test]
    fn a_statement_waits_for_lock_processor_disk_and_loop() {
        let waited = Waited { from: 0, woken: 70 * MS, polled: 80 * MS, hands: NONE };
        let visit = Visit {
            entered: 30 * MS,
            left: 50 * MS,
            burnt: 15 * MS,
            before: Usage { cpu: 101 * MS, delay: 204 * MS },
        };
        let after = usage(119 * MS, 213 * MS);
        let rests = (Rest::LockIfLong, Rest::Disk);
        let account = Account::of_visit(&waited, usage(100 * MS, 200 * MS), &visit, after, rests);
        let expected = Account {
            lock: 25 * MS,              // 30 without 1 computing and 4 without a processor
            cpu: (1 + 15 + 3) * MS,     // before, burnt, after
            cpu_wait: (4 + 5 + 4) * MS, // before, in the visit, after
            disk: (20 - 3 - 4) * MS,    // after the visit
            late: 10 * MS,
        };
        assert_eq!(account, expected);
        assert_eq!(account.total(), waited.polled - waited.from);
    }

    #[test]
    fn a_rest_below_the_shortest_sleep_is_no_lock() {
        let waited = Waited { from: 0, woken: MS - 1, polled: MS, hands: NONE };
        let account = Account::of_call(&waited, None, None, Rest::LockIfLong);
        assert_eq!((account.lock, account.cpu_wait, account.late), (0, MS - 1, 1));
        let account = Account::of_call(&waited, None, None, Rest::Lock);
        assert_eq!((account.lock, account.cpu_wait, account.late), (MS - 1, 0, 1));
    }

    #[test]
    fn what_this_side_took_is_no_lock() {
        let hands = Hands { cpu: 2 * MS, stalled: 30 * MS, late: 7 * MS };
        let waited = Waited { from: 0, woken: 40 * MS, polled: 41 * MS, hands };
        let account = Account::of_call(&waited, usage(0, 0), usage(MS, 0), Rest::LockIfLong);
        let expected = Account { lock: 0, cpu: 3 * MS, cpu_wait: 30 * MS, disk: 0, late: 8 * MS };
        assert_eq!(account, expected);
    }

    #[test]
    fn the_parts_add_up_whatever_the_readings_say() {
        let hands = Hands { cpu: 9, stalled: 11, late: 13 };
        let waited = Waited { from: 10, woken: 50, polled: 60, hands };
        let readings = [None, usage(0, 0), usage(1_000, 1_000), usage(5, 3), usage(0, 9)];
        for (entered, left) in [(0, 0), (20, 30), (30, 55), (70, 90), (5, 100)] {
            for before in readings {
                for after in readings {
                    let visit =
                        Visit { entered, left, burnt: 7, before: before.unwrap_or_default() };
                    let rests = (Rest::Lock, Rest::Disk);
                    let farewell = Farewell { at: left, usage: visit.before };
                    for account in [
                        Account::of_visit(&waited, before, &visit, after, rests),
                        Account::of_call(&waited, before, after, Rest::Disk),
                        Account::of_close(&waited, before, Some(&farewell)),
                        Account::of_close(&waited, before, None),
                    ] {
                        assert_eq!(account.total(), 50, "{visit:?} {before:?} {after:?}");
                    }
                }
            }
        }
    }
}
