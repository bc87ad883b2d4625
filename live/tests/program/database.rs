//! The database: pools that are empty, locks that are held.

use crate::support::Lab;

#[test]
fn a_pool_whose_connections_wait_for_an_upstream_runs_dry() {
    let lab = Lab::new(
        r#"
        load = { users = 6, duration = "1s" }
        service.concurrency = "async"
        upstream.partner.latency = "60ms"
        [database]
        hold = "request"
        connections = { kind = "pool", size = 1, overflow = 0, timeout = "20ms" }
        [[endpoint]]
        name = "quote"
        weight = 1
        steps = [{ read = "item" }, { call = "partner" }]
        "#,
    );
    for concurrency in ["async", "threadpool"] {
        let kept = lab.run(&format!("--set service.concurrency={concurrency}"));
        kept.has_errors_of(&["pool_timeout"]);
        assert!(kept.report.run.samples > 0, "{concurrency}");
        let pool = kept.station("database pool").expect("it is used");
        assert_eq!(pool.capacity, Some(1), "{concurrency}");
        assert!(pool.utilisation > 0.5, "{pool:?}");
        kept.every_request_visited(pool);
    }
}

/// Writers whose transactions are long, on threads of their own.
fn writers(patience: &str) -> Lab {
    Lab::new(&format!(
        r#"
        load = {{ users = 6, duration = "1s" }}
        service.concurrency = "threadpool"
        database = {{ journal_mode = "delete", busy_timeout = "{patience}" }}
        costs.query.slow.engine = "4ms"
        [[endpoint]]
        name = "order"
        weight = 1
        steps = [{{ transaction = [{{ write = "slow" }}, {{ write = "slow" }}], begin = "immediate" }}]
        "#
    ))
}

#[test]
fn an_impatient_writer_finds_the_database_locked() {
    let kept = writers("0s").run("");
    kept.has_errors_of(&["database_busy"]);
    assert!(kept.report.run.samples > 0);
}

#[test]
fn a_patient_writer_waits_for_the_lock() {
    // SQLite has no queue: one writer may have the lock for a second while all others look in vain.
    let kept = writers("60s").run("--set load.duration=6s");
    kept.has_errors_of(&[]);
    let lock = kept.station("database lock").expect("writers visit it");
    assert!(lock.waiting_time_mean > 0.0 && lock.utilisation > 0.0, "{lock:?}");
    let waits = kept.report.time.iter().find(|part| part.place.to_string() == "database lock");
    assert!(waits.is_some_and(|part| part.seconds > 0.0), "{waits:?}");
}

#[test]
fn a_driver_that_blocks_serves_as_well() {
    let lab = Lab::new(
        r#"
        load = { users = 4, duration = "1s" }
        service.concurrency = "async"
        [database]
        driver = "sync"
        pragmas = 2
        connections = { kind = "pool", size = 2 }
        [[endpoint]]
        name = "order"
        weight = 1
        steps = [{ transaction = [{ read = "stock" }, { write = "order" }] }, { read = "order" }]
        "#,
    );
    let kept = lab.run("");
    kept.has_errors_of(&[]);
    // Two visits of the pool for each request.
    let pool = kept.station("database pool").expect("it is used");
    let good = kept.report.throughput.value;
    assert!(pool.visits > 1.5 * good, "{} visits for {good} answers", pool.visits);
}
