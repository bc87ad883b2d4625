//! Standstills, and the settings that remove them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cycle of waits: all connections of a worker were held by requests that waited for a thread
/// or for another connection, all its threads by requests that waited for a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standstill {
    /// Share of the runs that had one, their warm-up included.
    pub runs: f64,
    /// When the first began, in seconds since the start of a run.
    pub first: f64,
    /// Seconds in which a worker stood still, in a run that had one.
    pub seconds: f64,
    /// The longest without a request that gave up, in seconds.
    pub longest: f64,
    /// Connections of a worker, all of them held.
    pub connections: u32,
    /// Most of them held by requests that waited for a thread.
    pub connections_waiting_for_a_thread: u32,
    /// Most of them held by requests that waited for another connection.
    pub connections_waiting_for_a_connection: u32,
    /// Most threads held by requests that waited for a connection.
    pub threads_waiting_for_a_connection: u32,
    /// Locks, all held by requests that waited for one of them, for a connection or for a thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// Rows of the database: requests that waited for one of them waited through its holder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<String>,
    /// The key of the patience that ends it; none if nothing does.
    pub ended_by: Option<String>,
    /// One lasted to the end of a run.
    pub endless: bool,
    /// Settings, each of which removes it.
    pub remedies: Vec<Remedy>,
}

impl Standstill {
    /// One sentence each: which requests held and waited for which resource, how the standstill ended,
    /// and which setting prevents it.
    pub fn sentence(&self) -> String {
        let mut held = Vec::new();
        if self.connections_waiting_for_a_thread > 0 {
            held.push(format!(
                "{} of the {} connections of a worker were held by requests that waited for a \
                 thread, {} threads by requests that waited for a connection",
                self.connections_waiting_for_a_thread,
                self.connections,
                self.threads_waiting_for_a_connection
            ));
        }
        if self.connections_waiting_for_a_connection > 0 {
            held.push(format!(
                "{} of the {} connections of a worker were held by requests that waited for \
                 another one{}",
                self.connections_waiting_for_a_connection,
                self.connections,
                if self.rows.is_empty() { "" } else { ", or for one that did" },
            ));
        }
        if !self.rows.is_empty() {
            let rows: Vec<String> =
                self.rows.iter().map(|rows| format!("`database.row.{rows}`")).collect();
            held.push(format!(
                "requests waited for {} that others of them had locked",
                rows.join(" and ")
            ));
        }
        if !self.locks.is_empty() {
            let locks: Vec<String> = self.locks.iter().map(|lock| format!("`{lock}`")).collect();
            held.push(format!(
                "{} {} held by requests that waited, directly or through others, for each other",
                if locks.len() == 1 { "the lock" } else { "the locks" },
                format_args!(
                    "{} {}",
                    locks.join(" and "),
                    if locks.len() == 1 { "was" } else { "were" }
                )
            ));
        }
        let ended = match (&self.ended_by, self.endless) {
            (Some(key), false) => format!("`{key}` ended it"),
            (Some(key), true) => format!("`{key}` ends it; it lasted to the end of a run"),
            (None, _) => "nothing ended it, for these requests wait forever".into(),
        };
        let remedies: Vec<String> =
            self.remedies.iter().map(|set| format!("`{} = {}`", set.key, set.value)).collect();
        let advice = match remedies[..] {
            [] => "Take the locks in one order everywhere, and nothing that others wait for inside"
                .into(),
            _ => format!("Each of these removes it: {}", remedies.join(", ")),
        };
        format!(
            "a standstill in {:.0} % of the runs, for {:.1} s of each: {}. {ended}. {advice}",
            self.runs * 100.0,
            self.seconds,
            held.join("; "),
        )
    }
}

/// A setting that removes a standstill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// The key that `--set` takes.
    pub key: String,
    /// Its value.
    pub value: String,
}
