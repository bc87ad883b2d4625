//! The run second by second.

use std::sync::mpsc::Sender;

use hdrhistogram::Histogram;
use model::failure::ErrorKind;
use model::place::Place;
use model::units::NANOS_PER_SECOND;

use super::Event;
use super::tally::{LoadSecond, Second};
use crate::times;

/// The seconds that are over, and the one that is not.
#[derive(Debug)]
pub(super) struct Series {
    past: Vec<Second>,
    present: Second,
    times: Histogram<u64>,
    /// Good answers of the present second, by class.
    good: Vec<u64>,
    /// Its errors by kind.
    errors: [u64; ErrorKind::ALL.len()],
    /// Where the time of its answers went, by place.
    time: Vec<u64>,
    /// When the present second began.
    began: u64,
    events: Sender<Event>,
}

impl Series {
    pub(super) fn new(start: u64, classes: usize, places: usize, events: Sender<Event>) -> Series {
        Series {
            past: Vec::new(),
            present: second(0),
            times: times::histogram(),
            good: vec![0; classes],
            errors: Default::default(),
            time: vec![0; places],
            began: start,
            events,
        }
    }

    /// When the present second ends.
    pub(super) fn ends(&self) -> u64 {
        self.began + NANOS_PER_SECOND
    }

    pub(super) fn sent(&mut self) {
        self.present.sent += 1;
    }

    pub(super) fn dropped(&mut self) {
        self.present.dropped += 1;
    }

    pub(super) fn good(&mut self, class: usize, response_time: u64) {
        self.present.good += 1;
        self.good[class] += 1;
        self.times.saturating_record(response_time);
    }

    /// A good answer was at `place` for so long.
    pub(super) fn spent(&mut self, place: Place, nanos: u64) {
        self.time[place.index()] += nanos;
    }

    pub(super) fn error(&mut self, kind: ErrorKind) {
        self.present.errors += 1;
        self.errors[kind as usize] += 1;
    }

    /// Ends the present second at `now`, or before if it is over by then.
    pub(super) fn end_second(&mut self, now: u64, in_flight: u64) {
        let end = now.min(self.ends());
        self.present.length = end - self.began;
        self.present.in_flight = in_flight;
        self.present.p50 = self.times.value_at_quantile(0.5);
        self.present.p99 = self.times.value_at_quantile(0.99);
        let next = second(self.present.index + 1);
        let present = std::mem::replace(&mut self.present, next);
        let times = std::mem::replace(&mut self.times, times::histogram());
        let none = vec![0; self.good.len()];
        let good = std::mem::replace(&mut self.good, none);
        let errors = std::mem::take(&mut self.errors);
        let nowhere = vec![0; self.time.len()];
        let time = std::mem::replace(&mut self.time, nowhere);
        self.past.push(present);
        self.began = end;
        let told = LoadSecond { second: present, times, good, errors, time };
        // If the receiver is gone, the tally still has the seconds.
        let _ = self.events.send(Event::Second(Box::new(told)));
    }

    /// The seconds up to `end`, the one that it cuts short included.
    pub(super) fn finish(mut self, end: u64, in_flight: u64) -> Vec<Second> {
        if self.began < end {
            self.end_second(end, in_flight);
        }
        self.past
    }
}

fn second(index: u64) -> Second {
    Second {
        index,
        length: 0,
        sent: 0,
        dropped: 0,
        good: 0,
        errors: 0,
        p50: 0,
        p99: 0,
        in_flight: 0,
    }
}
