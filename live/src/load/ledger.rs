//! The books: every request is entered when it is sent and struck out when it is settled.

use std::sync::mpsc::Sender;

use model::failure::ErrorKind;
use model::place::{self, Place};

use super::Event;
use super::reply::Stamp;
use super::series::Series;
use super::tally::{Account, ClassTally, Connections, InFlight, Tally};
use crate::clock;
use crate::times;
use crate::wire::Times;

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
    slot: usize,
    class: usize,
    /// When it should have been sent.
    pub(super) intended: u64,
}

/// What the books say of a request in flight.
#[derive(Clone, Copy, Debug)]
struct Entry {
    intended: u64,
    /// It has been sent; before, its user has not got round to it.
    sent: bool,
}

/// How a request was settled.
#[derive(Debug)]
pub(super) enum Outcome<'a> {
    /// Well, having been sent at this instant.
    Good { sent: u64, times: &'a Stamp },
    /// Not.
    Error(ErrorKind),
}

/// The books of one run.
///
/// What the clock says when something happens decides to which part of the run it belongs.
/// The books learn of the window's ends and of each second's from whatever comes first
/// after it, so that nothing is entered on the wrong page however late they are told.
#[derive(Debug)]
pub(super) struct Ledger {
    schedule: Schedule,
    /// The first instant at which a page must be turned.
    turn: u64,
    opened: bool,
    closed: bool,
    /// The requests in flight; none where a slot is free.
    in_flight: Vec<Option<Entry>>,
    free: Vec<usize>,
    connections_open: u64,
    series: Series,
    tally: Tally,
}

impl Ledger {
    pub(super) fn new(
        schedule: Schedule,
        classes: usize,
        places: usize,
        events: Sender<Event>,
    ) -> Ledger {
        let series = Series::new(schedule.start, classes, events);
        Ledger {
            schedule,
            turn: schedule.open.min(series.ends()),
            opened: false,
            closed: false,
            in_flight: Vec::new(),
            free: Vec::new(),
            connections_open: 0,
            series,
            tally: Tally {
                started: schedule.start,
                opened: schedule.open,
                closed: schedule.close,
                interrupted: false,
                classes: (0..classes).map(|_| ClassTally::new(places)).collect(),
                sent: 0,
                dropped: 0,
                in_flight: InFlight::default(),
                connections: Connections::default(),
                lateness: times::histogram(),
                cpu: 0,
                seconds: Vec::new(),
                whole: Account::default(),
            },
        }
    }

