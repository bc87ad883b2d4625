//! A database server: what its client does in round trips of its own, its connections and its log.

use sim::observe::ErrorKind;
use sim::plan::{Basic, Command, DatabaseOp, Op, PostgresOp};

use crate::stage::{Run, burst, run_with};

const READ: &str = "{ read = \"ten\" }";
const WRITE: &str = "{ write = \"ten\" }";
const TRANSACTION: &str = "{ transaction = [{ read = \"ten\" }, { write = \"ten\" }] }";

/// `users` requests at once.
fn server(users: u32, steps: &str, sets: &[&str]) -> Run {
    crate::server::server((&burst(users), ""), &[("use", steps)], &[], sets)
}

fn sent(run: &Run, wanted: fn(&Command) -> bool) -> usize {
    let is_it = |op: &Op| match op {
        Op::Database(DatabaseOp::Postgres(PostgresOp::Server { command, .. })) => wanted(command),
        _ => false,
    };
    run.executed(is_it).len()
}

#[test]
fn a_session_of_sqlalchemy_begins_and_rolls_back_in_round_trips_of_its_own() {
    let run = |steps: &str, sets: &[&str]| {
        let sets: Vec<&str> = [&["database.client=psycopg"], sets].concat();
        server(1, steps, &sets).instants()
    };
    // Five trips to open, nine to get to know the server, BEGIN, the statement, ROLLBACK.
    assert_eq!(run(READ, &[]), ["44ms"], "10 + 18 + 2 + 12 + 2");
    let twice = format!("{READ}, {READ}");
    assert_eq!(run(&twice, &[]), ["60ms"], "BEGIN and ROLLBACK for each");
    assert_eq!(run(&twice, &["database.hold=handler"]), ["56ms"], "one transaction for both");
    assert_eq!(run(WRITE, &[]), ["47ms"], "10 + 18 + 2 + 12, and 5 for COMMIT");
    assert_eq!(run(TRANSACTION, &[]), ["59ms"]);
    // A read after the commit begins another transaction.
    let both = format!("{WRITE}, {READ}");
    assert_eq!(run(&both, &["database.hold=handler"]), ["63ms"], "47 + 2 + 12 + 2");
    let unknown = server(1, READ, &[]).instants();
    assert_eq!(unknown, ["12ms"], "without a client a statement is all there is");
}

#[test]
fn asyncpg_prepares_a_statement_on_first_use_and_pings_in_three_round_trips() {
    let twice = format!("{READ}, {READ}");
    let run = |sets: &[&str]| {
        let sets: Vec<&str> = [&["database.client=asyncpg"], sets].concat();
        server(1, &twice, &sets).instants()
    };
    assert_eq!(run(&[]), ["64ms"], "10 + 20 + 2 + 2 + 12 + 2, then 2 + 12 + 2");
    assert_eq!(run(&["database.connections.pre_ping=true"]), ["70ms"]);
    // A connection that is new knows no statement, and needs no ping.
    let anew = ["database.connections={ kind = \"per-operation\" }"];
    assert_eq!(run(&anew), ["76ms"], "the second is not the first of its process");
    let cost = ["costs.postgres.prepare=4ms", "costs.postgres.command=1ms"];
    assert_eq!(run(&cost), ["82ms"], "two BEGIN, two ROLLBACK, ten to get to know it");
    let driver = ["costs.cpu.trip=1ms"];
    assert_eq!(run(&driver), ["79ms"], "the same, and the preparation");
}

#[test]
fn sqlx_commits_a_write_in_its_own_round_trip_and_pings_what_it_takes() {
    let run = |steps: &str, sets: &[&str]| {
        let axum = ["service.server=axum", "database.client=sqlx"];
        server(1, steps, &[&axum, sets].concat()).instants()
    };
    assert_eq!(run(READ, &[]), ["24ms"], "10 + 2 to prepare + 12");
    assert_eq!(run(WRITE, &[]), ["27ms"], "and the log");
    assert_eq!(run(WRITE, &["database.synchronous_commit=off"]), ["24ms"]);
    assert_eq!(run(TRANSACTION, &[]), ["43ms"], "10 + 2 + 2 + 12 + 12 + 5");
}

