//! PgBouncer between the service's pools and the database server.

use sim::observe::ErrorKind;

use crate::stage::{Run, burst, run_with};

const READ: &str = "{ read = \"ten\" }";
const WRITE: &str = "{ write = \"ten\" }";
const TRANSACTION: &str = "{ transaction = [{ read = \"ten\" }, { write = \"ten\" }] }";

/// `users` requests at once through a PgBouncer with two connections to a server that is 2 ms away and
/// works for 10 ms at a statement.
fn pooled(users: u32, steps: &str, sets: &[&str]) -> Run {
    in_order(users, &[("use", steps)], &[], sets)
}

/// The same, with endpoints of these names and steps, asked in the order `names`.
fn in_order(users: u32, endpoints: &[(&str, &str)], names: &[&str], sets: &[&str]) -> Run {
    let endpoint = |(name, steps): &(&str, &str)| {
        format!("[[endpoint]]\nname = \"{name}\"\nweight = 1\nsteps = [{steps}]\n")
    };
    let text = format!(
        "{}{}{}",
        burst(users),
        r#"
        [service]
        concurrency = "async"
        [database]
        engine = "postgres"
        pooler = "pgbouncer"
        pgbouncer = { default_pool_size = 2 }
        cores = 16
        round_trip = "2ms"
        connections = { kind = "pool", size = 10, overflow = 0, timeout = "2s" }
        [costs]
        interpreter.lock = false
        query.ten.engine = "10ms"
        "#,
        endpoints.iter().map(endpoint).collect::<String>()
    );
    run_with(&text, names, sets)
}

#[test]
fn a_statement_waits_in_order_for_a_connection_to_the_server() {
    let run = pooled(5, READ, &[]);
    assert_eq!(run.instants(), ["12ms", "12ms", "22ms", "22ms", "32ms"]);
    assert_eq!(run.seen.postgres.sessions.value(), 2, "they are kept");
    assert_eq!(run.seen.postgres.pooler_queue.area(), (10 + 10 + 20) * 1_000_000);
    let none = pooled(5, READ, &["database.pooler=none", "database.pgbouncer=none"]);
    assert_eq!(none.instants(), ["12ms"; 5]);
}

#[test]
fn a_connection_to_the_server_is_opened_when_it_is_needed() {
    // The first two wait 4 ms for the server's processes, those after them find them.
    let run = pooled(4, READ, &["costs.postgres.connect=4ms"]);
    assert_eq!(run.instants(), ["16ms", "16ms", "26ms", "26ms"]);
    let alone = pooled(1, &format!("{READ}, {READ}"), &["costs.postgres.connect=4ms"]);
    assert_eq!((alone.instants(), alone.seen.postgres.sessions.value()), (vec!["28ms".into()], 1));
}

#[test]
fn a_transaction_keeps_its_connection_to_the_end_and_a_session_beyond_it() {
    let one = "database.pgbouncer.default_pool_size=1";
    for begins in ["commit", "explicit", "session"] {
        // Statements and COMMIT, with a BEGIN or without one: 26 ms, or 28 ms. The server has the
        // connection from the arrival of the first to the end of the last, 24 ms or 26 ms.
        let set = format!("database.transactions={begins}");
        let run = pooled(2, TRANSACTION, &[one, &set]);
        let wanted = if begins == "commit" { ["26ms", "50ms"] } else { ["28ms", "54ms"] };
        assert_eq!(run.instants(), wanted, "{begins}");
    }
    // A pause between two statements leaves it to others, but not in session mode.
    let steps = format!("{READ}, {{ sleep = \"50ms\" }}, {READ}");
    let held = [one, "database.hold=handler", "database.connections.size=2"];
    let run = pooled(2, &steps, &held);
    assert_eq!(run.instants(), ["74ms", "84ms"]);
    let session = [&held[..], &["database.pgbouncer.pool_mode=session"]].concat();
    let run =
        pooled(2, &steps, &[&session[..], &["database.pgbouncer.query_wait_timeout=1s"]].concat());
    assert_eq!(
        run.errors(ErrorKind::QueryWaitTimeout),
        1,
        "the pool of the service never disconnects"
    );
    let each = ["database.connections={ kind = \"per-operation\" }"];
    let run = pooled(2, &steps, &[&session[..2], &session[3..], &each].concat());
    assert_eq!(run.instants(), ["74ms", "147ms"], "the first disconnects at 74 ms");
}

