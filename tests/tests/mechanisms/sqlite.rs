//! SQLite: locks, polling, upgrades, syncs, checkpoints, opening and closing.
//!
//! One sync takes 10 ms. Each endpoint sleeps on its pool thread until its turn comes, so
//! its name says when it begins; there are cores and connections for all.

use sim::engine::Event;
use sim::observe::ErrorKind;
use sim::plan::{DatabaseOp, Op};

use crate::stage::{Run, burst, run_with};

const SETTING: &str = r#"
    [cpu]
    cores = 16
    [service]
    concurrency = "threadpool"
    [database]
    connections = { kind = "pool", size = 16 }
    [costs]
    disk.sync = "10ms"
    query.a_moment.engine = "1ms"
    query.ten.engine = "10ms"
    query.twenty.engine = "20ms"
    query.long.engine = "100ms"
    query.longer.engine = "200ms"
    query.endless.engine = "10s"
"#;

/// Requests of these endpoints, one each, given as name, begin and step.
fn play(requests: &[(&str, &str, &str)], sets: &[&str]) -> Run {
    let mut text = burst(requests.len() as u32) + SETTING;
    for (name, begin, step) in requests {
        text += &format!(
            "[[endpoint]]\nname = \"{name}\"\nweight = 1\n\
             steps = [{{ sleep = \"{begin}\" }}, {step}]\n"
        );
    }
    let order: Vec<&str> = requests.iter().map(|&(name, ..)| name).collect();
    run_with(&text, &order, sets)
}

const WAL: &str = "database.journal_mode=wal";

#[test]
fn readers_run_while_a_writer_has_reserved() {
    let requests =
        [("writer", "0s", "{ write = \"long\" }"), ("reader", "50ms", "{ read = \"ten\" }")];
    let run = play(&requests, &[]);
    // 100 ms of work with the lock RESERVED, then 4 syncs of 10 ms with it EXCLUSIVE.
    assert_eq!(run.log(), ["reader 60ms", "writer 140ms"]);
}

#[test]
fn new_readers_wait_while_a_commit_excludes_them() {
    let requests =
        [("writer", "0s", "{ write = \"long\" }"), ("reader", "110ms", "{ read = \"ten\" }")];
    let run = play(&requests, &[]);
    // Tries at 110, 111, 113, 118, 128 and 143 ms; the lock was free from 140 ms on.
    assert_eq!(run.log(), ["writer 140ms", "reader 153ms"]);
    assert_eq!(run.time_at("database lock"), 33_000_000);
}

#[test]
fn a_commit_waits_for_readers_and_keeps_new_ones_out() {
    let requests = [
        ("reader", "0s", "{ read = \"longer\" }"),
        ("writer", "50ms", "{ write = \"ten\" }"),
        ("newcomer", "100ms", "{ read = \"a_moment\" }"),
    ];
    let run = play(&requests, &["costs.disk.sync=\"9ms\""]);
    // The writer is PENDING from 60 ms, tries at 61, 63, 68, 78, 93, 113, 138, 163, 188 and
    // 238 ms, and then syncs for 36 ms. The newcomer tries at 101, 103, ... 228 and 278 ms.
    assert_eq!(run.log(), ["reader 200ms", "writer 274ms", "newcomer 279ms"]);
}

#[test]
fn a_second_writer_gets_the_lock_when_it_looks_and_not_when_it_is_free() {
    let requests =
        [("first", "0s", "{ write = \"long\" }"), ("second", "10ms", "{ write = \"long\" }")];
    let run = play(&requests, &[]);
    // Free at 140 ms; tries at 10, 11, 13, 18, 28, 43, 63, 88, 113, 138 and 188 ms.
    assert_eq!(run.log(), ["first 140ms", "second 328ms"]);
    assert_eq!(run.seen.sqlite.writer.area(), 2 * 140_000_000, "no one holds it in between");
}

