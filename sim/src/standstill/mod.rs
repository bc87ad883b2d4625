//! Standstills: every connection of a worker is held by a request that waits for a thread or
//! for another connection, and every thread by one that waits for a connection.

mod answer;
mod run;

pub(crate) use answer::standstill;

use model::units::{Instant, Span};
use serde::{Deserialize, Serialize};

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A thread of the pool.
    Thread,
    /// A database connection.
    Connection,
}

/// What the waiting requests of one worker hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waits {
    /// Connections of requests that wait for a thread.
    for_thread: u32,
    /// Connections of requests that wait for another one.
    for_connection: u32,
    /// Threads of requests that wait for a connection.
    threads: u32,
    /// When the standstill began that lasts now.
    since: Option<Instant>,
}

impl Waits {
    /// Connections held at the wait for a thread and at that for a connection, and threads held
    /// at the latter.
    pub(crate) fn counted(&self) -> [u32; 3] {
        [self.for_thread, self.for_connection, self.threads]
    }
}

/// What was seen of standstills in one run, its warm-up included.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// How many there were. One that the pool's timeout ended may be followed by another at once.
    pub count: u64,
    /// When the first began.
    pub first: Option<Instant>,
    /// How long they lasted together, over all workers.
    pub total: Span,
    /// How long the longest lasted.
    pub longest: Span,
    /// How many lasted to the end of the run.
    pub endless: u64,
    /// Most connections held by requests that waited for a thread.
    pub for_thread: u32,
    /// Most connections held by requests that waited for another one.
    pub for_connection: u32,
    /// Most threads held by requests that waited for a connection.
    pub threads: u32,
}
