//! Retries of clients, alike for a prediction and a measurement: whether there is one, and when.

use crate::distribution::unit_interval;
use crate::failure::ErrorKind;
use crate::scenario::{Jitter, Retry};
use crate::stream::{Draws, Purpose};
use crate::units::Span;
use crate::workload::RequestKey;

/// What a retry budget looks back on, in seconds: Finagle's default (`RetryBudget.scala`, `ttl`).
const WINDOW: usize = 10;

/// Whether a request that was not answered well is sent again, and what that has come to so far.
#[derive(Clone, Debug)]
pub struct Retries {
    rule: Retry,
    budget: Option<Budget>,
    jitter: Purpose,
}

/// A request of which an attempt has failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// The key of its first attempt.
    pub key: RequestKey,
    /// Number of the attempt, from 0.
    pub attempt: u32,
    /// Why it failed.
    pub kind: ErrorKind,
    /// When the first attempt was due, since the load began.
    pub first: Span,
    /// Now, since the load began.
    pub now: Span,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, after this pause.
    Retry(Span),
    /// None: it is not to be retried, or has been often or long enough.
    End,
    /// None, for want of budget.
    Refused,
}

impl Retries {
    /// No request so far.
    pub fn new(seed: u64, rule: &Retry) -> Retries {
        let floor = rule.retry_floor.unwrap_or(0.0);
        Retries {
            rule: rule.clone(),
            budget: rule.retry_budget.map(|share| Budget::new(share, floor)),
            jitter: Purpose::new(seed, "retry"),
        }
    }

    /// A request is sent for the first time.
    pub fn request(&mut self, now: Span) {
        if let Some(budget) = &mut self.budget {
            budget.request(now);
        }
    }

    /// An attempt has failed.
    pub fn next(&mut self, draws: &mut Draws, failed: Failed) -> Next {
        let Failed { key, attempt, kind, first, now } = failed;
        if attempt >= self.rule.retries || !self.rule.covers(kind) {
            return Next::End;
        }
        let pause = self.pause(draws, key, attempt);
        let late = |give_up: Span| now.saturating_add(pause) >= first.saturating_add(give_up);
        if self.rule.give_up.is_some_and(late) {
            return Next::End;
        }
        let allowed = self.budget.as_mut().is_none_or(|budget| budget.retry(now));
        if allowed { Next::Retry(pause) } else { Next::Refused }
    }

    fn pause(&self, draws: &mut Draws, key: RequestKey, attempt: u32) -> Span {
        let most = self.rule.pause_after(attempt);
        match self.rule.jitter {
            Jitter::None => most,
            Jitter::Full => {
                let RequestKey { lane, index } = key.attempt(attempt);
                most.scale(unit_interval(draws.draw(&self.jitter, lane, index)))
            }
        }
    }
}

/// A retry budget of all clients together: in the last ten seconds, no more retries than a share
/// of the requests and a floor per second, as Finagle's.
///
/// Kept by whole seconds, as Finagle keeps a tenth of its window.
#[derive(Clone, Debug)]
struct Budget {
    share: f64,
    floor: f64,
    /// Requests and retries by second.
    seconds: [(u64, u64); WINDOW],
    /// The latest second.
    now: u64,
}

impl Budget {
    fn new(share: f64, floor: f64) -> Budget {
        Budget { share, floor, seconds: [(0, 0); WINDOW], now: 0 }
    }

    fn request(&mut self, now: Span) {
        self.at(now).0 += 1;
    }

    /// Takes the right to a retry, if there is one.
    fn retry(&mut self, now: Span) -> bool {
        self.at(now);
        let (requests, retries) =
            self.seconds.iter().fold((0, 0), |sum, second| (sum.0 + second.0, sum.1 + second.1));
        let most = self.share * requests as f64 + self.floor * WINDOW as f64;
        let room = (retries + 1) as f64 <= most;
        self.at(now).1 += u64::from(room);
        room
    }

    /// The counts of the second in which `now` is.
    fn at(&mut self, now: Span) -> &mut (u64, u64) {
        let second = now.nanos() / Span::from_secs(1).nanos();
        for passed in (self.now..second).take(WINDOW) {
            // The next second takes the place of the one ten seconds before it.
            self.seconds[(passed + 1) as usize % WINDOW] = (0, 0);
        }
        self.now = self.now.max(second);
        &mut self.seconds[self.now as usize % WINDOW]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_and_a_floor_over_ten_seconds() {
        let at = Span::from_millis;
        let mut budget = Budget::new(0.2, 1.0);
        (0..50).for_each(|_| budget.request(at(500)));
        // A fifth of 50, and 1/s for ten seconds.
        assert_eq!((0..100).filter(|_| budget.retry(at(900))).count(), 20);
        assert!(!budget.retry(at(9_999)));
        (0..5).for_each(|_| budget.request(at(9_999)));
        assert_eq!((0..100).filter(|_| budget.retry(at(9_999))).count(), 1);
        // The first second is no longer of the last ten: 5 requests and 1 retry are left.
        assert_eq!((0..100).filter(|_| budget.retry(at(10_000))).count(), 10);
        assert_eq!((0..100).filter(|_| budget.retry(at(100_000))).count(), 10);
    }
}
