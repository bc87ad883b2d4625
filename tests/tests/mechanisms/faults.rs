//! A database server that is down, is killed or stands still for a time.

use sim::observe::ErrorKind;

use crate::stage::{Run, burst};

const READ: &str = "{ read = \"ten\" }";
const WRITE: &str = "{ write = \"ten\" }";

fn run(load: &str, steps: &str, fault: &str, sets: &[&str]) -> Run {
    crate::server::server((load, &format!("[[fault]]\n{fault}\n")), &[("use", steps)], &[], sets)
}

/// One request, which is sent at the start.
fn one(steps: &str, fault: &str, sets: &[&str]) -> Vec<String> {
    run(&burst(1), steps, fault, sets).log()
}

/// Four users who send at 0 s, at 1.012 s, and so on, for ten seconds.
fn four(fault: &str, sets: &[&str]) -> Run {
    let load = "[load]\nusers = 4\nthink_time = \"1s\"\nduration = \"10s\"\n";
    run(load, READ, fault, sets)
}

const BETWEEN: &str = "at = \"1.5s\"\ndatabase = \"down\"\nfor = \"200ms\"";

#[test]
fn without_a_ping_the_first_statement_on_each_connection_fails() {
    for fault in [BETWEEN, &BETWEEN.replace("down", "killed")] {
        let seen = four(fault, &[]).seen;
        assert_eq!(seen.postgres.sessions.peak(), 4, "as many connections are open");
        assert_eq!(seen.errors()[ErrorKind::DatabaseConnectionLost as usize], 4);
        assert_eq!(seen.errors().iter().sum::<u64>(), 4, "and nothing else fails");
        assert_eq!((seen.good(), seen.postgres.sessions.value()), (36, 4), "all are back");
    }
}

#[test]
fn with_a_ping_no_request_meets_a_connection_that_is_gone() {
    let seen = four(BETWEEN, &["database.connections.pre_ping=true"]).seen;
    assert_eq!((seen.good(), seen.errors().iter().sum::<u64>()), (40, 0));
    // While there is no server, its place cannot be taken by another connection.
    let longer = BETWEEN.replace("200ms", "1s");
    let seen = four(&longer, &["database.connections.pre_ping=true"]).seen;
    assert_eq!(seen.errors()[ErrorKind::DatabaseConnectionRefused as usize], 4);
    assert_eq!((seen.good(), seen.errors().iter().sum::<u64>()), (36, 4));
}

#[test]
fn sqlalchemy_opens_the_whole_pool_anew_after_one_failure() {
    let seen = four(BETWEEN, &["database.client=psycopg"]).seen;
    assert_eq!(seen.errors()[ErrorKind::DatabaseConnectionLost as usize], 1);
    assert_eq!(seen.good(), 39);
    // The user who failed sends before the others from then on, and shares a connection with one.
    assert_eq!(seen.postgres.sessions.value(), 3);
}

#[test]
fn what_the_server_works_on_is_lost_half_a_round_trip_later() {
    let down = |at: &str| format!("at = \"{at}\"\ndatabase = \"down\"\nfor = \"1s\"");
    assert_eq!(one(READ, &down("5ms"), &[]), ["use 6ms database_connection_lost"]);
    let queued = run(&burst(2), READ, &down("5ms"), &["database.cores=1"]);
    assert_eq!(queued.log(), ["use 6ms database_connection_lost"; 2], "what waits as well");
    assert_eq!((queued.seen.postgres.busy.value(), queued.seen.postgres.queue.value()), (0, 0));
    let on_the_way = one(READ, &down("500us"), &[]);
    assert_eq!(on_the_way, ["use 2ms database_connection_lost"], "it finds no server");
    let at_the_log = one(WRITE, &down("14ms"), &[]);
    assert_eq!(at_the_log, ["use 15ms database_connection_lost"]);
    assert_eq!(one(READ, &down("11.5ms"), &[]), ["use 12ms"], "the reply is on its way");
}