#[test]
fn a_server_has_costs_of_its_own_in_a_profile() {
    let run = |steps: &str, sets: &[&str]| {
        let axum = ["service.server=axum", "database.client=sqlx", "costs.cpu.statement=1ms"];
        server(1, steps, &[&axum, sets].concat()).instants()
    };
    assert_eq!(run(READ, &[]), ["25ms"], "10 to open, 2 to prepare, 12, and 1 of cpu.statement");
    assert_eq!(run(READ, &["costs.network.database=1ms"]), ["32ms"], "seven round trips");
    assert_eq!(run(READ, &["costs.postgres.statement=3ms"]), ["28ms"]);
    assert_eq!(run(READ, &["costs.postgres.async.statement=4ms"]), ["29ms"]);
    assert_eq!(run(READ, &["costs.postgres.blocking.statement=4ms"]), ["25ms"]);
    // What is written replaces all that stands in `cpu` for SQLite.
    let client = ["costs.postgres_client.statement=2ms", "costs.postgres_client.open=5ms"];
    assert_eq!(run(READ, &client[..1]), ["26ms"]);
    assert_eq!(run(READ, &client), ["31ms"]);
    assert_eq!(run(READ, &["costs.postgres_client.open=5ms"]), ["29ms"]);
    // A write by itself commits on the server, and sends no COMMIT.
    assert_eq!(run(WRITE, &[]), ["28ms"]);
    assert_eq!(run(WRITE, &["costs.postgres.commit=4ms"]), ["32ms"]);
    assert_eq!(run(WRITE, &["costs.postgres_client.commit=4ms"]), ["27ms"]);
    assert_eq!(run(WRITE, &["costs.disk.log_sync=1ms"]), ["26ms"]);
    assert_eq!(run(TRANSACTION, &["costs.postgres.commit=4ms"]), ["49ms"]);
}

#[test]
fn psycopg_prepares_at_the_sixth_execution_and_forgets_at_a_rollback() {
    let reads = |count: usize| vec![READ; count].join(", ");
    let run = |count: usize| {
        let sets = ["database.client=psycopg", "database.hold=handler"];
        server(1, &reads(count), &sets).instants()
    };
    assert_eq!(run(5), ["92ms"], "10 + 18 + 2 + 60 + 2");
    assert_eq!(run(7), ["120ms"], "two more, one to prepare, one to deallocate");
    // Each read ends with a rollback, after which it counts anew.
    let sets = ["database.client=psycopg"];
    let run = server(1, &reads(8), &sets);
    assert_eq!(sent(&run, |command| matches!(command, Command::Prepare { .. })), 0);
    // Commits do not.
    let run = server(1, &[WRITE; 8].join(", "), &sets);
    assert_eq!(sent(&run, |command| matches!(command, Command::Prepare { .. })), 1);
}

#[test]
fn a_connection_costs_the_server_a_process() {
    let sets = ["database.cores=1", "database.open_trips=5", "costs.postgres.connect=4ms"];
    let sets = [&sets[..], &["cpu.slice=1h"]].concat();
    // The two arrive at 5 ms, and are taken at 9 and 13 ms.
    let run = server(2, READ, &sets);
    assert_eq!(run.instants(), ["26ms", "36ms"]);
    assert_eq!(run.seen.postgres.sessions.value(), 2, "the pool keeps them");
    let each = ["database.connections={ kind = \"per-operation\" }"];
    let run = server(2, READ, &[&sets[..], &each].concat());
    assert_eq!(
        (run.instants(), run.seen.postgres.sessions.value()),
        (vec!["26ms".into(), "36ms".into()], 0)
    );
}

#[test]
fn connections_beyond_those_of_the_server_are_refused() {
    for trips in ["0", "5"] {
        let sets = ["database.max_connections=5", &format!("database.open_trips={trips}")];
        let run = server(4, READ, &sets);
        assert_eq!(run.errors(ErrorKind::TooManyClients), 2, "it keeps three for superusers");
        // One that is refused has had a slot until then, unless opening takes no time.
        let peak = if trips == "0" { 2 } else { 3 };
        assert_eq!((run.seen.good(), run.seen.postgres.sessions.peak()), (2, peak));
        let refused =
            if trips == "0" { "use 0s too_many_clients" } else { "use 10ms too_many_clients" };
        assert_eq!(run.log()[..2], [refused, refused]);
    }
    let run = server(4, READ, &["database.max_connections=none"]);
    assert_eq!(run.seen.good(), 4);
    // What is given back makes room, as the server counts what is open.
    let steps = format!("{READ}, {{ sleep = \"1s\" }}, {READ}");
    let sets = ["database.max_connections=5", "database.connections={ kind = \"per-operation\" }"];
    let text = server(3, &steps, &sets);
    assert_eq!((text.seen.good(), text.errors(ErrorKind::TooManyClients)), (2, 1));
}

