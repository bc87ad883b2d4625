//! Open queues in front of one server or several.

use sim::observe::ErrorKind;
use tests::claim::{busy_cores, error_share, in_flight, response_time, response_time_quantile};
use tests::closed_form::{
    Lognormal, Service, group_commit_time, ipp_m1_response_time, mg1_response_time, mm1_quantile,
    mm1_share_out_of_patience, mmc_patience, mmc_response_time,
};

use crate::case_of;

/// Buckets of a response-time histogram are at most this wide, relative to their value,
/// and report their upper end.
const BUCKET: f64 = 1e-3;

#[test]
fn mm1() {
    let quantile = |probability| mm1_quantile(50.0, 0.01, probability);
    case_of("mm1", &[])
        .claim("M/M/1: utilisation", 0.5, |o| busy_cores(&o[0]))
        .claim("M/M/1: in flight", 1.0, |o| in_flight(&o[0]))
        .claim("M/M/1: mean response time", 0.02, |o| response_time(&o[0]))
        .claim_within("M/M/1: median", quantile(0.5), BUCKET, |o| {
            response_time_quantile(&o[0], 0.5)
        })
        .claim_within("M/M/1: 90th percentile", quantile(0.9), BUCKET, |o| {
            response_time_quantile(&o[0], 0.9)
        })
        .claim_within("M/M/1: 99th percentile", quantile(0.99), BUCKET, |o| {
            response_time_quantile(&o[0], 0.99)
        })
        .check();
}

