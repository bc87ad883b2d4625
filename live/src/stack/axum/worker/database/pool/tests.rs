use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use futures_util::FutureExt;
use model::failure::ErrorKind;
use model::scenario::{Concurrency, JournalMode};
use model::units::Span;

use super::super::connection::Call;
use super::super::testing::{Data, Request, on_a_loop};
use super::*;
use crate::stack::axum::worker::waiting::block_on;

const READ: Call = Call::Read { id: 1, engine: Span::ZERO };
const WRITE: Call = Call::Write { first: 1, last: 1, engine: Span::ZERO };

fn pool(size: u32, overflow: u32, timeout: Option<Span>) -> Arc<Pool> {
    Pool::new(Connections::pool(size, overflow, timeout))
}

fn open_and_idle(pool: &Arc<Pool>) -> (u32, usize) {
    let state = pool.state();
    (state.total, state.idle.len())
}

fn now(pool: &Arc<Pool>) -> Held {
    match pool.ask() {
        Checkout::Now(held) => held,
        Checkout::Later(_) => panic!("there is room"),
    }
}

/// A place with an open connection.
fn opened(pool: &Arc<Pool>, data: &Data) -> Held {
    let mut held = now(pool);
    held.connection().get_or_insert_with(|| data.open());
    held
}

fn later(pool: &Arc<Pool>) -> oneshot::Receiver<Held> {
    match pool.ask() {
        Checkout::Now(_) => panic!("there is no room"),
        Checkout::Later(receiver) => receiver,
    }
}

#[test]
fn beyond_size_and_overflow_requests_wait_in_order() {
    let data = Data::patient(JournalMode::Wal);
    let pool = pool(1, 1, None);
    let (first, second) = (opened(&pool, &data), opened(&pool, &data));
    let (mut third, mut fourth) = (later(&pool), later(&pool));
    assert!(first.is_kept(), "a waiter gets it");
    drop(first);
    assert!(fourth.try_recv().is_err(), "not its turn");
    let mut third = third.try_recv().expect("it was first in line");
    assert!(third.connection().is_some(), "the open connection was handed over");
    drop(fourth);
    assert!(second.is_kept(), "none is idle yet");
    drop(second);
    assert!(!third.is_kept(), "overflow is closed on return");
    drop(third);
    assert_eq!(open_and_idle(&pool), (1, 1));
    assert!(now(&pool).connection().is_some(), "the idle one is used again");
    let reading = pool.in_use().read();
    assert_eq!((reading.value, reading.peak, reading.entries), (0, 2, 3));
}

#[test]
fn idle_connections_are_used_again_oldest_first() {
    let data = Data::patient(JournalMode::Wal);
    let pool = pool(2, 0, None);
    let (mut first, mut second) = (opened(&pool, &data), opened(&pool, &data));
    let mark = |held: &mut Held, text: &'static str| {
        let connection = held.connection().as_mut().expect("it is open");
        block_on(connection.ask(text))
    };
    mark(&mut first, "PRAGMA cache_size = -111; SELECT 'first'");
    mark(&mut second, "PRAGMA cache_size = -222; SELECT 'second'");
    drop(second);
    drop(first);
    let size = "SELECT cast(cache_size AS text) FROM pragma_cache_size";
    assert_eq!(mark(&mut now(&pool), size), "-222", "it came back first");
    assert_eq!(mark(&mut now(&pool), size), "-111");
}

#[test]
fn per_operation_opens_each_time_and_never_waits() {
    let data = Data::patient(JournalMode::Wal);
    let pool = Pool::new(Connections::PerOperation);
    let all: Vec<Held> = (0..100).map(|_| now(&pool)).collect();
    assert_eq!(pool.in_use().value(), 100);
    drop(all);
    let held = opened(&pool, &data);
    assert!(!held.is_kept());
    drop(held);
    assert_eq!(open_and_idle(&pool), (0, 0));
}