#[test]
fn a_client_that_is_refused_takes_a_slot_and_costs_the_server_until_then() {
    // Two may stay, three slots are kept for superusers. One processor works for 3 ms until it asks
    // whether there is room, 1 ms more for a client that may stay, and 1.6 ms for one without a slot.
    let sets = ["database.max_connections=5", "database.open_trips=5", "database.cores=1"];
    let sets = [&sets[..], &["costs.postgres.connect=4ms", "cpu.slice=1h"]].concat();
    let run = server(6, READ, &sets);
    let log = run.log();
    let refused = ["use 13ms", "use 16ms", "use 19ms"].map(|at| format!("{at} too_many_clients"));
    // Five have a slot when the first one asks, and three when the third does.
    assert_eq!(log[..3], refused);
    assert_eq!(log[3], "use 28.6ms too_many_clients", "5 + 3 * 3 + 2 * 4 + 1.6 + 5");
    assert_eq!((run.seen.good(), run.seen.postgres.sessions.peak()), (2, 5));
    assert_eq!(run.seen.postgres.busy.area(), 3 * 3_000_000 + 2 * 14_000_000 + 1_600_000);
}

#[test]
fn a_client_keeps_its_slot_while_its_loop_computes_the_answer_to_the_server() {
    // Five have a slot at 3 ms. Their loop computes 10 ms for each, one after the other, and the server
    // asks at 18 ms, 28 ms and so on whether two or fewer are there: of the first three it refuses each.
    let sets = ["service.server=axum", "database.client=sqlx", "database.max_connections=5"];
    let each = "database.connections={ kind = \"per-operation\" }";
    let run = server(5, READ, &[&sets[..], &[each, "costs.postgres_client.open=10ms"]].concat());
    assert_eq!((run.seen.good(), run.errors(ErrorKind::TooManyClients)), (2, 3));
    assert_eq!(run.log()[..3], ["use 56ms too_many_clients"; 3], "when the loop has time for them");
}

#[test]
fn sqlx_opens_a_refused_connection_from_the_beginning() {
    let sets = ["service.server=axum", "database.client=sqlx", "database.max_connections=4"];
    let run = server(2, READ, &[&sets[..], &["costs.postgres_client.open=1ms"]].concat());
    let burns = run.executed(|op| matches!(op, Op::Basic(Basic::Burn { .. })));
    let tries = sent(&run, |command| matches!(command, Command::Open { .. }));
    assert!(tries > 5 && burns.len() == tries, "{tries} tries, {}", burns.len());
}

#[test]
fn sqlx_gives_a_connection_to_others_after_a_ping_that_nobody_waits_for() {
    let run = |users: u32, steps: &str, sets: &[&str]| {
        let axum = ["service.server=axum", "database.client=sqlx"];
        server(users, steps, &[&axum, sets].concat())
    };
    let one = "database.connections.size=1";
    let unasked = "database.connections.pre_ping=false";
    // The first is answered at 24 ms, and its connection is back at 26 ms.
    assert_eq!(run(2, READ, &[one]).instants(), ["24ms", "40ms"], "26, a ping and the statement");
    assert_eq!(run(2, READ, &[one, unasked]).instants(), ["24ms", "38ms"]);
    let pooled = run(2, READ, &[one, unasked, "service.concurrency=threadpool"]);
    assert_eq!(pooled.instants(), ["24ms", "38ms"], "on a thread of the runtime");
    let busy = ["costs.postgres.command=1ms", "costs.cpu.trip=3ms"];
    let run_busy = run(2, READ, &[&[one, unasked], &busy[..]].concat());
    assert_eq!(run_busy.instants(), ["27ms", "45ms"], "10 + 3 + 2 + 12, 3 + 2 + 1 and 12");
    // A request that wants another connection at once opens one, as its own is not back yet.
    let twice = format!("{READ}, {READ}");
    let opened = run(1, &twice, &[]);
    assert_eq!(opened.instants(), ["48ms"], "24, and 24 on the second connection");
    assert_eq!(opened.seen.postgres.sessions.value(), 2);
    // Nothing is asked of a connection that is closed.
    let each = run(1, READ, &["database.connections={ kind = \"per-operation\" }"]);
    assert_eq!(sent(&each, |command| matches!(command, Command::Test)), 0);
}