#[test]
fn a_connection_that_is_gone_when_it_comes_back_fails_nobody() {
    let down = |at: &str| format!("at = \"{at}\"\ndatabase = \"down\"\nfor = \"1s\"");
    let sets = ["database.client=psycopg", "database.hold=handler"];
    // 10 to open, 18 to get to know the server, 2 to begin, 12 to read.
    let waits = format!("{READ}, {{ sleep = \"50ms\" }}");
    assert_eq!(one(&waits, &down("48ms"), &sets), ["use 92ms"], "there is nothing to roll back");
    assert_eq!(one(READ, &down("42.5ms"), &sets), ["use 44ms"], "ROLLBACK was on its way");
}

#[test]
fn a_rollback_that_fails_makes_sqlalchemy_open_the_others_anew() {
    // One connection is held in a transaction when the server goes, the other one is idle.
    let load = "[load]\nusers = 1\nthink_time = \"100ms\"\nduration = \"1s\"\n";
    let steps = format!("{READ}, {{ session = [{READ}] }}, {{ sleep = \"100ms\" }}");
    let down = "at = \"80ms\"\ndatabase = \"down\"\nfor = \"10ms\"";
    let seen = run(load, &steps, down, &["database.client=psycopg", "database.hold=handler"]).seen;
    assert!(seen.good() > 2);
    assert_eq!(seen.errors().iter().sum::<u64>(), 0);
}

#[test]
fn a_server_that_is_down_refuses_connections() {
    let down = "at = \"0s\"\ndatabase = \"down\"\nfor = \"100ms\"";
    for trips in ["0", "5"] {
        let refused = one(READ, down, &[&format!("database.open_trips={trips}")]);
        assert_eq!(refused, ["use 2ms database_connection_refused"], "after one round trip");
    }
    // sqlx tries again after 10, 20, 40 and 80 ms: 2, 14, 36, 78, 158; then 10 + 2 + 12.
    let sqlx = ["service.server=axum", "database.client=sqlx"];
    assert_eq!(one(READ, down, &sqlx), ["use 182ms"]);
}

#[test]
fn a_server_that_stands_still_lets_all_wait() {
    let paused = |at: &str| format!("at = \"{at}\"\ndatabase = \"paused\"\nfor = \"100ms\"");
    assert_eq!(one(READ, &paused("5ms"), &[]), ["use 112ms"], "6 ms of work were left");
    assert_eq!(one(READ, &paused("500us"), &[]), ["use 111.5ms"], "it begins at 100.5 ms");
    let at_the_log = one(WRITE, &paused("14ms"), &[]);
    assert_eq!(at_the_log, ["use 115ms"], "the disk works on, and is noticed at 114 ms");
    assert_eq!(one(READ, &paused("0s"), &[]), ["use 112ms"], "a new connection waits too");
    let one_by_one = ["database.cores=1", "cpu.slice=1h"];
    let run = run(&burst(3), READ, &paused("5ms"), &one_by_one);
    assert_eq!(run.instants(), ["112ms", "122ms", "132ms"], "in their order");
    let postgres = &run.seen.postgres;
    assert_eq!(postgres.busy.area(), 30_000_000, "it does not work meanwhile");
    assert_eq!(postgres.commands, 3, "one visit each");
}

#[test]
fn a_fault_that_begins_when_another_ends_comes_after_it() {
    let second = "at = \"105ms\"\ndatabase = \"down\"\nfor = \"100ms\"";
    let both = format!("at = \"5ms\"\ndatabase = \"paused\"\nfor = \"100ms\"\n[[fault]]\n{second}");
    assert_eq!(one(READ, &both, &[]), ["use 106ms database_connection_lost"], "6 ms were left");
    let down = both.replace("paused", "down");
    let later = "[load]\nusers = 1\nthink_time = \"148ms\"\nduration = \"160ms\"\n";
    let log = run(later, READ, &down, &[]).log();
    assert_eq!(log[1], "use 156ms database_connection_refused", "the second is not cut short");
}