#[test]
fn a_locked_database_is_polled_with_the_delays_of_sqlite() {
    let requests =
        [("first", "0s", "{ write = \"endless\" }"), ("second", "1s", "{ write = \"a_moment\" }")];
    let run = play(&requests, &[]);
    let polls: Vec<u64> = run
        .events(|event| matches!(event, Event::Poll { .. }))
        .iter()
        .map(|at| at.nanos() / 1_000_000 - 1000)
        .collect();
    let mut expected = vec![1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228];
    expected.extend((1..=47).map(|i| 228 + 100 * i));
    expected.push(5000);
    assert_eq!(polls, expected, "1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100 ms and so on");
    assert_eq!(polls.len(), 59);
    assert_eq!(run.log(), ["second 6s database_busy", "first 10.04s"], "after exactly 5 s");
}

#[test]
fn the_busy_timeout_bounds_the_polling() {
    let requests =
        [("first", "0s", "{ write = \"endless\" }"), ("second", "1s", "{ write = \"a_moment\" }")];
    for (timeout, gives_up) in [("0s", "1s"), ("300ms", "1.3s"), ("2s", "3s")] {
        let run = play(&requests, &[&format!("database.busy_timeout=\"{timeout}\"")]);
        assert_eq!(run.log()[0], format!("second {gives_up} database_busy"));
        assert_eq!(run.errors(ErrorKind::DatabaseBusy), 1);
    }
}

#[test]
fn each_statement_polls_from_the_shortest_delay() {
    // The second writer polls for RESERVED (51, 53, 58, 68, 83 and 103 ms) and then, as the
    // reader is inside from 90 to 290 ms, for EXCLUSIVE from 104 ms on: 105, 107, 112, 122,
    // 137, 157, 182, 207, 232, 282 and 332 ms.
    let requests = [
        ("first", "0s", "{ write = \"twenty\" }"),
        ("second", "50ms", "{ write = \"a_moment\" }"),
        ("reader", "90ms", "{ read = \"longer\" }"),
    ];
    let run = play(&requests, &["costs.disk.sync=\"16ms\""]);
    assert_eq!(run.log(), ["first 84ms", "reader 290ms", "second 396ms"]);
}

#[test]
fn a_reader_that_wants_to_write_fails_at_once_while_another_writes() {
    let transaction = "{ transaction = [{ read = \"twenty\" }, { write = \"a_moment\" }] }";
    let requests = [("writer", "0s", "{ write = \"long\" }"), ("upgrade", "10ms", transaction)];
    let run = play(&requests, &[]);
    assert_eq!(run.log(), ["upgrade 30ms database_busy", "writer 140ms"]);
    let run = play(&requests, &[WAL]);
    // A commit of a fresh connection to a log: its own sync and that of the directory.
    assert_eq!(run.log(), ["upgrade 30ms database_busy", "writer 120ms"]);
}

#[test]
fn beginning_immediately_waits_instead_of_failing() {
    let transaction = "{ transaction = [{ read = \"twenty\" }, { write = \"a_moment\" }], \
                       begin = \"immediate\" }";
    let requests = [("writer", "0s", "{ write = \"long\" }"), ("upgrade", "10ms", transaction)];
    let run = play(&requests, &[]);
    // It polls until 188 ms, as any second writer, and then takes 21 ms and 4 syncs.
    assert_eq!(run.log(), ["writer 140ms", "upgrade 249ms"]);
    // Under a write-ahead log the writer is done at 120 ms, and a poll is due at 138 ms.
    assert_eq!(play(&requests, &[WAL]).log(), ["writer 120ms", "upgrade 179ms"]);
}

