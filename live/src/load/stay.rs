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
            _ => match stay.parts(times, self.time.len()) {
                Some(parts) => {
                    self.timed += 1;
                    for (place, nanos) in parts {
                        self.time[place.index()] += u128::from(nanos);
                    }
                }
                None => self.malformed += 1,
            },
        }
    }
}

impl Stay {
    /// Where the time went if the service said so in `times`, which adds up; there are so many
    /// `places`.
    pub(super) fn parts(
        self,
        times: &Stamp,
        places: usize,
    ) -> Option<impl Iterator<Item = (Place, u64)>> {
        let Stamp::Times(times) = times else { return None };
        if !add_up(self, times, places) {
            return None;
        }
        let outside = [
            (place::RETRY, self.due - self.intended),
            (place::CONNECT, self.sent - self.due),
            (place::REPLY, self.received - times.done),
        ];
        Some(outside.into_iter().chain(times.parts.iter().copied()))
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