#[test]
fn a_waiter_opens_in_place_of_a_closed_connection() {
    let pool = pool(1, 0, None);
    let first = now(&pool);
    let mut second = later(&pool);
    drop(first);
    assert!(second.try_recv().is_ok_and(|mut held| held.connection().is_none()));
    assert_eq!((open_and_idle(&pool).0, pool.in_use().value()), (0, 0));
}

#[test]
fn a_grant_that_nobody_takes_passes_on() {
    let data = Data::patient(JournalMode::Wal);
    let pool = pool(1, 0, None);
    let first = opened(&pool, &data);
    let (granted, gone, mut last) = (later(&pool), later(&pool), later(&pool));
    drop(gone);
    drop(first);
    // Granted, but its request is cancelled before it looks.
    drop(granted);
    let mut last = last.try_recv().expect("it is the only one left");
    assert!(last.connection().is_some());
    assert_eq!(pool.in_use().value(), 1);
}

#[test]
fn who_waits_too_long_gets_an_error_and_leaves_the_queue() {
    let timeout = Span::from_millis(20);
    for (concurrency, mode) in
        [(Concurrency::Async, Mode::Parked), (Concurrency::Blocking, Mode::Blocking)]
    {
        let pool = pool(1, 0, Some(timeout));
        let first = now(&pool);
        let mut request = Request::new(concurrency);
        let failure = on_a_loop(pool.checkout(&mut request, mode)).expect_err("none comes free");
        assert_eq!(failure.kind(), ErrorKind::PoolTimeout);
        assert_eq!(request.nanos(place::POOL), timeout.nanos());
        assert_eq!((pool.waiting().value(), pool.waiting().read().entries), (0, 1));
        assert_eq!(request.total(), request.nanos(place::POOL) + request.nanos(mode.late()));
        drop(first);
        assert_eq!((open_and_idle(&pool).0, pool.in_use().value()), (0, 0));
    }
}

#[test]
fn threads_and_tasks_wait_in_one_line() {
    let pool = pool(1, 0, None);
    let first = now(&pool);
    let turn = AtomicU32::new(0);
    let until_waiting = |count: u64| {
        while pool.waiting().value() < count {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        for (place_in_line, mode) in
            [Mode::Blocking, Mode::Parked, Mode::Blocking].iter().enumerate()
        {
            let (pool, turn) = (&pool, &turn);
            let wait = async move {
                let mut request = Request::new(Concurrency::Threadpool);
                let held = pool.checkout(&mut request, *mode).await.expect("without a timeout");
                let served = turn.fetch_add(1, Ordering::AcqRel);
                drop(held);
                assert!(request.visits(place::POOL) == 1);
                served
            };
            scope.spawn(move || {
                let served = match mode {
                    Mode::Parked => on_a_loop(wait),
                    Mode::Blocking => block_on(wait),
                };
                assert_eq!(served, place_in_line as u32);
            });
            until_waiting(place_in_line as u64 + 1);
        }
        drop(first);
    });
    assert_eq!(turn.load(Ordering::Acquire), 3);
    assert_eq!(pool.in_use().value(), 0);
}

#[test]
fn what_is_under_way_is_never_passed_on() {
    let data = Data::patient(JournalMode::Wal);
    let pool = pool(1, 0, None);
    // In a transaction.
    let mut held = opened(&pool, &data);
    let connection = held.connection().as_mut().expect("it is open");
    assert_eq!(block_on(connection.call(Call::BeginImmediate)).result, Ok(()));
    drop(held);
    assert!(now(&pool).connection().is_none(), "it was closed");
    // In a call that was given up, while another holds the lock.
    let mut other = data.open();
    assert_eq!(block_on(other.call(Call::BeginImmediate)).result, Ok(()));
    let mut held = opened(&pool, &data);
    let connection = held.connection().as_mut().expect("it is open");
    assert!(connection.call(WRITE).now_or_never().is_none());
    drop(held);
    assert!(now(&pool).connection().is_none(), "it was closed");
    drop(other);
    // Nothing is under way.
    let mut held = opened(&pool, &data);
    let connection = held.connection().as_mut().expect("it is open");
    assert_eq!(block_on(connection.call(READ)).result, Ok(()));
    drop(held);
    assert!(now(&pool).connection().is_some());
}