#[test]
fn of_two_readers_that_want_to_write_one_fails_and_lets_the_other_commit() {
    let transaction =
        |query| format!("{{ transaction = [{{ read = \"{query}\" }}, {{ write = \"long\" }}] }}");
    let (short, long) = (transaction("ten"), transaction("twenty"));
    let run = play(&[("first", "0s", &short), ("second", "0s", &long)], &[]);
    // The first has the write lock from 10 ms; the second, refused at 20 ms, gives up its
    // shared lock, so that the first finds no reader when it commits at 110 ms.
    assert_eq!(run.log(), ["second 20ms database_busy", "first 150ms"]);
}

#[test]
fn a_snapshot_older_than_a_commit_cannot_write() {
    let transaction = "{ transaction = [{ read = \"longer\" }, { write = \"a_moment\" }] }";
    let writer = ("writer", "0s", "{ write = \"long\" }");
    // The writer commits at 120 ms and is long gone when the reader asks for the lock.
    let run = play(&[writer, ("upgrade", "10ms", transaction)], &[WAL]);
    assert_eq!(run.log(), ["writer 120ms", "upgrade 210ms database_busy"]);
    let run = play(&[writer, ("upgrade", "130ms", transaction)], &[WAL]);
    // On the writer's connection, which has synced the directory: 201 ms and one sync.
    assert_eq!(run.log(), ["writer 120ms", "upgrade 341ms"], "a newer snapshot can");
    let immediate = transaction.replace("] }", "], begin = \"immediate\" }");
    let run = play(&[writer, ("upgrade", "10ms", &immediate)], &[WAL]);
    assert_eq!(run.log(), ["writer 120ms", "upgrade 359ms"], "138 ms, 201 ms and two syncs");
}

#[test]
fn under_a_write_ahead_log_readers_neither_wait_nor_hinder() {
    let requests =
        [("writer", "0s", "{ write = \"long\" }"), ("reader", "110ms", "{ read = \"a_moment\" }")];
    assert_eq!(play(&requests, &[WAL]).log(), ["reader 111ms", "writer 120ms"]);
    let requests =
        [("reader", "0s", "{ read = \"longer\" }"), ("writer", "50ms", "{ write = \"ten\" }")];
    assert_eq!(play(&requests, &[WAL]).log(), ["writer 80ms", "reader 200ms"]);
}

#[test]
fn a_write_ahead_log_has_one_writer_too() {
    let requests =
        [("first", "0s", "{ write = \"long\" }"), ("second", "10ms", "{ write = \"long\" }")];
    let run = play(&requests, &[WAL]);
    assert_eq!(run.log(), ["first 120ms", "second 258ms"], "free at 120 ms, polled at 138 ms");
}

/// One user who writes again and again on one connection; the instants of its answers.
fn writes(count: usize, sets: &[&str]) -> Vec<String> {
    let text = format!(
        "[load]\nusers = 1\nduration = \"10s\"\n{}\n\
         [[endpoint]]\nname = \"write\"\nweight = 1\nsteps = [{{ write = \"a_moment\" }}]\n",
        SETTING.replace("size = 16", "size = 1, overflow = 0")
    );
    run_with(&text, &[], sets).instants()[..count].to_vec()
}

#[test]
fn a_commit_waits_for_as_many_syncs_as_journal_mode_and_level_say() {
    // Two commits of one connection: the table is about the second, and the first of a
    // connection to a log at FULL syncs the directory as well.
    let table = [
        ("delete", "full", 4, 4),
        ("delete", "normal", 3, 3),
        ("delete", "extra", 5, 5),
        ("delete", "off", 0, 0),
        ("truncate", "full", 5, 5),
        ("persist", "full", 5, 5),
        ("wal", "full", 2, 1),
        ("wal", "normal", 0, 0),
        ("wal", "off", 0, 0),
    ];
    for (mode, level, first, second) in table {
        let sets =
            [&*format!("database.journal_mode={mode}"), &format!("database.synchronous={level}")];
        let wanted = [format!("{}ms", 1 + 10 * first), format!("{}ms", 2 + 10 * (first + second))];
        assert_eq!(writes(2, &sets), wanted, "{mode} at {level}");
    }
}

