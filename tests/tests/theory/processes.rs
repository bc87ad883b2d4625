//! Worker processes that end: renewal, and the phases of two clocks.

use sim::observe::ErrorKind;
use tests::claim::{Ratio, error_share};

use crate::case_of;

#[test]
fn a_worker_that_ends_after_so_many_requests() {
    let (rate, requests, boot) = (50.0, 110.0, 1.0);
    let life = (requests + rate / 20.0) / rate;
    case_of("recycle", &[])
        .claim("max_requests: workers replaced per second", 1.0 / life, |o| {
            Ratio(o[0].process.recycled as f64, o[0].window.secs_f64())
        })
        .claim("max_requests: share of time without a worker", boot / life, |o| {
            Ratio(o[0].process.down.area() as f64, o[0].window.nanos() as f64)
        })
        .check();
}

#[test]
fn a_handler_that_blocks_for_a_little_longer_than_the_timeout() {
    let (phase, block) = (0.3, 2.5f64);
    let killed = phase + 1.0 - (3.0 - block).max(phase);
    case_of("worker-timeout", &[])
        .claim("worker timeout: share killed", killed, |o| {
            error_share(&o[0], ErrorKind::WorkerKilled)
        })
        .check();
}