#[test]
fn requests_of_a_process_wait_until_sqlalchemy_knows_the_server() {
    let run = |users: u32, sets: &[&str]| {
        let sets: Vec<&str> = [&["database.client=asyncpg"], sets].concat();
        server(users, READ, &sets)
    };
    // 10 to open, 20 to get to know it, then BEGIN, preparation, statement and ROLLBACK.
    let three = run(3, &[]);
    assert_eq!(three.instants(), ["48ms"; 3]);
    assert_eq!(sent(&three, |command| matches!(command, Command::Introduce { .. })), 1);
    assert_eq!(three.seen.postgres.sessions.peak(), 3, "each has a connection meanwhile");
    let two = run(4, &["service.workers=2", "service.spread=round-robin"]);
    assert_eq!(sent(&two, |command| matches!(command, Command::Introduce { .. })), 2, "in each");
    // The first fails on the way, another one takes its place.
    let sets = ["database.max_connections=4", "database.open_trips=5"];
    assert_eq!(run(2, &sets).log(), ["use 10ms too_many_clients", "use 48ms"]);
}

#[test]
fn the_workers_pools_share_the_connections_of_the_server() {
    let sets = ["service.workers=2", "service.spread=round-robin", "database.max_connections=6"];
    let run = server(6, READ, &sets);
    assert_eq!((run.seen.good(), run.errors(ErrorKind::TooManyClients)), (3, 3));
}

#[test]
fn sqlx_tries_a_refused_connection_again_until_its_timeout() {
    let sets = ["service.server=axum", "database.client=sqlx", "database.max_connections=4"];
    let run = server(2, READ, &sets);
    assert_eq!(run.log(), ["use 24ms", "use 2s pool_timeout"]);
    // A try takes 10 ms; pauses of 10, 20, 40 ms and so on, at most a fifth of 2 s.
    let tries = sent(&run, |command| matches!(command, Command::Open { .. }));
    assert_eq!(tries, 1 + 10);
}

#[test]
fn a_waiter_gets_the_place_of_a_connection_that_was_refused() {
    // The second is refused at 10 ms; the third opens in its place, and is refused too.
    let sets =
        ["database.max_connections=4", "database.open_trips=5", "database.connections.size=2"];
    let run = server(3, READ, &sets);
    assert_eq!(run.log(), ["use 10ms too_many_clients", "use 20ms too_many_clients", "use 22ms"]);
}

#[test]
fn commits_share_the_sync_that_begins_after_them() {
    let run = server(4, WRITE, &[]);
    assert_eq!(run.instants(), ["17ms", "20ms", "20ms", "20ms"], "one by itself, three together");
    assert_eq!(run.time_at("disk"), (3 + 3 * 6) * 1_000_000);
    let off = server(4, WRITE, &["database.synchronous_commit=off"]);
    assert_eq!(off.instants(), ["14ms"; 4]);
    // The log is no work of a processor.
    assert_eq!(run.seen.postgres.busy.area(), 4 * 10_000_000);
    assert_eq!((run.seen.postgres.syncs, off.seen.postgres.syncs), (2, 0));
}

#[test]
fn an_old_connection_is_opened_anew() {
    let steps = format!("{READ}, {{ sleep = \"30ms\" }}, {READ}");
    let opened = |sets: &[&str]| {
        let run = server(1, &steps, sets);
        assert_eq!(run.seen.postgres.sessions.value(), 1);
        run.executed(|op| matches!(op, Op::Database(DatabaseOp::Opened))).len()
    };
    assert_eq!(opened(&[]), 1);
    assert_eq!(opened(&["database.connections.recycle=42ms"]), 1, "12 ms and 30 ms old");
    assert_eq!(opened(&["database.connections.recycle=41ms"]), 2);
}

#[test]
fn a_worker_that_ends_leaves_no_connection_and_no_commit_behind() {
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
        cores = 1
        round_trip = "2ms"
        connections = { kind = "pool", size = 4, overflow = 2 }
        [costs]
        disk.sync = "3ms"
        query.ten.engine = "1ms"
        [[endpoint]]
        name = "use"
        weight = 1
        steps = [{ write = "ten" }]
        "#
    );
    let run = run_with(&text, &[], &[]);
    assert!(run.seen.process.recycled > 2, "{}", run.seen.process.recycled);
    assert!(run.seen.postgres.sessions.value() <= 12 && run.seen.good() > 500);
}

