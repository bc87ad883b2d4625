//! A good answer: how long it took, and where the time went.

use model::place::{self, Place};

use super::reply::Stamp;
use super::tally::ClassTally;
use crate::wire::Times;

/// The instants of a good answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    pub(super) intended: u64,
    /// When the attempt that was answered was due.
    pub(super) due: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl ClassTally {
    /// Counts a good answer, wherever its time went.
    pub(super) fn count(&mut self, response_time: u64) {
        self.good += 1;
        self.sum += u128::from(response_time);
        self.max = self.max.max(response_time);
        self.response_times.saturating_record(response_time);
    }

    /// Counts a good answer, whose service said `times`.
    pub(super) fn record(&mut self, stay: Stay, times: &Stamp) {
        self.count(stay.received - stay.intended);
        match times {
            Stamp::Absent => self.untimed += 1,
            Stamp::Times(times) if add_up(stay, times, self.time.len()) => {
                self.timed += 1;
                let mut add = |place: Place, nanos: u64| {
                    self.time[place.index()] += u128::from(nanos);
                };
                add(place::RETRY, stay.due - stay.intended);
                add(place::CONNECT, stay.sent - stay.due);
                times.parts.iter().for_each(|&(place, nanos)| add(place, nanos));
                add(place::REPLY, stay.received - times.done);
            }
            Stamp::Times(_) | Stamp::Malformed => self.malformed += 1,
        }
    }
}

/// The parts are at places that there are, and are the time from `sent` to `done`.
fn add_up(stay: Stay, times: &Times, places: usize) -> bool {
    let known = times.parts.iter().all(|&(place, _)| place.index() < places);
    let sum: u128 = times.parts.iter().map(|&(_, nanos)| u128::from(nanos)).sum();
    known
        && (stay.sent..=stay.received).contains(&times.done)
        && sum == u128::from(times.done - stay.sent)
}
