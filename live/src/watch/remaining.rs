//! How long it still takes.

use super::message::Plan;

/// What a round takes beside its load until one has been seen: processes start, data are made,
/// and all is cleared away.
const AROUND: u64 = 1_000_000_000;

/// How far the rounds of a plan have come. Instants and times are in nanoseconds, on any clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Remaining {
    /// Rounds that have begun.
    begun: usize,
    /// When the present round began.
    since: u64,
    /// What rounds so far took beside their load, and how many those were.
    around: (u64, u64),
    /// Length of the present load, and when it began.
    load: Option<(u64, u64)>,
}

impl Remaining {
    /// A round begins at `now`.
    pub(super) fn begin(&mut self, now: u64) {
        if let Some((length, _)) = self.load.take() {
            self.around.0 += now.saturating_sub(self.since).saturating_sub(length);
            self.around.1 += 1;
        }
        (self.begun, self.since) = (self.begun + 1, now);
    }

    /// Its load begins at `now`, which lasts so long.
    pub(super) fn load(&mut self, length: u64, now: u64) {
        self.load = Some((length, now));
    }

    /// Rounds that have begun.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// Time of the present load that has passed at `now`; none before it begins.
    pub(super) fn passed(&self, now: u64) -> Option<u64> {
        self.load.map(|(length, since)| now.saturating_sub(since).min(length))
    }

    /// Time left of all rounds of `plan` at `now`, and the share of all that is over. The first is
    /// an estimate; both assume that nothing ends early.
    pub(super) fn left(&self, plan: &Plan, now: u64) -> (u64, f64) {
        let around = self.around.0.checked_div(self.around.1).unwrap_or(AROUND);
        let lengths: Vec<u64> =
            plan.scenarios.iter().map(|one| one.warmup + one.duration + around).collect();
        let one_turn: u64 = lengths.iter().sum();
        let all = one_turn * u64::from(plan.rounds);
        let Some(before) = self.begun.checked_sub(1) else { return (all, 0.0) };
        let turns = (before / lengths.len().max(1)) as u64;
        let in_turn = before % lengths.len().max(1);
        let over = turns * one_turn + lengths[..in_turn].iter().sum::<u64>();
        let round = lengths.get(in_turn).copied().unwrap_or(0);
        let here = match self.load {
            // What comes after the load is left at its end.
            Some((length, since)) => {
                let before = since.saturating_sub(self.since);
                before.min(around) + now.saturating_sub(since).min(length)
            }
            None => now.saturating_sub(self.since).min(around),
        };
        let over = over + here.min(round);
        (all.saturating_sub(over), over as f64 / all.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::{SECOND, plan};

    #[test]
    fn what_is_left_shrinks_to_nothing() {
        // Two scenarios of 2 s and 10 s, three rounds, and a second around each.
        let (plan, mut remaining) = (plan(2, 3), Remaining::default());
        let left = |remaining: &Remaining, now: u64| remaining.left(&plan, now * SECOND).0 / SECOND;
        assert_eq!(left(&remaining, 0), 78);
        remaining.begin(0);
        assert_eq!(left(&remaining, 0), 78);
        remaining.load(12 * SECOND, SECOND / 2);
        assert_eq!(remaining.passed(5 * SECOND / 2), Some(2 * SECOND));
        assert_eq!(left(&remaining, 13), 65);
        // It took three seconds beside its load, and so will the others.
        remaining.begin(15 * SECOND);
        assert_eq!(left(&remaining, 15), 75);
        assert_eq!(remaining.passed(15 * SECOND), None);
        for round in 2..=5 {
            remaining.load(12 * SECOND, (15 * (round - 1) + 1) * SECOND);
            remaining.begin(15 * round * SECOND);
        }
        assert_eq!(remaining.begun(), 6);
        remaining.load(12 * SECOND, 76 * SECOND);
        let (left, share) = remaining.left(&plan, 1000 * SECOND);
        assert!(left <= 2 * SECOND && share > 0.97, "{left} {share}");
    }
}