#[test]
fn a_server_on_the_processors_of_the_service_takes_turns_with_it() {
    // Two requests at once that compute for 6 ms each, then 10 ms each on the server.
    let run = |sets: &[&str]| {
        let sets = [&["database.round_trip=0s", "cpu.slice=1h"], sets].concat();
        let steps = format!("{{ cpu = \"6ms\" }}, {READ}");
        let run = server(2, &steps, &sets);
        assert!(run.time_at("database server") > 0);
        (run.instants(), run.seen.cpu.cores.area() / 1_000_000)
    };
    let shared = "database.cpu=shared";
    assert_eq!(run(&[]), (vec!["16ms".into(), "22ms".into()], 12), "processors of its own");
    // The loop computes for both before a session gets the processor, and the first reply waits for
    // the session of the second.
    assert_eq!(run(&[shared]), (vec!["32ms".into(), "32ms".into()], 32));
    let two = [shared, "cpu.cores=2"];
    assert_eq!(run(&two), (vec!["16ms".into(), "22ms".into()], 32), "12 ms for the first 6");
    let fast = [shared, "cpu.speed=2"];
    assert_eq!(run(&fast), (vec!["16ms".into(), "16ms".into()], 16), "for the server too");
    let slow = [shared, "costs.server.uvicorn.cpu_scale=2"];
    assert_eq!(run(&slow).1, 2 * 12 + 20, "which web server it is, is nothing to it");
    // What the service's quota allows, both share: 9 ms in each period.
    let quota = [shared, "cpu.quota={ budget = \"9ms\", period = \"20ms\" }"];
    assert_eq!(run(&quota).0, ["65ms", "65ms"], "three periods, and 5 ms of the fourth");
}

#[test]
fn sessions_take_turns_on_the_processors_of_a_server() {
    let run = |sets: &[&str]| {
        let endpoints = [("long", "{ read = \"long\" }"), ("short", READ)];
        let sets = [&["database.cores=1"], sets].concat();
        crate::server::server((&burst(2), ""), &endpoints, &["long", "short"], &sets).log()
    };
    // The short one has its ten turns of 1 ms after as many of the long one.
    assert_eq!(run(&["cpu.slice=1ms"]), ["short 22ms", "long 1.012s"]);
    assert_eq!(run(&["cpu.slice=1h"]), ["long 1.002s", "short 1.012s"], "first come, first served");
    // The server's kernel has the rules of the service's: under EEVDF the short one has half of the
    // processor too, give or take a slice.
    let fair = run(&["cpu.slice=1ms", "cpu.scheduler=eevdf"]).swap_remove(0);
    let millis = fair.strip_prefix("short ").and_then(|rest| rest.strip_suffix("ms"));
    let millis: f64 = millis.and_then(|number| number.parse().ok()).expect("milliseconds");
    assert!((millis - 22.0).abs() <= 1.0, "{fair}");
    let two = run(&["cpu.slice=1ms", "database.cores=2"]);
    assert_eq!(two, ["short 12ms", "long 1.002s"], "a processor for each");
}

#[test]
fn each_change_of_sessions_costs_the_server_a_change_of_processes() {
    let run = |sets: &[&str]| {
        let costs = ["database.cores=1", "cpu.slice=1h", "costs.machine.process_switch=1ms"];
        server(2, READ, &[&costs[..], sets].concat())
    };
    assert_eq!(run(&[]).instants(), ["12ms", "23ms"], "1 + 10 + 1, and 1 + 10 more");
    // Ten turns of each, with a change between two of them.
    let turns = run(&["cpu.slice=1ms"]);
    assert_eq!(turns.instants(), ["39ms", "41ms"]);
    assert_eq!(turns.seen.postgres.busy.area(), 39_000_000);
    assert_eq!(turns.seen.cpu.cores.area(), 0, "of the service's processors nothing");
    // The connection of a pooler is one process for all clients.
    let pooled = "database.pooler=pgbouncer";
    let one = "database.pgbouncer={ default_pool_size = 1 }";
    assert_eq!(run(&[pooled, one]).instants(), ["12ms", "22ms"]);
}

#[test]
fn sessions_that_share_the_processors_are_seen_at_the_server() {
    let sets = ["database.cpu=shared", "database.round_trip=0s"];
    let run = server(3, READ, &sets);
    let seen = &run.seen.postgres;
    assert_eq!((seen.commands, seen.busy.area()), (3, 30_000_000));
    assert_eq!(run.seen.cpu.cores.area(), 30_000_000);
}

#[test]
fn a_worker_that_ends_takes_its_sessions_off_the_processors() {
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
        cpu = "shared"
        round_trip = "100us"
        connections = { kind = "pool", size = 4, overflow = 2 }
        [costs]
        query.ten.engine = "3ms"
        [[endpoint]]
        name = "use"
        weight = 1
        steps = [{ read = "ten" }]
        "#
    );
    let run = run_with(&text, &[], &[]);
    assert!(run.seen.process.recycled > 2, "{}", run.seen.process.recycled);
    assert!(run.seen.postgres.sessions.value() <= 12 && run.seen.good() > 500);
}