#[test]
fn a_rollback_journal_is_a_file_that_comes_and_goes() {
    let unlink = "costs.disk.unlink=\"3ms\"";
    assert_eq!(writes(2, &[unlink]), ["44ms", "88ms"]);
    let normal = "database.synchronous=normal";
    assert_eq!(writes(2, &[unlink, WAL, normal]), ["1ms", "2ms"], "a log stays");
}

#[test]
fn the_commit_that_fills_the_log_copies_it() {
    let sets = [
        WAL,
        "database.synchronous=normal",
        "database.wal_autocheckpoint=10",
        "costs.query.a_moment.pages=4",
        "costs.disk.checkpoint_page=\"1ms\"",
    ];
    // The third commit finds 12 frames: 3 syncs and 12 pages, 42 ms; then the log is empty.
    let instants = ["1ms", "2ms", "45ms", "46ms", "47ms", "90ms"];
    assert_eq!(writes(6, &sets), instants);
    let never = [sets[0], sets[1], "database.wal_autocheckpoint=0", sets[3], sets[4]];
    assert_eq!(writes(6, &never), ["1ms", "2ms", "3ms", "4ms", "5ms", "6ms"]);
    let off = [sets[0], "database.synchronous=off", sets[2], sets[3], sets[4]];
    assert_eq!(writes(3, &off), ["1ms", "2ms", "15ms"], "copied without syncs");
}

#[test]
fn a_checkpoint_hinders_neither_readers_nor_writers() {
    let sets = [
        WAL,
        "database.synchronous=normal",
        "database.wal_autocheckpoint=1",
        "costs.disk.checkpoint_page=\"100ms\"",
    ];
    let requests = [
        ("copier", "0s", "{ write = \"ten\" }"),
        ("reader", "50ms", "{ read = \"ten\" }"),
        ("writer", "70ms", "{ write = \"ten\" }"),
    ];
    // 10 ms of work, then one page and three syncs: 130 ms without any lock.
    assert_eq!(play(&requests, &sets).log(), ["reader 60ms", "writer 80ms", "copier 140ms"]);
}

#[test]
fn a_reader_keeps_the_log_from_starting_anew() {
    let sets = [
        WAL,
        "database.synchronous=normal",
        "database.wal_autocheckpoint=2",
        "costs.disk.checkpoint_page=\"1ms\"",
    ];
    let three = |reader| {
        let write = "{ write = \"a_moment\" }";
        let requests = [
            ("reader", "0s", reader),
            ("first", "100ms", write),
            ("second", "200ms", write),
            ("third", "300ms", write),
        ];
        let log = play(&requests, &sets).log();
        log.into_iter().filter(|line| !line.starts_with("reader")).collect::<Vec<_>>()
    };
    let free = three("{ read = \"a_moment\" }");
    assert_eq!(free, ["first 101ms", "second 233ms", "third 301ms"], "two frames, then none");
    let held = three("{ read = \"endless\" }");
    // 3 syncs and the one page that is new.
    assert_eq!(held, ["first 101ms", "second 233ms", "third 332ms"], "the third is frame three");
}

/// One user on connections that are opened for each use: the time of the first answer.
fn first_answer(step: &str, sets: &[&str]) -> String {
    let text = format!(
        "[load]\nusers = 1\nduration = \"10s\"\n{SETTING}\n\
         [[endpoint]]\nname = \"use\"\nweight = 1\nsteps = [{step}]\n"
    )
    .replace("{ kind = \"pool\", size = 16 }", "{ kind = \"per-operation\" }");
    run_with(&text, &[], sets).instants()[0].clone()
}

