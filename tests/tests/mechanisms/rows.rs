//! Rows of a database server that transactions lock, and the server's timeouts.

use sim::observe::ErrorKind;

use crate::stage::{Run, arrivals, burst};

const HOLDS: &str = "{ transaction = [{ write = \"ten\", locks = \"hot\" }, { read = \"ten\" }] }";
const ONLY_LOCKS: &str =
    "{ transaction = [{ read = \"ten\", locks = \"hot\" }, { read = \"ten\" }] }";
/// A session keeps its transaction, and the row, until its connection is given back.
const SESSION: [&str; 2] = ["database.transactions=session", "database.hold=handler"];

/// The rows that there are.
const ROWS: &str = "[database.row]\nhot = {}\nother = {}\naccount = { count = 2 }\n";

fn server(load: &str, endpoints: &[(&str, &str)], names: &[&str], sets: &[&str]) -> Run {
    crate::server::server((load, ROWS), endpoints, names, sets)
}

/// `users` requests at once.
fn at_once(users: u32, steps: &str, sets: &[&str]) -> Run {
    server(&burst(users), &[("use", steps)], &[], sets)
}

#[test]
fn a_row_is_held_from_its_statement_to_the_end_of_the_commit() {
    // All statements have been worked on at 11 ms, when the first has the row. Its other statement
    // and its COMMIT end in the server at 28 ms, which gives the row to the next one: 17 ms later.
    for steps in [HOLDS, ONLY_LOCKS] {
        let run = at_once(3, steps, &[]);
        assert_eq!(run.instants(), ["29ms", "46ms", "63ms"], "{steps}");
        let seen = &run.seen.postgres.rows[0];
        assert_eq!(seen.held.area(), (62 - 11) * 1_000_000);
        assert_eq!(seen.waiting.area(), (17 + 34) * 1_000_000);
        assert_eq!((seen.held.peak(), seen.waiting.peak(), seen.held.entries()), (1, 2, 1));
    }
    let apart =
        at_once(3, &HOLDS.replace("hot", "account"), &["database.row.account.count=100000"]);
    assert_eq!(apart.instants(), ["29ms", "32ms", "32ms"], "they share a sync");
}

#[test]
fn a_statement_by_itself_holds_its_row_while_its_commit_waits_for_the_log() {
    let alone = "{ write = \"ten\", locks = \"hot\" }";
    let run = at_once(4, alone, &["database.transactions=explicit"]);
    assert_eq!(run.instants(), ["15ms", "18ms", "21ms", "24ms"], "they cannot share a sync");
    let none = at_once(4, "{ write = \"ten\" }", &["database.transactions=explicit"]);
    assert_eq!(none.instants(), ["15ms", "18ms", "18ms", "18ms"]);
    // Nothing holds a lock beyond a read without a transaction.
    let read = at_once(4, "{ read = \"ten\", locks = \"hot\" }", &[]);
    assert_eq!(read.instants(), ["12ms"; 4]);
}

#[test]
fn a_session_holds_its_rows_until_its_rollback() {
    let steps = "{ read = \"ten\", locks = \"hot\" }, { sleep = \"50ms\" }";
    // BEGIN and the statement end in the server at 13 ms, the reply and the pause at 64 ms, ROLLBACK
    // in the server at 65 ms.
    let run = at_once(2, steps, &SESSION);
    assert_eq!(run.instants(), ["66ms", "118ms"], "the second has the row at 65 ms");
    let given_back = at_once(2, steps, &["database.transactions=session"]);
    assert_eq!(given_back.instants(), ["66ms", "68ms"], "each statement has its own transaction");
}

#[test]
fn rows_of_a_name_are_two_of_a_request_where_two_numbers_are_written() {
    let same = "{ transaction = [{ read = \"ten\", locks = \"account\" }, \
                { write = \"ten\", locks = \"account\" }] }";
    let run = at_once(1, same, &[]);
    assert_eq!(run.seen.postgres.rows[2].held.peak(), 1, "the row that it has locked already");
    let two = same.replacen("locks = \"account\" }]", "locks = \"account\", nth = 2 }]", 1);
    let run = at_once(1, &two, &[]);
    assert_eq!(run.seen.postgres.rows[2].held.peak(), 2, "one, and the other");
}

