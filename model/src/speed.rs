//! How fast a machine was while something else was measured on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How fast the processors of a service were, by pieces of work that are always the same. A speed is
/// relative to that of the machine on which the work was first timed: 0.5 takes twice as long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Speed {
    /// Which work: only speeds of the same work can be compared.
    pub witness: String,
    /// Mean over kinds of work and over the counted window.
    pub mean: f64,
    /// The slowest second of the counted windows, of those with several samples.
    pub low: f64,
    /// The fastest second likewise.
    pub high: f64,
    /// CPU time of the witness as a share of one of the service's processors.
    pub share: f64,
    /// By kind of work.
    pub kinds: BTreeMap<String, WorkTime>,
    /// Second by second; empty where several rounds are put together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_time: Vec<SpeedSecond>,
}

/// CPU time of one piece of work, in seconds: the mean of the fastest nine in ten, since what an
/// interrupt adds says nothing of the speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkTime {
    /// How often it was done.
    pub count: u64,
    /// With what the service has left in the caches.
    pub cold: f64,
    /// Right after that, with all in the caches. Speeds are made of this time.
    pub warm: f64,
    /// The speed.
    pub speed: f64,
}

/// The speed in a second of the counted window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpeedSecond {
    /// When it begins, in seconds from the opening of the window.
    pub from: f64,
    /// How often the work was done in it.
    pub count: u64,
    /// The speed.
    pub speed: f64,
}
