//! Rows that statements lock, and what the server ends: on real services at a real server.

use testkit::has_postgres;

use crate::fastapi::python::options;
use crate::support::{Kept, Lab};

/// Eight users, each in a transaction with `statements`, on a `server` with these keys.
fn lab(server: &str, statements: &str) -> Lab {
    Lab::new(&format!(
        r#"
        load = {{ users = 8, warmup = "200ms", duration = "2s" }}
        service.concurrency = "async"
        [database]
        engine = "postgres"
        connections = {{ kind = "pool", size = 8, overflow = 0 }}
        {server}
        [[endpoint]]
        name = "pay"
        weight = 1
        steps = [{{ transaction = [{statements}] }}]
        "#
    ))
}

const HOT: &str = "round_trip = \"5ms\"\n row.account = {}";
const HOLDS: &str = r#"{ read = "item", locks = "account" }, { read = "item" }"#;
const CHANGES: &str = r#"{ write = "item", locks = "account" }, { read = "item" }"#;
const CROSSED: &str =
    r#"{ write = "item", locks = "account" }, { write = "item", locks = "account", nth = 2 }"#;

/// Each client library: sqlx, asyncpg and psycopg.
fn everywhere(test: impl Fn(&str)) {
    if !has_postgres() {
        return;
    }
    test("");
    test("--set service.concurrency=threadpool");
    let Some(on) = options() else { return };
    test(&on);
    test(&format!("{on} --set service.concurrency=threadpool"));
}

fn lock_waits(kept: &Kept) -> f64 {
    kept.measurement().database.as_ref().map_or(0.0, |server| server.lock_waits)
}

#[test]
fn one_transaction_at_a_time_holds_a_hot_row() {
    everywhere(|on| {
        for statements in [HOLDS, CHANGES] {
            let kept = lab(HOT, statements).run(on);
            kept.has_errors_of(&[]);
            // Two round trips pass from the lock to the commit.
            let throughput = kept.report.throughput.value;
            assert!(throughput > 0.0 && throughput <= 101.0, "{on} {statements}: {throughput}");
            assert!(lock_waits(&kept) > 1.0, "{on} {statements}: {}", lock_waits(&kept));
            let row = kept.station("row account").expect("it was locked");
            assert!(row.capacity == Some(1) && row.visits > 0.0, "{on} {statements}: {row:?}");
            assert!(row.utilisation > 0.1, "{on} {statements}: {row:?}");
        }
    });
}

#[test]
fn rows_of_their_own_keep_nobody_waiting() {
    everywhere(|on| {
        let kept = lab("round_trip = \"5ms\"\n row.account.count = 20000", HOLDS).run(on);
        kept.has_errors_of(&[]);
        assert!(lock_waits(&kept) < 0.5, "{on}: {}", lock_waits(&kept));
        assert!(kept.station("row account").is_some_and(|row| row.visits > 0.0), "{on}");
    });
}

#[test]
fn rows_in_opposite_order_are_a_deadlock() {
    everywhere(|on| {
        let server = "round_trip = \"5ms\"\n row.account.count = 2\n deadlock_timeout = \"20ms\"";
        let kept = lab(server, CROSSED).run(on);
        kept.has_errors_of(&["database_deadlock"]);
        assert!(kept.report.run.samples > 0, "{on}");
        let counts = kept.measurement().database.as_ref().and_then(|server| server.counts);
        assert!(counts.is_some_and(|counts| counts.deadlocks > 0.0), "{on}: {counts:?}");
    });
}

#[test]
fn the_server_s_patience_ends_waits_and_sessions() {
    everywhere(|on| {
        for (server, kind) in [
            ("lock_timeout = \"15ms\"", "database_lock_timeout"),
            ("statement_timeout = \"25ms\"", "database_statement_timeout"),
        ] {
            let kept = lab(&format!("{HOT}\n{server}"), CHANGES).run(on);
            kept.has_errors_of(&[kind]);
        }
        let idle = "round_trip = { low = \"1ms\", high = \"500ms\" }\n\
                    idle_in_transaction_session_timeout = \"400ms\"";
        let lab = lab(idle, r#"{ read = "item" }, { write = "item" }"#);
        let kept = lab.run(&format!("{on} --set load.duration=6s"));
        kept.has_errors_of(&["database_idle_in_transaction"]);
        assert!(kept.report.run.samples > 0, "{on}");
    });
}