#[test]
fn the_last_connection_to_a_log_copies_and_removes_it() {
    let unlink = "costs.disk.unlink=\"3ms\"";
    let normal = "database.synchronous=normal";
    let write = "{ write = \"a_moment\" }";
    assert_eq!(first_answer(write, &[WAL, unlink]), "57ms", "1 ms, 5 syncs, 2 unlinks");
    assert_eq!(first_answer(write, &[WAL, unlink, normal]), "47ms", "1 ms, 4 syncs, 2 unlinks");
    let off = "database.synchronous=off";
    assert_eq!(first_answer(write, &[WAL, unlink, off]), "7ms");
    let page = "costs.disk.checkpoint_page=\"5ms\"";
    assert_eq!(first_answer(write, &[WAL, unlink, page]), "62ms", "and the page is copied");
    let read = "{ read = \"a_moment\" }";
    assert_eq!(first_answer(read, &[WAL, unlink]), "7ms", "an empty log is removed all the same");
    assert_eq!(first_answer(write, &[]), "41ms", "a rollback journal has no such last act");
}

#[test]
fn while_another_connection_is_open_closing_costs_nothing() {
    let requests =
        [("other", "0s", "{ read = \"endless\" }"), ("write", "10ms", "{ write = \"a_moment\" }")];
    let run = |level: &str| {
        let sets = [
            WAL,
            &format!("database.synchronous={level}"),
            "database.connections={kind=\"per-operation\"}",
        ];
        play(&requests, &sets).log()[0].clone()
    };
    assert_eq!(run("full"), "write 31ms", "the commit's sync and the directory's");
    assert_eq!(run("normal"), "write 11ms");
}

#[test]
fn per_operation_opens_and_sets_pragmas_each_time_and_a_pool_once() {
    let text = r#"
        load = { users = 1, duration = "30ms" }
        service.concurrency = "blocking"
        database = { pragmas = 3 }
        costs.cpu = { open = "2ms", pragma = "1ms", close = "500us" }
        costs.query.item.engine = "1ms"
        endpoint = [{ name = "read", weight = 1, steps = [{ read = "item" }, { read = "item" }] }]
    "#;
    let each = run_with(text, &[], &[]);
    assert_eq!(each.instants(), ["13ms", "26ms"], "5 ms, 1 ms and 0.5 ms for each of two reads");
    let pool = run_with(text, &[], &["database.connections.kind=pool"]);
    assert_eq!(pool.instants()[..3], ["7ms", "9ms", "11ms"]);
    assert_eq!(pool.executed(|op| matches!(op, Op::Database(DatabaseOp::Opened))), ["5ms"]);
    let request = run_with(text, &[], &["database.hold=request"]);
    assert_eq!(request.instants()[..2], ["7.5ms", "15ms"], "one for both reads of a request");
    let plain = run_with(text, &[], &["database.connections.kind=pool", "database.pragmas=0"]);
    assert_eq!(plain.instants()[..2], ["4ms", "6ms"]);
}

#[test]
fn each_statement_costs_as_many_round_trips_to_the_connections_thread_as_the_driver_makes() {
    let text = format!(
        "{}[cpu]\ncores = 2\n[service]\nconcurrency = \"async\"\n[database]\n[costs]\n\
         cpu.hop = \"1ms\"\nquery.item.engine = \"5ms\"\n\
         driver = {{ statement_hops = 3, open_hops = 2, close_hops = 1 }}\n\
         [[endpoint]]\nname = \"read\"\nweight = 1\nsteps = [{{ read = \"item\" }}]\n",
        burst(1)
    );
    let instant = |sets: &[&str]| run_with(&text, &[], sets).instants()[0].clone();
    assert_eq!(instant(&[]), "17ms", "6 round trips of 2 ms and 5 ms of work");
    assert_eq!(instant(&["database.connections.kind=pool"]), "15ms", "a pool closes nothing");
    assert_eq!(instant(&["service.concurrency=blocking"]), "5ms", "sqlite3 has no thread");
    assert_eq!(instant(&["database.driver=sync"]), "5ms", "nor has it inside an async handler");
}

