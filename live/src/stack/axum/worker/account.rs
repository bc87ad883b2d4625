//! Where a request's time goes, place by place, without a gap.

use model::place::{self, Place};

use crate::clock;
use crate::wire::Times;

/// The account of one request or of one branch of it.
///
/// Time is booked as it passes: each entry begins where the last one ended, so that the
/// parts add up to the whole by construction.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Nanoseconds by place.
    parts: Vec<u64>,
    /// Up to here all time is booked.
    since: u64,
}

impl Account {
    /// An account that begins at `since`, with room for `places`.
    pub(super) fn new(places: usize, since: u64) -> Account {
        Account { parts: vec![0; places], since }
    }

    /// Up to where all time is booked.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// Books all time up to now.
    pub(super) fn lap(&mut self, place: Place) -> u64 {
        let now = clock::now();
        self.until(now, place)
    }

    /// Books the time up to `at`, if there is any. Returns how much that was.
    pub(super) fn until(&mut self, at: u64, place: Place) -> u64 {
        let nanos = at.saturating_sub(self.since);
        self.spend(place, nanos);
        nanos
    }

    /// Books the next `nanos`.
    pub(super) fn spend(&mut self, place: Place, nanos: u64) {
        self.parts[place.index()] += nanos;
        self.since += nanos;
    }

    /// Takes over the account of a branch, which began where this one stands.
    pub(super) fn join(&mut self, branch: &Account) {
        for (part, more) in self.parts.iter_mut().zip(&branch.parts) {
            *part += more;
        }
        self.since = branch.since;
    }

    /// The account as it travels to the client.
    pub(super) fn times(&self) -> Times {
        let parts = self.parts.iter().enumerate().filter(|(_, nanos)| **nanos > 0);
        let parts = parts.map(|(place, nanos)| (Place::new(place as u16), *nanos)).collect();
        Times { done: self.since, parts }
    }

    /// Books a stretch of computing up to now: what the thread did not compute, it spent
    /// without a processor. Returns both, in nanoseconds.
    pub(super) fn compute(&mut self, cpu: u64) -> (u64, u64) {
        let elapsed = clock::now().saturating_sub(self.since);
        let cpu = cpu.min(elapsed);
        self.spend(place::CPU, cpu);
        self.spend(place::CPU_WAIT, elapsed - cpu);
        (cpu, elapsed - cpu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let begin = clock::now();
        let mut account = Account::new(20, begin);
        account.lap(place::LOOP);
        account.compute(10);
        account.spend(place::SLEEP, 1_000);
        let mut branch = Account::new(20, account.since());
        branch.spend(place::DISK, 77);
        account.join(&branch);
        account.until(account.since() + 5, place::LOCK);
        // What lies before is not booked again.
        assert_eq!(account.until(begin, place::LOCK), 0);
        let times = account.times();
        assert_eq!(times.parts.iter().map(|(_, nanos)| nanos).sum::<u64>(), times.done - begin);
        assert!(times.parts.contains(&(place::DISK, 77)));
    }
}
