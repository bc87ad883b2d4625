use futures_util::FutureExt;
use model::failure::ErrorKind;

use super::super::testing::{Data, MODES, PER_OPERATION, ROWS, Request, on_a_loop, scenario};
use super::*;
use crate::dataset;

fn reads(name: &str) -> Vec<Statement> {
    vec![Statement::read(name)]
}

fn writes(name: &str) -> Vec<Statement> {
    vec![Statement::write(name)]
}

fn both() -> Vec<Statement> {
    [reads("light"), writes("sale")].concat()
}

/// A scenario with its data set and database.
fn set_up(sets: &[&str]) -> (Data, Database) {
    let scenario = scenario(sets);
    let data = Data::of(&scenario);
    let database = data.database(&scenario);
    (data, database)
}

/// Performs as a handler of this model does; the request afterwards, and its outcome.
fn perform(
    database: &Database,
    concurrency: Concurrency,
    statements: &[Statement],
    begin: Option<Begin>,
) -> (Request, Result<(), Failure>) {
    let mut request = Request::new(concurrency);
    let work = async {
        let mut held = None;
        let result = database
            .perform(&mut request, &mut held, statements, begin, "0", Hold::Operation)
            .await;
        database.release(&mut request, &mut held).await;
        result
    };
    let result = match concurrency {
        Concurrency::Async => on_a_loop(work),
        Concurrency::Blocking => on_a_loop(async { block_on(work) }),
        Concurrency::Threadpool => block_on(work),
    };
    (request, result)
}

#[test]
fn every_journal_mode_and_model_reads_writes_and_commits() {
    for mode in MODES {
        let mode = format!("database.journal_mode=\"{}\"", dataset::mode_name(mode));
        let (data, database) = set_up(&[&mode]);
        // Opens the only connection: what that waits for is another matter.
        let (_, opened) = perform(&database, Concurrency::Blocking, &reads("light"), None);
        assert_eq!(opened, Ok(()));
        let models = [Concurrency::Async, Concurrency::Blocking, Concurrency::Threadpool];
        for concurrency in models {
            let engine = |statements: &[Statement], begin| {
                let before = crate::clock::now();
                let (request, result) = perform(&database, concurrency, statements, begin);
                assert_eq!(result, Ok(()), "{mode} {concurrency:?}");
                assert!(request.total() <= crate::clock::now() - before);
                (request.nanos(place::CPU), request.visits(place::LOCK), request.wrote.len())
            };
            // The thread that opens the connection may visit one lock more.
            engine(&reads("light"), None);
            let (cpu, locks, wrote) = engine(&reads("light"), None);
            assert!(cpu >= 100_000);
            assert_eq!((locks, wrote), (1, 0));
            let (cpu, locks, wrote) = engine(&writes("sale"), None);
            assert!(cpu >= 300_000);
            assert_eq!((locks, wrote), (2, 1));
            for (begin, visits) in [(Begin::Deferred, 3), (Begin::Immediate, 4)] {
                let (cpu, locks, wrote) = engine(&both(), Some(begin));
                assert!(cpu >= 400_000);
                assert_eq!((locks, wrote), (visits, 1), "{begin:?}");
            }
        }
        drop(database);
        // Three models, three writes each, of three pages each.
        assert_eq!(data.sold(), 27, "{mode}");
    }
}

#[test]
fn the_handler_burns_what_the_profile_says() {
    let (_data, database) = set_up(&[PER_OPERATION, "database.pragmas=3"]);
    let micros = |request: &Request| request.burnt() / 1_000;
    // open 40, 3 pragmas 30, close 50; statement 20, commit 30.
    let (request, _) = perform(&database, Concurrency::Blocking, &reads("light"), None);
    assert_eq!(micros(&request), 120 + 20);
    let (request, _) = perform(&database, Concurrency::Blocking, &writes("sale"), None);
    assert_eq!(micros(&request), 120 + 20 + 30);
    let begin = Some(Begin::Immediate);
    let (request, _) = perform(&database, Concurrency::Blocking, &both(), begin);
    assert_eq!(micros(&request), 120 + 2 * 20 + 30);
}

