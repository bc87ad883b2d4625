//! The answer over time, from the first request to the end of the counted window.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened when: means over runs, by intervals of equal length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverTime {
    /// Runs that the numbers are means of; their response times are put together.
    pub runs: u32,
    /// The intervals, in order.
    pub intervals: Vec<Interval>,
}

/// An interval of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// When it begins, in seconds since the load began, warm-up included.
    pub from: f64,
    /// When it ends.
    pub to: f64,
    /// Requests sent per second.
    pub sent: f64,
    /// Good answers per second.
    pub good: f64,
    /// Requests per second that ended in an error.
    pub errors: f64,
    /// Half of the good answers in it took at most this many seconds; none without one.
    pub p50: Option<f64>,
    /// 99 of 100 did; none with fewer than 100.
    pub p99: Option<f64>,
    /// Requests in flight at its end.
    pub in_flight: f64,
}