fn lanes(run: &Run) -> Vec<u64> {
    run.outcomes().iter().map(|outcome| outcome.lane).collect()
}

#[test]
fn those_that_wait_for_a_row_get_it_in_order_unless_it_is_changed() {
    let more = ["database.connections.size=20", "database.cores=20"];
    let in_order: Vec<u64> = (0..20).collect();
    assert_eq!(lanes(&at_once(20, ONLY_LOCKS, &more)), in_order);
    let run = at_once(20, HOLDS, &more);
    let changed = lanes(&run);
    assert_eq!((changed[0], changed.len()), (0, 20));
    assert!(changed != in_order, "after a change it is a matter of chance: {changed:?}");
    assert_eq!(changed, lanes(&at_once(20, HOLDS, &more)), "and of the seed");
    assert_eq!(run.instants()[19], "352ms", "29 + 19 * 17: none is left out");
}

#[test]
fn who_waits_for_a_row_holds_its_connection() {
    // Two connections: the third request waits for one, though it needs no row.
    let endpoints = [("hold", HOLDS), ("read", "{ read = \"ten\" }")];
    let run =
        server(&burst(3), &endpoints, &["hold", "hold", "read"], &["database.connections.size=2"]);
    assert_eq!(run.log(), ["hold 29ms", "read 41ms", "hold 46ms"]);
}

#[test]
fn in_a_deadlock_the_session_that_looks_first_fails_and_the_other_goes_on() {
    let both = |one: &str, other: &str| {
        format!(
            "{{ transaction = [{{ write = \"ten\", locks = \"{one}\" }}, \
             {{ write = \"ten\", locks = \"{other}\" }}] }}"
        )
    };
    let (a, b) = (both("hot", "other"), both("other", "hot"));
    let endpoints = [("a", a.as_str()), ("b", b.as_str())];
    // Each has one row at 11 ms and waits for the other one from 23 ms on.
    let run = server(&burst(2), &endpoints, &["a", "b"], &[]);
    assert_eq!(run.log(), ["a 1.024s database_deadlock", "b 1.029s"]);
    let sooner = server(&burst(2), &endpoints, &["a", "b"], &["database.deadlock_timeout=100ms"]);
    assert_eq!(sooner.log(), ["a 124ms database_deadlock", "b 129ms"]);
    // The rows of a transfer between two accounts: one way and back.
    let transfer = "{ transaction = [{ write = \"ten\", locks = \"account\" }, \
                    { write = \"ten\", locks = \"account\", nth = 2 }] }";
    let run = at_once(10, transfer, &[]);
    assert!(run.errors(ErrorKind::DatabaseDeadlock) > 0, "{:?}", run.log());
    assert_eq!(run.errors(ErrorKind::DatabaseDeadlock) + run.seen.good(), 10);
}

#[test]
fn a_session_looks_for_a_deadlock_once() {
    let both = |one: &str, pause: &str, other: &str| {
        format!(
            "{{ read = \"ten\", locks = \"{one}\" }}, {{ sleep = \"{pause}\" }}, \
             {{ read = \"ten\", locks = \"{other}\" }}"
        )
    };
    let (a, b) = (both("hot", "100ms", "other"), both("other", "1500ms", "hot"));
    let endpoints = [("a", a.as_str()), ("b", b.as_str())];
    // `a` waits from 125 ms on and finds nothing at 1125 ms. `b` closes the circle at 1525 ms, and
    // finds it a second later. Each has a ROLLBACK at its end.
    let run = server(&burst(2), &endpoints, &["a", "b"], &SESSION);
    let mut log = run.log();
    log.sort();
    assert_eq!(log, ["a 2.528s", "b 2.528s database_deadlock"]);
}

