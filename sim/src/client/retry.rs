//! Retries: what a client does about a request that was not answered well.

use model::place;
use model::retry::{Failed, Next};
use model::units::{Instant, Span};

use super::Attempt;
use crate::engine::{Engine, Event, Record, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};

impl<T: Trace> Engine<'_, T> {
    /// Whether the client of `request`, which has failed, sends it again after a pause. The service
    /// goes on with what it has begun.
    pub(super) fn try_again(&mut self, request: u32, kind: ErrorKind) -> bool {
        if self.scenario().load.retry.retries == 0 {
            return false;
        }
        let entry = &self.requests[request];
        let (user, attempt) = (entry.user, entry.attempt);
        // The key of an attempt of the attempt is that of the request again.
        let (key, class, first) = (entry.key.attempt(attempt), entry.class, entry.first);
        let (now, since) = (self.now - Instant::START, first - Instant::START);
        let failed = Failed { key, attempt, kind, first: since, now };
        match self.retries.next(&mut self.draws, failed) {
            Next::End => false,
            Next::Refused => {
                self.seen.reach(Limit::RetryBudget);
                self.seen.client.refused += 1;
                false
            }
            Next::Retry(pause) => {
                self.seen.client.retries += 1;
                let next = Attempt { key, class, number: attempt + 1, first };
                self.users[user as usize].again = Some((next, self.now));
                self.seen.places[place::RETRY.index()].enter(self.now);
                self.agenda.push(self.now + pause, Event::Retry { user });
                true
            }
        }
    }

    /// The pause of `user` is over.
    pub(crate) fn send_again(&mut self, user: u32) {
        let Some((next, since)) = self.users[user as usize].again.take() else { return };
        self.seen.places[place::RETRY.index()].leave(self.now);
        let keep_alive = self.scenario().service.keep_alive;
        if self.now - since > keep_alive {
            self.end_connection(user, Via::Poll);
        }
        let (lane, index, attempt) = (next.key.lane, next.key.index, next.number);
        self.trace.record(self.now, Record::Retried { lane, index, attempt });
        self.attempt(user, next);
    }

    /// Users that pause before they send again.
    pub(crate) fn pauses(&self) -> u64 {
        self.users.iter().filter(|user| user.again.is_some()).count() as u64
    }

    /// How long the client of `request` waits for this attempt, if it waits for `patience`; and
    /// true if it gives up for good by then.
    pub(super) fn patience_left(&self, request: u32, patience: Option<Span>) -> (Span, bool) {
        let patience = patience.unwrap_or(Span::MAX);
        let Some(give_up) = self.scenario().load.retry.give_up else { return (patience, false) };
        let left = give_up.saturating_sub(self.now - self.requests[request].first);
        (left.min(patience), left < patience)
    }
}