/// A write whose commit takes 40 ms, and a request that needs the loop only.
fn beside_a_commit(sets: &[&str]) -> Vec<String> {
    let text = format!(
        "{}{}\n[[endpoint]]\nname = \"write\"\nweight = 1\nsteps = [{{ write = \"a_moment\" }}]\n\
         [[endpoint]]\nname = \"quick\"\nweight = 1\nsteps = [{{ sleep = \"5ms\" }}]\n",
        burst(2),
        SETTING.replace("threadpool", "async")
    );
    run_with(&text, &["write", "quick"], sets).log()
}

#[test]
fn a_driver_that_is_not_awaited_blocks_the_loop_in_a_commit() {
    assert_eq!(beside_a_commit(&[]), ["quick 5ms", "write 41ms"]);
    assert_eq!(beside_a_commit(&["database.driver=sync"]), ["write 41ms", "quick 46ms"]);
    assert_eq!(beside_a_commit(&["service.concurrency=blocking"]), ["write 41ms", "quick 46ms"]);
}

/// A write beside a handler that blocks the loop from the start for 60 ms.
fn write_beside_a_blocked_loop(step: &str, sets: &[&str]) -> Run {
    let text = format!(
        "{}{}\n[[endpoint]]\nname = \"write\"\nweight = 1\nsteps = [{step}]\n\
         [[endpoint]]\nname = \"blocks\"\nweight = 1\nsteps = [{{ block = \"60ms\" }}]\n",
        burst(2),
        SETTING.replace("threadpool", "async")
    );
    run_with(&format!("{text}\n"), &["write", "blocks"], sets)
}

#[test]
fn a_transaction_holds_the_lock_across_the_loop_and_an_autocommit_does_not() {
    // One call of the library from the first lock to the last: 10 ms and 4 syncs.
    let run = write_beside_a_blocked_loop("{ write = \"ten\" }", &[]);
    assert_eq!(run.log(), ["blocks 60ms", "write 60ms"]);
    assert_eq!(run.seen.sqlite.writer.area(), 50_000_000);
    // Statement and commit are two calls, and between them the loop is blocked.
    let run = write_beside_a_blocked_loop("{ transaction = [{ write = \"ten\" }] }", &[]);
    assert_eq!(run.log(), ["blocks 60ms", "write 100ms"]);
    assert_eq!(
        run.seen.sqlite.writer.area(),
        100_000_000,
        "the lock is held while the loop is not"
    );
    // So are they with a driver that begins a transaction by itself.
    let own = ["costs.driver.autocommit=false"];
    let run = write_beside_a_blocked_loop("{ write = \"ten\" }", &own);
    assert_eq!(run.log(), ["blocks 60ms", "write 100ms"]);
    assert_eq!(run.seen.sqlite.writer.area(), 100_000_000);
}

#[test]
fn a_reader_keeps_its_lock_until_its_rows_are_fetched() {
    let writer_holds = |sets: &[&str]| {
        let text = format!(
            "{}{}\n\
             [[endpoint]]\nname = \"write\"\nweight = 1\nconcurrency = \"threadpool\"\n\
             steps = [{{ write = \"ten\" }}]\n\
             [[endpoint]]\nname = \"read\"\nweight = 1\nsteps = [{{ read = \"a_moment\" }}]\n\
             [[endpoint]]\nname = \"blocks\"\nweight = 1\nsteps = [{{ block = \"60ms\" }}]\n",
            burst(3),
            SETTING.replace("threadpool", "async")
        );
        run_with(&text, &["write", "read", "blocks"], sets).seen.sqlite.writer.area()
    };
    // The row is found at 1 ms, long before the writer commits: 10 ms, then 4 syncs.
    assert_eq!(writer_holds(&[]), 50_000_000);
    // The rows are another call, and the loop is blocked until 60 ms. The writer tries at 10,
    // 11, 13, 18, 28, 43 and 63 ms.
    assert_eq!(writer_holds(&["costs.driver.fetch_hops=1"]), 103_000_000);
    let wal = ["costs.driver.fetch_hops=1", WAL, "database.synchronous=off"];
    assert_eq!(writer_holds(&wal), 10_000_000, "a log's writer waits for no reader");
}