#[test]
fn the_lock_timeout_counts_for_each_attempt_to_lock() {
    // Measured on Postgres 15: five transactions that come 100 ms apart and hold a row for a second
    // each, with a lock_timeout of 1.5 s. Where they only lock it, the fourth and the fifth fail. Where
    // they change it, none does: each commit begins the attempts of all the others anew.
    let steps = |first: &str| {
        format!(
            "{{ transaction = [{{ {first} = \"ten\", locks = \"hot\" }}, {{ read = \"long\" }}] }}"
        )
    };
    let sets = ["database.lock_timeout=1500ms"];
    let run = |first: &str| server(&arrivals(5, 100), &[("use", &steps(first))], &[], &sets);
    let locks = run("read");
    assert_eq!(locks.errors(ErrorKind::DatabaseLockTimeout), 2);
    let failed: Vec<String> =
        locks.log().into_iter().filter(|line| line.contains("lock_timeout")).collect();
    // Sent at 300 ms and 400 ms, they wait from 311 ms and 411 ms on.
    let wanted = ["use 1.812s database_lock_timeout", "use 1.912s database_lock_timeout"];
    assert_eq!(failed, wanted);
    assert_eq!((run("write").seen.good(), locks.seen.good()), (5, 3));
}

#[test]
fn the_statement_timeout_counts_from_the_arrival_of_a_statement() {
    let sets = ["database.cores=1", "database.statement_timeout=50ms", "cpu.slice=1h"];
    let endpoints = [("long", "{ read = \"long\" }"), ("short", "{ read = \"ten\" }")];
    let run = server(&arrivals(2, 20), &endpoints, &["long", "short"], &sets);
    // The long one comes at 1 ms, and its processor is free at 51 ms.
    assert_eq!(run.log(), ["long 52ms database_statement_timeout", "short 62ms"]);
    // Waits for processors and rows count.
    let run = at_once(5, ONLY_LOCKS, &["database.statement_timeout=30ms"]);
    assert_eq!(run.seen.good(), 2, "the third has waited for 20 ms at 31 ms: {:?}", run.log());
    assert_eq!(run.errors(ErrorKind::DatabaseStatementTimeout), 3);
    // A commit that waits for the log is not given up.
    let sets = ["database.statement_timeout=20ms", "database.transactions=explicit"];
    let slow = [&sets[..], &["costs.disk.sync=100ms"]].concat();
    assert_eq!(at_once(1, "{ write = \"ten\" }", &slow).instants(), ["112ms"]);
    for cpu in ["own", "shared"] {
        let cpu = format!("database.cpu={cpu}");
        let sets = ["database.statement_timeout=50ms", "database.cores=1", &cpu];
        let run = at_once(3, "{ read = \"long\" }", &sets);
        assert_eq!(run.log(), ["use 52ms database_statement_timeout"; 3], "{cpu}");
    }
}

#[test]
fn a_statement_that_fails_frees_the_rows_of_its_transaction_at_once() {
    let fails = "{ transaction = [{ write = \"ten\", locks = \"hot\" }, { read = \"long\" }] }";
    let endpoints = [("fails", fails), ("use", HOLDS)];
    for transactions in ["commit", "explicit", "session"] {
        let set = format!("database.transactions={transactions}");
        let sets = ["database.statement_timeout=50ms", set.as_str()];
        let run = server(&burst(2), &endpoints, &["fails", "use"], &sets);
        // The first has the row at 11 ms, and its second statement is in the server from 13 ms to
        // 63 ms, with a BEGIN before it 2 ms later. The other statement has waited since 11 ms: too
        // long, and as long as the first, unless it comes later.
        assert_eq!(run.errors(ErrorKind::DatabaseStatementTimeout), 2, "{transactions}");
        let run = server(&arrivals(2, 30), &endpoints, &["fails", "use"], &sets);
        let begin = if transactions == "commit" { 0 } else { 2 };
        // It has the row at 63 ms, or at 65 ms: its reply, its second statement, COMMIT.
        let second = format!("use {}ms", 63 + begin + 1 + 12 + 2 + 3);
        assert!(run.log().contains(&second), "{transactions}: {:?}", run.log());
    }
}

