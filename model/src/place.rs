//! Where a request's time goes: the places, by number and by name.
//!
//! The first places are fixed; four per upstream follow. Predicted and measured reports
//! name them alike.

use crate::scenario::Scenario;

/// A place by its number.
pub type Place = u8;

/// Waiting to be accepted: for the client, which opens other connections first or sends on
/// them, and for the worker. Retries of a dropped handshake are included.
pub const CONNECT: Place = 0;
/// Waiting for the event loop to come round.
pub const LOOP: Place = 1;
/// On a thread that is ready but has no processor.
pub const CPU_WAIT: Place = 2;
/// Computing.
pub const CPU: Place = 3;
/// Waiting for the interpreter lock.
pub const INTERPRETER: Place = 4;
/// Waiting for a thread-pool token.
pub const THREADS: Place = 5;
/// Waiting for a database connection.
pub const POOL: Place = 6;
/// Polling for a database lock.
pub const LOCK: Place = 7;
/// Waiting for the disk.
pub const DISK: Place = 8;
/// At the database server.
pub const SERVER: Place = 9;
/// In a `sleep` step.
pub const SLEEP: Place = 10;
/// In a `block` step.
pub const BLOCK: Place = 11;
/// Waiting for branches. Replaced by the slowest branch's own places when they join.
pub const GATHER: Place = 12;
/// From the service's last word to the client's clock. Measured only: the simulator's
/// clients are never busy.
pub const REPLY: Place = 13;
/// First place of the first upstream.
pub const UPSTREAMS: Place = 14;

/// Most upstreams of a scenario: a place is numbered in one byte.
pub const UPSTREAMS_MAX: usize = 60;

/// Names of the fixed places, by number.
const FIXED: [&str; UPSTREAMS as usize] = [
    "connect",
    "loop",
    "cpu wait",
    "cpu",
    "interpreter lock",
    "threads",
    "database pool",
    "database lock",
    "disk",
    "database server",
    "sleep",
    "block",
    "gather",
    "reply",
];

/// Waiting for the semaphore of `upstream`.
pub fn semaphore(upstream: u32) -> Place {
    UPSTREAMS + 4 * upstream as Place
}

/// Waiting for a client connection to `upstream`.
pub fn connection(upstream: u32) -> Place {
    semaphore(upstream) + 1
}

/// Waiting for `upstream` to reply.
pub fn exchange(upstream: u32) -> Place {
    semaphore(upstream) + 2
}

/// Pausing before calling `upstream` again.
pub fn backoff(upstream: u32) -> Place {
    semaphore(upstream) + 3
}

/// The names of all places of `scenario`, by number.
pub fn names(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = FIXED.iter().map(|name| name.to_string()).collect();
    for upstream in &scenario.upstreams {
        for part in [" semaphore", " connections", "", " backoff"] {
            names.push(format!("upstream {}{part}", upstream.name));
        }
    }
    names
}