#[test]
fn a_driver_has_trips_for_rows_and_ends_and_connections_that_go_back() {
    let operation = |step: &str, sets: &[&str]| {
        let text = format!(
            "{}[cpu]\ncores = 2\n[service]\nconcurrency = \"async\"\n[database]\n\
             journal_mode = \"wal\"\nconnections = {{ kind = \"pool\" }}\n[costs]\n\
             cpu.hop = \"1ms\"\nquery.item.engine = \"5ms\"\n\
             [[endpoint]]\nname = \"one\"\nweight = 1\nsteps = [{{ {step} }}]\n",
            burst(1)
        );
        let all = [&["costs.driver.open_hops=0"], sets].concat();
        run_with(&text, &[], &all).instants()[0].clone()
    };
    let (read, write) = ("read = \"item\"", "write = \"item\"");
    let explicit = "transaction = [{ read = \"item\" }, { write = \"item\" }]";
    for step in [read, write] {
        assert_eq!(operation(step, &[]), "7ms", "one trip of 2 ms, in which 5 ms are worked");
    }
    assert_eq!(operation(explicit, &[]), "16ms", "two statements and a commit");
    // Trips that each kind of operation has more, with one of each.
    for (key, of_read, of_write, of_transaction) in [
        ("statement_hops=2", 1, 1, 2),
        ("fetch_hops=1", 1, 0, 1),
        ("finish_hops=1", 1, 0, 2),
        ("commit_hops=2", 0, 0, 1),
        ("rollback_hops=1", 1, 0, 0),
        ("release_hops=1", 1, 1, 1),
    ] {
        let set = format!("costs.driver.{key}");
        let trips = |step: &str, sets: &[&str]| operation(step, sets);
        let expected = |base: u32, trips: u32| format!("{}ms", base + 2 * trips);
        assert_eq!(trips(read, &[&set]), expected(7, of_read), "{key}");
        assert_eq!(trips(write, &[&set]), expected(7, of_write), "{key}");
        assert_eq!(trips(explicit, &[&set]), expected(16, of_transaction), "{key}");
    }
    // Without autocommit a write has a commit of its own, and a statement's end.
    let own = ["costs.driver.autocommit=false", "costs.driver.finish_hops=1"];
    assert_eq!(operation(write, &own), "11ms");
}

#[test]
fn a_transaction_that_only_reads_commits_without_a_sync() {
    let requests = [
        ("reads", "0s", "{ transaction = [{ read = \"ten\" }, { read = \"ten\" }] }"),
        ("writer", "5ms", "{ write = \"a_moment\" }"),
    ];
    let run = play(&requests, &[]);
    // The writer is PENDING from 6 ms on: tries at 7, 9, 14 and 24 ms.
    assert_eq!(run.log(), ["reads 20ms", "writer 64ms"], "its shared lock lasts to its end");
}

#[test]
fn the_cpu_of_a_commit_is_spent_with_the_lock_held() {
    let requests =
        [("writer", "0s", "{ write = \"long\" }"), ("reader", "145ms", "{ read = \"ten\" }")];
    let run = play(&requests, &["costs.commit.delete.full=\"20ms\""]);
    // 100 ms of work, 20 ms of the commit's, 4 syncs: readers are excluded until 160 ms.
    // Tries at 145, 146, 148, 153 and 163 ms.
    assert_eq!(run.log(), ["writer 160ms", "reader 173ms"]);
    let reader = [("reader", "0s", "{ read = \"ten\" }")];
    let free = play(&reader, &["costs.commit.delete.full=\"20ms\""]);
    assert_eq!(free.log(), ["reader 10ms"], "without a change there is no commit");
}