#[test]
fn a_session_that_is_idle_in_a_transaction_is_ended_and_frees_its_rows() {
    let steps = "{ read = \"ten\", locks = \"hot\" }, { sleep = \"100ms\" }, { read = \"ten\" }";
    let idle = ["database.idle_in_transaction_session_timeout=50ms"];
    let sets = [&SESSION[..], &idle].concat();
    // Idle from 13 ms on, ended at 63 ms; the client sees it with the next statement at 114 ms. The
    // other one has the row at 63 ms, and sleeps from 64 ms on.
    let run = at_once(2, steps, &sets);
    let wanted =
        ["use 114ms database_idle_in_transaction", "use 164ms database_idle_in_transaction"];
    assert_eq!(run.log(), wanted);
    assert_eq!(run.seen.postgres.sessions.value(), 0, "both are gone");
    // SQLAlchemy drops a connection whose ROLLBACK fails, and the request is answered.
    let last = "{ read = \"ten\", locks = \"hot\" }, { sleep = \"100ms\" }";
    let run = at_once(1, last, &sets);
    assert_eq!((run.log(), run.seen.postgres.sessions.value()), (vec!["use 114ms".into()], 0));
    // It is not idle while its statement waits or is worked on.
    let held = at_once(2, "{ read = \"long\", locks = \"hot\" }", &sets);
    assert_eq!(held.seen.good(), 2, "{:?}", held.log());
}

#[test]
fn a_server_that_is_down_holds_no_rows() {
    let fault = "[[fault]]\nat = \"20ms\"\ndatabase = \"down\"\nfor = \"10ms\"\n";
    let load = format!("{}{fault}", burst(4));
    let run = server(&load, &[("use", HOLDS)], &[], &[]);
    // Three wait for the row and hear of it a millisecond later. The fourth's second statement was in
    // the server, too.
    assert_eq!(run.log(), ["use 21ms database_connection_lost"; 4]);
    assert_eq!(run.seen.postgres.rows[0].held.value(), 0);
    let paused = "[[fault]]\nat = \"20ms\"\ndatabase = \"paused\"\nfor = \"2s\"\n";
    let load = format!("{}{paused}", burst(2));
    let run = server(&load, &[("use", HOLDS)], &[], &["database.lock_timeout=1s"]);
    // While it stands still, nobody gives up; the wait was long enough when it goes on.
    let wanted = ["use 2.021s database_lock_timeout", "use 2.029s"];
    assert_eq!(run.log(), wanted);
}

#[test]
fn a_standstill_of_rows_and_connections_is_noticed_whichever_comes_last() {
    let holder = "{ read = \"ten\", locks = \"hot\" }, { sleep = \"50ms\" }, \
                  { session = [{ read = \"ten\" }] }";
    let two = [&SESSION[..], &["database.connections.size=2"]].concat();
    for (waiter, begins) in [
        // It waits for the row when the holder asks for a second connection at 64 ms.
        ("{ read = \"ten\", locks = \"hot\" }", "64ms"),
        // It has the second connection at 64 ms, and waits for the row from 113 ms + 12 ms on.
        ("{ read = \"ten\" }, { sleep = \"100ms\" }, { read = \"ten\", locks = \"hot\" }", "125ms"),
    ] {
        let endpoints = [("holder", holder), ("waiter", waiter)];
        let run = server(&burst(2), &endpoints, &["holder", "waiter"], &two);
        let seen = &run.seen.standstill;
        assert_eq!((seen.count, seen.endless, &seen.rows[..]), (1, 0, &[0][..]), "{waiter}");
        let first = seen.first.map(|at| (at - model::units::Instant::START).to_string());
        assert_eq!(first.as_deref(), Some(begins), "{waiter}");
        assert_eq!(seen.for_connection, 2, "one waits for it, the other through the row");
        assert_eq!(run.errors(ErrorKind::PoolTimeout), 1, "which ends it");
        let more = [&SESSION[..], &["database.connections.size=3"]].concat();
        let run = server(&burst(2), &endpoints, &["holder", "waiter"], &more);
        assert_eq!((run.seen.standstill.count, run.seen.good()), (0, 2));
    }
}