#[test]
fn who_waits_for_too_long_is_disconnected() {
    let sets = ["database.pgbouncer.query_wait_timeout=15ms"];
    let run = pooled(6, READ, &sets);
    assert_eq!((run.seen.good(), run.errors(ErrorKind::QueryWaitTimeout)), (4, 2));
    assert_eq!(run.log().iter().filter(|line| line.contains("17ms query_wait_timeout")).count(), 2);
    assert_eq!(run.seen.postgres.sessions.value(), 2);
    // Those who never had one give none back.
    let sets = ["database.pgbouncer.query_wait_timeout=15ms", "database.client=psycopg"];
    let run = pooled(6, WRITE, &sets);
    assert!(run.errors(ErrorKind::QueryWaitTimeout) > 0 && run.seen.good() > 0);
}

#[test]
fn a_ping_that_waits_for_too_long_opens_another_connection() {
    let sets = [
        "database.pgbouncer={ default_pool_size = 1, query_wait_timeout = \"25ms\" }",
        "database.connections.pre_ping=true",
        "costs.query.long.engine=50ms",
    ];
    let again = format!("{READ}, {{ sleep = \"5ms\" }}, {READ}");
    let endpoints = [("again", again.as_str()), ("long", "{ read = \"long\" }")];
    let run = in_order(2, &endpoints, &["again", "long"], &sets);
    // The ping reaches the pooler at 18 ms, and is given up at 43 ms. The statement on the
    // connection that is opened then waits from 45 ms until the long one ends at 61 ms.
    assert_eq!(run.log(), ["long 62ms", "again 72ms"]);
}

#[test]
fn clients_beyond_max_client_conn_are_refused() {
    for trips in ["0", "5"] {
        let trips = format!("database.open_trips={trips}");
        let run = pooled(5, READ, &["database.pgbouncer.max_client_conn=3", &trips]);
        assert_eq!((run.seen.good(), run.errors(ErrorKind::MaxClientConn)), (3, 2), "{trips}");
    }
}

#[test]
fn four_workers_whose_pools_exceed_the_server_fail_without_it_and_hold_with_it() {
    let sets = [
        "service.workers=4",
        "service.spread=round-robin",
        "database.connections={ kind = \"pool\", size = 20, overflow = 10 }",
        "database.pgbouncer={ default_pool_size = 20, max_client_conn = 200 }",
    ];
    let run = pooled(120, READ, &sets);
    assert_eq!((run.seen.good(), run.seen.postgres.sessions.peak()), (120, 20));
    let without = [&sets[..3], &["database.pooler=none", "database.pgbouncer=none"]].concat();
    let run = pooled(120, READ, &without);
    assert_eq!((run.seen.good(), run.errors(ErrorKind::TooManyClients)), (97, 23));
}

#[test]
fn its_one_thread_passes_on_one_message_after_the_other() {
    // Two commands at 1 ms are passed on at 2 ms and 3 ms, and their replies at 13 ms and 14 ms.
    let run = pooled(2, READ, &["costs.pgbouncer.message=1ms"]);
    assert_eq!(run.instants(), ["14ms", "15ms"]);
}

#[test]
fn a_worker_that_ends_leaves_no_client_behind() {
    for (mode, cpu) in [("transaction", "own"), ("session", "own"), ("transaction", "shared")] {
        let text = format!(
            "[load]\nusers = 20\nduration = \"20s\"\n{}",
            r#"
            [service]
            server = "gunicorn"
            concurrency = "async"
            workers = 2
            max_requests = 50
            [database]
            engine = "postgres"
            client = "psycopg"
            pooler = "pgbouncer"
            pgbouncer = { default_pool_size = 3, query_wait_timeout = "30ms" }
            round_trip = "2ms"
            connections = { kind = "pool", size = 4, overflow = 2 }
            [costs]
            disk.sync = "3ms"
            query.ten.engine = "3ms"
            [[endpoint]]
            name = "use"
            weight = 1
            steps = [{ write = "ten" }]
            "#
        );
        let sets = [format!("database.pgbouncer.pool_mode={mode}"), format!("database.cpu={cpu}")];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let run = run_with(&text, &[], &sets);
        assert!(run.seen.good() > 100, "{mode} {cpu}: {}", run.seen.good());
        assert!(run.seen.postgres.sessions.value() <= 3);
    }
}
