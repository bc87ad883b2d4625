use std::sync::mpsc;

use super::*;

/// Starts at 1000, counts from 1100 to 1200.
fn ledger() -> Ledger {
    let schedule = Schedule { start: 1000, open: 1100, close: 1200 };
    Ledger::new(schedule, 1, 1, 20, mpsc::channel().0)
}

/// A request comes and is sent.
fn send(ledger: &mut Ledger, intended: u64, now: u64) -> Ticket {
    let ticket = ledger.begin(0, 0, intended, now);
    ledger.send(&ticket, now);
    ticket
}

fn good(sent: u64) -> Outcome<'static> {
    Outcome::Good { due: sent, sent, times: &Stamp::Absent }
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
    let first = ledger.begin(0, 0, 1050, 1150);
    ledger.send(&first, 1150);
    let second = ledger.begin(0, 0, 1120, 1151);
    ledger.send(&second, 1160);
    ledger.settle(second, &good(1160), 1170);
    ledger.begin(0, 0, 1180, 1300);
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
    ledger.begin(0, 0, 1150, 1150);
    let mut tally = ledger.finish(1200);
    assert!(tally.balance().is_ok());
    tally.in_flight.at_close = 0;
    assert!(matches!(tally.balance(), Err(super::super::LoadError::Accounting { .. })));
    tally.in_flight.at_close = 1;
    tally.whole.in_flight = 0;
    assert!(tally.balance().is_err());
}
