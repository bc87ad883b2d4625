use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use model::scenario::JournalMode;
use sqlx::Row;

use super::super::testing::{Data, scenario};
use super::*;
use crate::stack::axum::worker::waiting::block_on;

impl Connection {
    /// The one text that `query` answers.
    pub(in super::super) async fn ask(&mut self, query: &'static str) -> String {
        let row = self.sqlite.fetch_one(query).await.expect("an answer");
        row.get(0)
    }
}

const ENGINE: Span = Span::from_micros(500);
const READ_ONE: Call = Call::Read { id: 7, engine: ENGINE };
const WRITE_TWO: Call = Call::Write { first: 3, last: 4, engine: ENGINE };

fn called(connection: &mut Connection, call: Call) -> Called {
    let called = block_on(connection.call(call));
    assert_eq!(called.result, Ok(()), "{call:?}");
    called
}

fn refused(connection: &mut Connection, call: Call) -> Called {
    let called = block_on(connection.call(call));
    assert_eq!(called.result, Err(Failure::Busy), "{call:?}");
    called
}

fn close(connection: Connection) -> Account {
    let (before, probe) = (crate::clock::now(), connection.probe.clone());
    let account = block_on(connection.close());
    let farewell = probe.farewell().expect("the collation goes with the connection");
    assert!(farewell.at >= before);
    account
}

