//! The counts: every request is entered when it is sent and struck out when it is settled.

use std::sync::mpsc::Sender;

use model::failure::ErrorKind;
use model::recovery::Aftermath;
use model::retry::Next;
use model::scenario::Load;
use model::units::Instant;
use slab::Slab;

use super::Event;
use super::reply::Stamp;
use super::series::Series;
use super::stay::Stay;
use super::tally::{Account, ClassTally, Connections, GroupTally, InFlight, Retried, Tally};
use crate::clock;
use crate::times;

/// When the load begins, counts and ends, on the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) start: u64,
    pub(super) open: u64,
    pub(super) close: u64,
}

impl Schedule {
    /// `instant` is in the window.
    fn counts(&self, instant: u64) -> bool {
        (self.open..self.close).contains(&instant)
    }
}

/// A request that is in flight.
#[derive(Debug)]
pub(super) struct Ticket {
    number: usize,
    load: usize,
    class: usize,
    /// When it should have been sent.
    pub(super) intended: u64,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct Entry {
    intended: u64,
    /// It has been sent. Until then its user was busy with other work.
    sent: bool,
}

/// How a request was settled.
#[derive(Debug)]
pub(super) enum Outcome<'a> {
    /// With a good answer, of an attempt that was due and has been sent at these instants.
    Good { due: u64, sent: u64, times: &'a Stamp },
    /// With an error.
    Error(ErrorKind),
}

/// The counts of one run.
///
/// The instant of an event decides to which part of the run it belongs. Each call first ends
/// the seconds and the window that are over by its instant, so that an event that is counted
/// late still belongs where it happened.
#[derive(Debug)]
pub(super) struct Ledger {
    schedule: Schedule,
    /// When the next second or the window begins or ends.
    turn: u64,
    opened: bool,
    closed: bool,
    in_flight: Slab<Entry>,
    connections_open: u64,
    series: Series,
    tally: Tally,
}

impl Ledger {
    pub(super) fn new(
        schedule: Schedule,
        classes: usize,
        loads: usize,
        places: usize,
        events: Sender<Event>,
    ) -> Ledger {
        let series = Series::new(schedule.start, classes, places, events);
        Ledger {
            schedule,
            turn: schedule.open.min(series.ends()),
            opened: false,
            closed: false,
            in_flight: Slab::new(),
            connections_open: 0,
            series,
            tally: Tally {
                started: schedule.start,
                opened: schedule.open,
                closed: schedule.close,
                interrupted: false,
                classes: (0..classes).map(|_| ClassTally::new(places)).collect(),
                groups: (0..if loads > 1 { loads } else { 0 })
                    .map(|_| GroupTally { answers: ClassTally::new(0), sent: 0, dropped: 0 })
                    .collect(),
                sent: 0,
                dropped: 0,
                in_flight: InFlight::default(),
                connections: Connections::default(),
                lateness: times::histogram(),
                retried: Retried::default(),
                aftermath: Aftermath::default(),
                cpu: 0,
                seconds: Vec::new(),
                whole: Account::default(),
            },
        }
    }

    /// The same, which sees whether the service recovers from a peak of `load`.
    pub(super) fn watching(mut self, load: &Load) -> Ledger {
        self.tally.aftermath = Aftermath::new(load);
        self
    }

    /// An instant of the run, since the load began.
    fn instant(&self, at: u64) -> Instant {
        Instant::from_nanos(at.saturating_sub(self.schedule.start))
    }

    /// A request of `load` and `class` begins that was intended at `intended`.
    pub(super) fn begin(&mut self, load: usize, class: usize, intended: u64, now: u64) -> Ticket {
        self.catch_up(now);
        self.tally.whole.sent += 1;
        self.tally.aftermath.came(self.instant(intended));
        self.series.sent();
        if self.schedule.counts(intended) {
            self.tally.sent += 1;
            if let Some(group) = self.tally.groups.get_mut(load) {
                group.sent += 1;
            }
        }
        // The generator was late: the request should have been in flight at that instant.
        if self.opened && intended < self.schedule.open {
            self.tally.in_flight.at_open += 1;
        }
        if self.closed && intended < self.schedule.close {
            self.tally.in_flight.at_close += 1;
        }
        let number = self.in_flight.insert(Entry { intended, sent: false });
        if self.opened && !self.closed {
            self.tally.in_flight.peak = self.tally.in_flight.peak.max(self.in_flight_now());
        }
        Ticket { number, load, class, intended }
    }

    /// The request of `ticket` is about to be sent.
    pub(super) fn send(&mut self, ticket: &Ticket, now: u64) {
        let intended = ticket.intended;
        self.in_flight[ticket.number].sent = true;
        self.send_again(now);
        self.record_lateness(intended, now);
    }

    /// An attempt is about to be sent.
    pub(super) fn send_again(&mut self, now: u64) {
        self.tally.retried.attempts += u64::from(self.schedule.counts(now));
    }

    /// An attempt has failed at `now`; `next` is what becomes of its request.
    pub(super) fn failed(&mut self, next: Next, now: u64) {
        let one = u64::from(self.schedule.counts(now));
        match next {
            Next::Retry(_) => self.tally.retried.retries += one,
            Next::Refused => self.tally.retried.refused += one,
            Next::End => {}
        }
    }

    fn record_lateness(&mut self, intended: u64, now: u64) {
        if self.schedule.counts(intended) {
            self.tally.lateness.saturating_record(now - intended);
        }
    }