#[test]
fn only_an_awaited_driver_hops() {
    let hops = ["costs.driver.statement_hops=6", "costs.driver.open_hops=2"];
    let hops = [hops[0], hops[1], "costs.driver.close_hops=1", PER_OPERATION];
    let (_data, database) = set_up(&hops);
    let burnt =
        |concurrency| perform(&database, concurrency, &reads("light"), None).0.burnt() / 1_000;
    let plain = burnt(Concurrency::Threadpool);
    assert_eq!(burnt(Concurrency::Blocking), plain);
    // There and back: 1 us each way. Open and close, 40 and 50 us, are the thread's beyond.
    assert_eq!(burnt(Concurrency::Async), plain + 2 * (6 + 2 + 1) - (40 + 50));
    let (_data, database) = set_up(&[&hops[..], &["database.driver=\"sync\""]].concat());
    let (request, result) = perform(&database, Concurrency::Async, &reads("light"), None);
    assert_eq!((result, request.burnt() / 1_000), (Ok(()), plain));
    assert_eq!(request.visits(place::LOOP), 0, "the loop itself waits");
    // In one turn of the loop: no other task comes in between.
    let (mut request, light) = (Request::new(Concurrency::Async), reads("light"));
    let mut held = None;
    let work = database.perform(&mut request, &mut held, &light, None, "0", Hold::Operation);
    assert_eq!(work.now_or_never(), Some(Ok(())));
}

#[test]
fn a_pool_opens_once_and_per_operation_each_time() {
    let opens = |sets: &[&str]| {
        let (data, database) = set_up(sets);
        let burnt = |_| perform(&database, Concurrency::Blocking, &reads("light"), None).0.burnt;
        let count: usize =
            (0..3).flat_map(burnt).filter(|span| *span == Span::from_micros(40)).count();
        (count, data.files().len())
    };
    let wal = "database.journal_mode=\"wal\"";
    assert_eq!(opens(&[wal]), (1, 3), "the log and its index stay with the connection");
    assert_eq!(opens(&[wal, PER_OPERATION]), (3, 1), "they go with the last one");
}

#[test]
fn a_task_of_the_runtime_may_use_the_database() {
    let (data, database) = set_up(&[]);
    let sold = on_a_loop(async {
        let task = tokio::spawn(async move {
            let (mut request, sale) = (Request::new(Concurrency::Async), writes("sale"));
            let mut held = None;
            let result =
                database.perform(&mut request, &mut held, &sale, None, "0", Hold::Operation).await;
            database.release(&mut request, &mut held).await;
            result
        });
        task.await.is_ok_and(|result| result == Ok(()))
    });
    assert!(sold);
    assert_eq!(data.sold(), 3);
}

#[test]
fn a_request_may_hold_its_connection_to_its_end() {
    let (_data, database) = set_up(&["database.hold=\"request\""]);
    let mut request = Request::new(Concurrency::Async);
    on_a_loop(async {
        let mut held = None;
        let sale = writes("sale");
        for path in ["0", "1"] {
            let result =
                database.perform(&mut request, &mut held, &sale, None, path, Hold::Request).await;
            assert_eq!(result, Ok(()));
            assert!(held.is_some());
            assert_eq!(database.in_use().value, 1);
        }
        assert_eq!(database.in_use().entries, 1);
        database.release(&mut request, &mut held).await;
        assert_eq!(database.in_use().value, 0);
        // Cancelled, it is given back too.
        let result =
            database.perform(&mut request, &mut held, &sale, None, "2", Hold::Request).await;
        assert_eq!(result, Ok(()));
        drop(held);
        assert_eq!(database.in_use().value, 0);
    });
}