#[test]
fn mm1_on_a_cpu_twice_as_fast() {
    let wanted = mg1_response_time(100.0, Service::exponential(0.005));
    case_of("mm1", &["cpu.speed=2", "load.rate=100/s", "load.duration=500s"])
        .claim("M/M/1 on a CPU twice as fast: mean", wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn md1() {
    let wanted = mg1_response_time(60.0, Service::constant(0.01));
    case_of("md1", &[])
        .claim("M/D/1: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn mg1() {
    let wanted = mg1_response_time(50.0, Lognormal::through(0.007, 0.056).service());
    case_of("mg1", &[])
        .claim("M/G/1 lognormal: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

/// A loop that works on after each reply: the next request waits for all of that, its own reply does not.
#[test]
fn mg1_with_work_after_the_reply() {
    let (rate, before, after) = (60.0, 0.004, 0.006);
    let mean: f64 = before + after;
    let scv = (before * before + after * after) / (mean * mean);
    let wanted = mg1_response_time(rate, Service { mean, scv }) - after;
    case_of("after", &[])
        .claim("M/G/1 with work after the reply: mean response time", wanted, |o| {
            response_time(&o[0])
        })
        .claim("M/G/1 with work after the reply: busy cores", rate * mean, |o| busy_cores(&o[0]))
        .check();
}

#[test]
fn mmc() {
    let wanted = mmc_response_time(280.0, 0.01, 4);
    case_of("mmc", &[])
        .claim("M/M/4: mean response time", wanted, |o| response_time(&o[0]))
        .claim("M/M/4: busy cores", 2.8, |o| busy_cores(&o[0]))
        .check();
}

/// With a queue for each worker (four times M/M/1) the mean would be 33 ms instead of 13.6 ms.
#[test]
fn mmc_of_sync_workers() {
    let wanted = mmc_response_time(280.0, 0.01, 4);
    case_of("sync-workers", &[])
        .claim("M/M/4 of sync workers: mean response time", wanted, |o| response_time(&o[0]))
        .claim("M/M/4 of sync workers: busy cores", 2.8, |o| busy_cores(&o[0]))
        .check();
}

/// Servers that do not hear of a client that left serve its request: the queue is that of
/// patient clients, and not Erlang A, in which those who leave make room.
#[test]
fn mmc_whose_clients_draw_their_patience() {
    let (gone, response_time_wanted) = mmc_patience(280.0, 0.01, 4, 0.03);
    case_of("mmc", &["load.timeout={ mean = \"30ms\" }"])
        .claim("M/M/4 with patience: share that gives up", gone, |o| {
            error_share(&o[0], ErrorKind::Timeout)
        })
        .claim("M/M/4 with patience: mean of the good answers", response_time_wanted, |o| {
            response_time(&o[0])
        })
        .claim("M/M/4 with patience: busy cores", 2.8, |o| busy_cores(&o[0]))
        .check();
}

#[test]
fn bursts() {
    let wanted = ipp_m1_response_time(100.0, 0.05, 0.05, 0.01);
    let on_off = "load.on_off={ on = { mean = \"50ms\" }, off = { mean = \"50ms\" } }";
    case_of("mm1", &["load.rate=100/s", on_off])
        .claim("IPP/M/1: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn mmc_at_a_lock() {
    case_of("lock", &[])
        .claim(
            "M/M/1 at a lock: mean response time",
            mg1_response_time(60.0, Service::exponential(0.01)),
            |o| response_time(&o[0]),
        )
        .check();
    case_of("lock", &["lock.account.holders=4", "load.rate=280/s", "load.duration=400s"])
        .claim(
            "M/M/4 at a lock of four holders: mean response time",
            mmc_response_time(280.0, 0.01, 4),
            |o| response_time(&o[0]),
        )
        .check();
}

#[test]
fn constant_patience_at_a_lock() {
    case_of("lock", &["lock.account.timeout=15ms", "load.rate=100/s"])
        .claim(
            "M/M/1 with constant patience at a lock: share that gives up",
            mm1_share_out_of_patience(100.0, 0.01, 0.015),
            |o| error_share(&o[0], ErrorKind::LockTimeout),
        )
        .check();
}

#[test]
fn mmc_at_the_database_server() {
    let wanted = mmc_response_time(140.0, 0.01, 2);
    case_of("database-server", &[])
        .claim("database server, M/M/2: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

/// A server with processors for all, behind a pooler with four connections to it.
#[test]
fn mmc_at_the_connections_of_a_pooler() {
    let sets = [
        "database.cores=64",
        "database.pooler=pgbouncer",
        "database.pgbouncer={ default_pool_size = 4, max_client_conn = 100000, query_wait_timeout = \"never\" }",
        "load.rate=280/s",
    ];
    let wanted = mmc_response_time(280.0, 0.01, 4);
    case_of("database-server", &sets)
        .claim("PgBouncer, M/M/4: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

/// Whoever comes next: a row that is only locked is passed on in order, one that is changed by chance.
#[test]
fn mm1_at_a_row_of_the_database() {
    let wanted = mg1_response_time(60.0, Service::exponential(0.01));
    case_of("hot-row", &[])
        .claim("M/M/1 at a row: mean response time", wanted, |o| response_time(&o[0]))
        .check();
    let changes = "endpoint.order.steps[0].transaction[0]={ write = \"lock\", locks = \"stock\" }";
    case_of("hot-row", &[changes])
        .claim("M/M/1 at a row that is changed: mean response time", wanted, |o| {
            response_time(&o[0])
        })
        .check();
    let four = ["database.row.stock.count=4", "load.rate=240/s", "load.duration=200s"];
    case_of("hot-row", &four)
        .claim("M/M/1 at each of four rows: mean response time", wanted, |o| response_time(&o[0]))
        .check();
}

/// `statement_timeout` is a constant patience where the statement that locks the row does nothing else,
/// and the row is held by a session that is idle in its transaction.
#[test]
fn constant_patience_at_a_row_of_the_database() {
    let steps = "[{ read = \"lock\", locks = \"stock\" }, { sleep = { mean = \"10ms\" } }]";
    let sets = [
        "database.statement_timeout=15ms",
        "database.transactions=session",
        "database.hold=handler",
        "load.rate=100/s",
        &format!("endpoint.order.steps={steps}"),
    ];
    case_of("hot-row", &sets)
        .claim(
            "M/M/1 with constant patience at a row: share that gives up",
            mm1_share_out_of_patience(100.0, 0.01, 0.015),
            |o| error_share(&o[0], ErrorKind::DatabaseStatementTimeout),
        )
        .check();
}

#[test]
fn commits_share_the_syncs_of_the_log() {
    let (rate, sync) = (100.0, 0.01);
    let wanted = group_commit_time(rate, sync);
    // Without sharing, the log would be full at this rate.
    case_of("group-commit", &[])
        .claim("group commit: mean response time", wanted, |o| response_time(&o[0]))
        .check();
    case_of("group-commit", &["load.rate=400/s", "load.duration=200s"])
        .claim(
            "group commit, four a sync: mean response time",
            group_commit_time(400.0, sync),
            |o| response_time(&o[0]),
        )
        .check();
}