    /// An arrival that was intended at `intended` found every user busy.
    pub(super) fn drop_arrival(&mut self, load: usize, intended: u64, now: u64) {
        self.catch_up(now);
        self.tally.whole.dropped += 1;
        self.series.dropped();
        if self.schedule.counts(intended) {
            self.tally.dropped += 1;
            if let Some(group) = self.tally.groups.get_mut(load) {
                group.dropped += 1;
            }
        }
    }

    /// The request of `ticket` was answered or has timed out.
    pub(super) fn settle(&mut self, ticket: Ticket, outcome: &Outcome, now: u64) {
        self.catch_up(now);
        let Ticket { number, load, class, intended } = ticket;
        self.in_flight.remove(number);
        self.tally.in_flight.area += u128::from(self.stay(intended, now));
        let good = matches!(outcome, Outcome::Good { .. });
        self.tally.aftermath.settled(self.instant(intended), good);
        let counts = self.schedule.counts(now);
        let counted = &mut self.tally.classes[class];
        let mut group = self.tally.groups.get_mut(load).filter(|_| counts);
        match *outcome {
            Outcome::Good { due, sent, times } => {
                let response_time = now - intended;
                self.tally.whole.good += 1;
                self.series.good(class, response_time);
                if let Some(group) = &mut group {
                    group.answers.count(response_time);
                }
                let stay = Stay { intended, due, sent, received: now };
                if counts {
                    counted.record(stay, times);
                }
                for (place, nanos) in stay.parts(times, counted.time.len()).into_iter().flatten() {
                    self.series.spent(place, nanos);
                }
            }
            Outcome::Error(kind) => {
                self.tally.whole.errors[kind as usize] += 1;
                self.series.error(kind);
                if let Some(group) = &mut group {
                    group.answers.errors[kind as usize] += 1;
                }
                if counts {
                    counted.errors[kind as usize] += 1;
                }
            }
        }
    }

    /// The last attempt of a request of `class` to a service of the user's own was answered with
    /// `status`.
    pub(super) fn answered(&mut self, class: usize, status: u16, now: u64) {
        if self.schedule.counts(now) {
            *self.tally.classes[class].statuses.entry(status).or_default() += 1;
        }
    }

    /// A connection was made.
    pub(super) fn connected(&mut self, again: bool) {
        let connections = &mut self.tally.connections;
        connections.made += 1;
        connections.remade += u64::from(again);
        self.connections_open += 1;
        connections.peak = connections.peak.max(self.connections_open);
    }

    /// A connection was closed.
    pub(super) fn disconnected(&mut self) {
        self.connections_open -= 1;
    }

    /// Ends the seconds and the window that are over by `now`.
    pub(super) fn catch_up(&mut self, now: u64) {
        if now >= self.turn {
            self.end_what_is_over(now);
        }
    }

    /// When the next second or the window begins or ends.
    pub(super) fn next_turn(&self) -> u64 {
        self.turn
    }

    #[cold]
    fn end_what_is_over(&mut self, now: u64) {
        if !self.opened && now >= self.schedule.open {
            self.opened = true;
            self.tally.in_flight.at_open = self.in_flight_now();
            self.tally.in_flight.peak = self.in_flight_now();
            self.tally.cpu = clock::thread_cpu();
        }
        if !self.closed && now >= self.schedule.close {
            self.close();
        }
        while now >= self.series.ends() {
            self.series.end_second(now, self.in_flight_now());
        }
        self.turn = self.series.ends();
        if !self.opened {
            self.turn = self.turn.min(self.schedule.open);
        } else if !self.closed {
            self.turn = self.turn.min(self.schedule.close);
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.tally.cpu = clock::thread_cpu() - self.tally.cpu;
        // A request that was intended later does not belong to the window.
        let close = self.schedule.close;
        let entries = self.in_flight.iter();
        self.tally.in_flight.at_close =
            entries.filter(|(_, entry)| entry.intended < close).count() as u64;
    }

    fn in_flight_now(&self) -> u64 {
        self.in_flight.len() as u64
    }

    /// The part of a request's time in the system that lies in the window.
    fn stay(&self, intended: u64, settled: u64) -> u64 {
        let Schedule { open, close, .. } = self.schedule;
        settled.min(close).saturating_sub(intended.max(open))
    }

    /// Ends the count at `now`: at the end of the window, or before if the run was stopped.
    pub(super) fn finish(mut self, now: u64) -> Tally {
        self.catch_up(now);
        let interrupted = !self.closed;
        if interrupted {
            // The window ends here, after all that has happened, and is empty if it has not
            // opened.
            self.schedule.close = now.saturating_add(1);
            self.schedule.open = self.schedule.open.min(self.schedule.close);
            self.end_what_is_over(self.schedule.close);
        }
        let mut in_flight = 0;
        for (_, Entry { intended, sent }) in std::mem::take(&mut self.in_flight) {
            in_flight += 1;
            self.tally.in_flight.area += u128::from(self.stay(intended, now));
            // Count requests that were due but never sent: they are the latest of all.
            if !sent {
                self.record_lateness(intended, now);
            }
        }
        let seconds = self.series.finish(self.schedule.close, in_flight);
        let mut tally = self.tally;
        tally.whole.in_flight = in_flight;
        (tally.opened, tally.closed) = (self.schedule.open, self.schedule.close);
        Tally { interrupted, seconds, ..tally }
    }
}

#[cfg(test)]
mod tests;