#[test]
fn a_statement_visits_the_engine_once_and_only_with_its_lock() {
    let data = Data::patient(JournalMode::Delete);
    let calls = Arc::new(AtomicU32::new(0));
    let counted = {
        let calls = calls.clone();
        move |left: &str, right: &str| {
            calls.fetch_add(1, Ordering::Relaxed);
            left.cmp(right)
        }
    };
    block_on(async {
        let options = data.settings.options(&Arc::default()).collation(COLLATION, counted);
        let options = options.busy_timeout(Duration::ZERO);
        let mut sqlite = options.connect().await.expect("a connection");
        let read = sqlx::query(READ).bind(3).bind("0");
        let row = sqlite.fetch_optional(read).await.expect("a row").expect("a row");
        assert_eq!((row.get::<i64, _>(0), row.get::<&str, _>(1)), (3, "item 3"));
        assert_eq!(calls.swap(0, Ordering::Relaxed), 1);
        let write = || sqlx::query(WRITE).bind(11).bind(30).bind("0");
        let done = sqlite.execute(write()).await.expect("a write");
        assert_eq!(done.rows_affected(), 20);
        assert_eq!(calls.swap(0, Ordering::Relaxed), 1);
        let mut other = data.open();
        assert_eq!(other.call(Call::BeginImmediate).await.result, Ok(()));
        assert!(sqlite.execute(write()).await.is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn the_engine_computes_at_least_as_long_as_asked() {
    let data = Data::patient(JournalMode::Wal);
    let mut connection = data.open();
    for call in [READ_ONE, WRITE_TWO] {
        let before = crate::clock::now();
        let called = called(&mut connection, call);
        let elapsed = crate::clock::now() - before;
        assert!(called.account.cpu >= ENGINE.nanos(), "{:?}", called.account);
        assert!(called.account.total() <= elapsed);
        assert!(called.locked.is_some_and(|at| at + ENGINE.nanos() <= called.done));
    }
    assert_eq!(data.sold(), 2);
}

#[test]
fn a_connection_has_the_settings_of_the_scenario() {
    for (set, pragma, value) in [
        ("database.synchronous=\"off\"", "PRAGMA synchronous", 0),
        ("database.synchronous=\"extra\"", "PRAGMA synchronous", 3),
        ("database.wal_autocheckpoint=77", "PRAGMA wal_autocheckpoint", 77),
        ("database.wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", 0),
        ("database.busy_timeout=\"1500ms\"", "PRAGMA busy_timeout", 1_500),
    ] {
        let data = Data::of(&scenario(&[set]));
        let mut connection = data.open();
        let row = block_on(connection.sqlite.fetch_one(pragma)).expect("a row");
        assert_eq!(row.get::<i64, _>(0), value, "{set}");
    }
}

#[test]
fn all_pragmas_run_and_change_no_mode() {
    let data = Data::patient(JournalMode::Truncate);
    let mut connection = data.open();
    for number in 0..dataset::PRAGMAS.len() as u32 + 2 {
        called(&mut connection, Call::Pragma(number));
    }
    assert_eq!(block_on(connection.ask("PRAGMA journal_mode")), "truncate");
    called(&mut connection, WRITE_TWO);
}

#[test]
fn a_lock_that_does_not_come_free_is_busy_and_its_time_is_the_locks() {
    let data = Data::of(&scenario(&["database.busy_timeout=\"40ms\""]));
    let (mut holder, mut other) = (data.open(), data.open());
    called(&mut holder, Call::BeginImmediate);
    for call in [WRITE_TWO, Call::BeginImmediate] {
        let refused = refused(&mut other, call);
        // SQLite sleeps for the timeout in all; this side computes or lacks a processor meanwhile.
        let Account { lock, cpu, cpu_wait, .. } = refused.account;
        assert!(lock > 0 && lock + cpu + cpu_wait >= 40_000_000, "{:?}", refused.account);
        assert_eq!((refused.account.disk, refused.locked), (0, None));
        assert!(other.is_clean());
    }
    called(&mut holder, Call::Rollback);
    called(&mut other, WRITE_TWO);
}

#[test]
fn a_reader_that_would_write_beside_a_writer_fails_without_waiting() {
    // Patient as they are, a wait would last as long as SQLite can wait.
    for mode in [JournalMode::Delete, JournalMode::Wal] {
        let data = Data::patient(mode);
        let (mut reader, mut writer) = (data.open(), data.open());
        called(&mut reader, Call::Begin);
        called(&mut reader, READ_ONE);
        called(&mut writer, Call::BeginImmediate);
        refused(&mut reader, WRITE_TWO);
        assert!(!reader.is_clean(), "its transaction is still there");
        called(&mut reader, Call::Rollback);
        assert!(reader.is_clean());
        called(&mut writer, WRITE_TWO);
        called(&mut writer, Call::Commit);
        assert_eq!(data.sold(), 2);
    }
}

#[test]
fn a_stale_snapshot_is_busy_too() {
    let data = Data::patient(JournalMode::Wal);
    let (mut reader, mut writer) = (data.open(), data.open());
    called(&mut reader, Call::Begin);
    called(&mut reader, READ_ONE);
    called(&mut writer, WRITE_TWO);
    refused(&mut reader, WRITE_TWO);
}

#[test]
fn readers_and_writers_of_a_log_do_not_wait_for_each_other() {
    let data = Data::patient(JournalMode::Wal);
    let (mut reader, mut writer) = (data.open(), data.open());
    called(&mut reader, Call::Begin);
    called(&mut reader, READ_ONE);
    called(&mut writer, Call::BeginImmediate);
    called(&mut writer, WRITE_TWO);
    called(&mut reader, READ_ONE);
    called(&mut writer, Call::Commit);
    called(&mut reader, READ_ONE);
    called(&mut reader, Call::Commit);
}

#[test]
fn a_commit_with_a_rollback_journal_waits_for_readers() {
    let data = Data::patient(JournalMode::Delete);
    let (mut reader, mut writer) = (data.open(), data.open());
    called(&mut reader, Call::Begin);
    called(&mut reader, READ_ONE);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let write = scope.spawn(|| {
            called(&mut writer, WRITE_TWO);
            done.store(true, Ordering::Release);
        });
        thread::sleep(Duration::from_millis(30));
        assert!(!done.load(Ordering::Acquire), "a reader is inside");
        called(&mut reader, Call::Commit);
        assert!(write.join().is_ok());
    });
    assert_eq!(data.sold(), 2);
}

#[test]
fn a_wait_for_the_write_lock_is_the_locks() {
    let data = Data::patient(JournalMode::Wal);
    let (mut first, mut second) = (data.open(), data.open());
    called(&mut first, Call::BeginImmediate);
    called(&mut first, WRITE_TWO);
    let (second, committed) = thread::scope(|scope| {
        let write = scope.spawn(|| called(&mut second, WRITE_TWO));
        thread::sleep(Duration::from_millis(30));
        let committed = crate::clock::now();
        called(&mut first, Call::Commit);
        (write.join().expect("it waits and writes"), committed)
    });
    assert!(second.locked.is_some_and(|at| at >= committed));
    // However late its thread came: up to the commit it waited for lock or processor.
    let Account { lock, cpu, cpu_wait, late, .. } = second.account;
    let from = second.done + late - second.account.total();
    assert!(lock + cpu + cpu_wait >= committed.saturating_sub(from), "{:?}", second.account);
}

#[test]
fn closing_says_farewell_after_the_log_is_gone() {
    let data = Data::patient(JournalMode::Wal);
    let (mut first, second) = (data.open(), data.open());
    called(&mut first, WRITE_TWO);
    close(first);
    assert!(data.files().iter().any(|name| name.ends_with("-wal")), "one is open still");
    let account = close(second);
    assert_eq!(data.files(), ["rung.db"]);
    assert!(account.total() > 0);
    assert_eq!(data.sold(), 2);
}

#[test]
fn dropped_in_a_transaction_a_connection_takes_it_back() {
    for mode in [JournalMode::Delete, JournalMode::Wal] {
        let data = Data::patient(mode);
        let (mut lost, mut other) = (data.open(), data.open());
        called(&mut lost, Call::BeginImmediate);
        called(&mut lost, WRITE_TWO);
        drop(lost);
        // Patiently, this waits until the lock is free.
        called(&mut other, WRITE_TWO);
        assert_eq!(data.sold(), 2);
    }
}

#[test]
fn a_timeout_is_whole_milliseconds_and_none_is_too_long() {
    assert_eq!(busy_timeout(Span::from_micros(1)), Duration::from_millis(1));
    assert_eq!(busy_timeout(Span::ZERO), Duration::ZERO);
    assert_eq!(busy_timeout(Span::MAX), Duration::from_millis(i32::MAX as u64));
}
