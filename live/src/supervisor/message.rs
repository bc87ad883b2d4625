//! What parent and child say to each other: one line of JSON each.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};

/// From the parent to a child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order<S> {
    /// Begin, with this.
    Start(S),
    /// The load began at this instant of the machine's monotonic clock, in nanoseconds.
    LoadBegan(u64),
    /// Say what you have counted.
    Snapshot,
    /// End.
    Stop,
}

/// From a child to its parent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply<R, B> {
    /// It has begun.
    Ready(R),
    /// What it has counted.
    Snapshot(B),
    /// It cannot go on.
    Failed(String),
}

/// Sends a message.
pub(super) fn send(mut stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}