#[test]
fn a_failed_transaction_is_taken_back_and_its_connection_serves_on() {
    let (data, database) = set_up(&["database.busy_timeout=\"5ms\"", "database.hold=\"request\""]);
    let mut writer = data.open();
    assert_eq!(block_on(writer.call(Call::BeginImmediate)).result, Ok(()));
    let begin = Some(Begin::Deferred);
    let mut request = Request::new(Concurrency::Async);
    on_a_loop(async {
        let mut held = None;
        let result =
            database.perform(&mut request, &mut held, &both(), begin, "0", Hold::Request).await;
        assert_eq!(result.map_err(|failure| failure.kind()), Err(ErrorKind::DatabaseBusy));
        assert!(held.is_none(), "it is given back at once");
    });
    assert!(request.wrote.is_empty());
    assert_eq!(block_on(writer.call(Call::Rollback)).result, Ok(()));
    let (request, result) = perform(&database, Concurrency::Async, &both(), begin);
    assert_eq!((result, request.wrote.len()), (Ok(()), 1));
    assert!(!request.burnt.contains(&Span::from_micros(40)), "nothing was opened anew");
    assert_eq!(data.sold(), 3);
}

#[test]
fn a_cancelled_request_leaves_nothing_locked() {
    let (data, database) = set_up(&["database.busy_timeout=\"500h\""]);
    for begin in [None, Some(Begin::Immediate)] {
        let mut request = Request::new(Concurrency::Async);
        let mut held = None;
        let mut other = data.open();
        assert_eq!(block_on(other.call(Call::BeginImmediate)).result, Ok(()));
        on_a_loop(async {
            let sale = writes("sale");
            let mut work = Box::pin(database.perform(
                &mut request,
                &mut held,
                &sale,
                begin,
                "0",
                Hold::Operation,
            ));
            // Somewhere in the middle, wherever that is: it cannot get the lock.
            for _ in 0..3 {
                assert!(work.as_mut().now_or_never().is_none());
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        drop((held, other));
        assert_eq!(database.in_use().value, 0);
        let (_, result) = perform(&database, Concurrency::Async, &writes("sale"), None);
        assert_eq!(result, Ok(()));
    }
    // What was cancelled may have been on its way to the engine.
    assert!(data.sold() >= 6);
}

#[test]
fn handlers_on_threads_go_on_while_the_loop_is_blocked() {
    let (data, database) = set_up(&["database.connections.size=2"]);
    let database = Arc::new(database);
    on_a_loop(async {
        let thread = tokio::task::spawn_blocking({
            let database = database.clone();
            move || perform_blocking(&database, Concurrency::Threadpool)
        });
        // Not awaited: a task holds up the loop until the thread has written.
        let blocked = tokio::spawn({
            let database = database.clone();
            async move {
                while !thread.is_finished() {
                    std::thread::yield_now();
                }
                perform_blocking(&database, Concurrency::Blocking)
            }
        });
        assert!(blocked.await.is_ok_and(|result| result == Ok(())));
    });
    assert_eq!(data.sold(), 6);
}

fn perform_blocking(database: &Database, concurrency: Concurrency) -> Result<(), Failure> {
    let mut request = Request::new(concurrency);
    let sale = writes("sale");
    block_on(database.perform(&mut request, &mut None, &sale, None, "0", Hold::Operation))
}

#[test]
fn rows_are_drawn_within_the_data_set() {
    let scenario = scenario(&["costs.query.sale.pages=1000", "costs.query.none.pages=0"]);
    let data = Data::of(&scenario);
    let database = data.database(&scenario);
    let mut request = Request::new(Concurrency::Blocking);
    let session = Session::new(&database, &mut request);
    for step in 0..200 {
        let path = step.to_string();
        let whole = session.statement(&Statement::write("sale"), &path);
        assert!(matches!(whole, Call::Write { first: 1, last: ROWS, .. }));
        let one = session.statement(&Statement::write("none"), &path);
        assert!(matches!(one, Call::Write { first, last, .. } if first == last));
        let read = session.statement(&Statement::read("light"), &path);
        assert!(matches!(read, Call::Read { id, .. } if (1..=ROWS).contains(&id)));
    }
}