    /// A request of `class` comes, having been intended at `intended`.
    pub(super) fn begin(&mut self, class: usize, intended: u64, now: u64) -> Ticket {
        self.turn_pages(now);
        self.tally.whole.sent += 1;
        self.series.sent();
        if self.schedule.counts(intended) {
            self.tally.sent += 1;
        }
        // The generator was late: it should have been in flight when the page was turned.
        if self.opened && intended < self.schedule.open {
            self.tally.in_flight.at_open += 1;
        }
        if self.closed && intended < self.schedule.close {
            self.tally.in_flight.at_close += 1;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.in_flight.push(None);
            self.in_flight.len() - 1
        });
        self.in_flight[slot] = Some(Entry { intended, sent: false });
        if self.opened && !self.closed {
            self.tally.in_flight.peak = self.tally.in_flight.peak.max(self.in_flight_now());
        }
        Ticket { slot, class, intended }
    }

    /// The request of `ticket` is about to be sent.
    pub(super) fn send(&mut self, ticket: &Ticket, now: u64) {
        let intended = ticket.intended;
        self.in_flight[ticket.slot] = Some(Entry { intended, sent: true });
        self.record_lateness(intended, now);
    }

    fn record_lateness(&mut self, intended: u64, now: u64) {
        if self.schedule.counts(intended) {
            self.tally.lateness.saturating_record(now - intended);
        }
    }

    /// An arrival that was intended at `intended` found every user busy.
    pub(super) fn drop_arrival(&mut self, intended: u64, now: u64) {
        self.turn_pages(now);
        self.tally.whole.dropped += 1;
        self.series.dropped();
        if self.schedule.counts(intended) {
            self.tally.dropped += 1;
        }
    }

    /// The client of `ticket` has its answer or has given up.
    pub(super) fn settle(&mut self, ticket: Ticket, outcome: &Outcome, now: u64) {
        self.turn_pages(now);
        let Ticket { slot, class, intended } = ticket;
        self.in_flight[slot] = None;
        self.free.push(slot);
        self.tally.in_flight.area += u128::from(self.stay(intended, now));
        let counts = self.schedule.counts(now);
        let number = class;
        let class = &mut self.tally.classes[number];
        match *outcome {
            Outcome::Good { sent, times } => {
                let response_time = now - intended;
                self.tally.whole.good += 1;
                self.series.good(number, response_time);
                if counts {
                    class.record(Stay { intended, sent, received: now }, times);
                }
            }
            Outcome::Error(kind) => {
                self.tally.whole.errors[kind as usize] += 1;
                self.series.error();
                if counts {
                    class.errors[kind as usize] += 1;
                }
            }
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

    /// Turns the pages that are over by `now`.
    pub(super) fn turn_pages(&mut self, now: u64) {
        if now >= self.turn {
            self.turn_due_pages(now);
        }
    }

    /// When the next page is to be turned.
    pub(super) fn next_page(&self) -> u64 {
        self.turn
    }

    #[cold]
    fn turn_due_pages(&mut self, now: u64) {
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
        // Sent by then: what was intended later belongs to no page.
        let close = self.schedule.close;
        let entries = self.in_flight.iter().flatten();
        self.tally.in_flight.at_close =
            entries.filter(|entry| entry.intended < close).count() as u64;
    }

    fn in_flight_now(&self) -> u64 {
        (self.in_flight.len() - self.free.len()) as u64
    }

    /// The part of a request's time in the system that lies in the window.
    fn stay(&self, intended: u64, settled: u64) -> u64 {
        let Schedule { open, close, .. } = self.schedule;
        settled.min(close).saturating_sub(intended.max(open))
    }

    /// Closes the books at `now`: at the end of the window, or before if the run was stopped.
    pub(super) fn finish(mut self, now: u64) -> Tally {
        self.turn_pages(now);
        let interrupted = !self.closed;
        if interrupted {
            // The window ends here, after all that has happened, and is empty if it has not
            // opened.
            self.schedule.close = now.saturating_add(1);
            self.schedule.open = self.schedule.open.min(self.schedule.close);
            self.turn_due_pages(self.schedule.close);
        }
        let mut in_flight = 0;
        for Entry { intended, sent } in std::mem::take(&mut self.in_flight).into_iter().flatten() {
            in_flight += 1;
            self.tally.in_flight.area += u128::from(self.stay(intended, now));
            // The latest of all must not be missing only because they never went.
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

/// The instants of a good answer.
#[derive(Clone, Copy, Debug)]
struct Stay {
    intended: u64,
    sent: u64,
    received: u64,
}

impl ClassTally {
    fn record(&mut self, stay: Stay, times: &Stamp) {
        let response_time = stay.received - stay.intended;
        self.good += 1;
        self.sum += u128::from(response_time);
        self.max = self.max.max(response_time);
        self.response_times.saturating_record(response_time);
        match times {
            Stamp::Absent => self.untimed += 1,
            Stamp::Times(times) if add_up(stay, times, self.time.len()) => {
                self.timed += 1;
                let mut add = |place: Place, nanos: u64| {
                    self.time[place.index()] += u128::from(nanos);
                };
                add(place::CONNECT, stay.sent - stay.intended);
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Starts at 1000, counts from 1100 to 1200.
    fn ledger() -> Ledger {
        let schedule = Schedule { start: 1000, open: 1100, close: 1200 };
        Ledger::new(schedule, 1, 20, mpsc::channel().0)
    }

    /// A request comes and is sent.
    fn send(ledger: &mut Ledger, intended: u64, now: u64) -> Ticket {
        let ticket = ledger.begin(0, intended, now);
        ledger.send(&ticket, now);
        ticket
    }

    fn good(sent: u64) -> Outcome<'static> {
        Outcome::Good { sent, times: &Stamp::Absent }
    }

    #[test]
    fn a_request_counts_where_it_was_intended_and_where_it_was_settled() {
        let mut ledger = ledger();
        let before = send(&mut ledger, 1000, 1001);
        let into = send(&mut ledger, 1099, 1099);
        ledger.settle(before, &good(1001), 1099);
        let within = send(&mut ledger, 1100, 1100);
        ledger.settle(into, &good(1099), 1100);
        ledger.settle(within, &Outcome::Error(ErrorKind::Timeout), 1199);
        let out_of = send(&mut ledger, 1199, 1199);
        let after = send(&mut ledger, 1200, 1200);
        ledger.settle(out_of, &good(1199), 1200);
        ledger.settle(after, &good(1200), 1201);
        let tally = ledger.finish(1202);

        assert_eq!(tally.balance().map_err(|error| error.to_string()), Ok(()));
        assert_eq!((tally.sent, tally.good(), tally.errors()[0]), (2, 1, 1));
        assert_eq!((tally.in_flight.at_open, tally.in_flight.at_close), (1, 1));
        assert_eq!((tally.whole.sent, tally.whole.good, tally.whole.in_flight), (5, 4, 0));
        // 0 of `into`, 99 of `within`, 1 of `out_of`.
        assert_eq!(tally.in_flight.area, 100);
        assert_eq!(tally.classes[0].sum, 1);
    }

    #[test]
    fn a_late_generator_hides_nothing() {
        let mut ledger = ledger();
        // Stalled from before the window opened until long after it closed.
        let first = ledger.begin(0, 1050, 1150);
        ledger.send(&first, 1150);
        let second = ledger.begin(0, 1120, 1151);
        ledger.send(&second, 1160);
        ledger.settle(second, &good(1160), 1170);
        ledger.begin(0, 1180, 1300);
        let tally = ledger.finish(1301);

        assert_eq!(tally.balance().map_err(|error| error.to_string()), Ok(()));
        // As it was meant to be: the first in flight at the open, the third at the close.
        assert_eq!((tally.in_flight.at_open, tally.in_flight.at_close), (1, 2));
        assert_eq!((tally.sent, tally.good(), tally.whole.in_flight), (2, 1, 2));
        assert_eq!(tally.in_flight.area, 100 + 50 + 20);
        // From the intended instant, not from when it was let go.
        assert_eq!(tally.classes[0].max, 50);
        // The third was never sent, and is late all the same.
        assert_eq!((tally.lateness.len(), tally.seconds.len()), (2, 1));
    }

    #[test]
    fn a_run_that_is_stopped_counts_up_to_the_very_instant() {
        let mut ledger = ledger();
        send(&mut ledger, 1050, 1050);
        send(&mut ledger, 1150, 1150);
        let tally = ledger.finish(1150);
        assert_eq!(tally.balance().map_err(|error| error.to_string()), Ok(()));
        assert!(tally.interrupted);
        assert_eq!((tally.sent, tally.in_flight.at_open, tally.in_flight.at_close), (1, 1, 2));
        assert_eq!((tally.opened, tally.closed), (1100, 1151));
    }

    #[test]
    fn books_that_do_not_balance_are_noticed() {
        let mut ledger = ledger();
        ledger.begin(0, 1150, 1150);
        let mut tally = ledger.finish(1200);
        assert!(tally.balance().is_ok());
        tally.in_flight.at_close = 0;
        assert!(matches!(tally.balance(), Err(super::super::LoadError::Accounting { .. })));
        tally.in_flight.at_close = 1;
        tally.whole.in_flight = 0;
        assert!(tally.balance().is_err());
    }
}
