//! What sees the waiting of a request: spans that the service sends, or proxies in front of what
//! it waits for.

use std::collections::BTreeMap;

use super::decide::Alone;
use crate::learned::{Database, Figure, Hold, Step, Upstream};

/// What requests wait for.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The endpoints by name.
    pub endpoints: BTreeMap<String, SeenEndpoint>,
    /// What they call.
    pub upstreams: Vec<Upstream>,
    /// The database that they use.
    pub database: Option<Database>,
    /// What cannot be said in steps, in whole sentences.
    pub notes: Vec<String>,
}

/// What an endpoint waits for.
#[derive(Clone, Debug, Default)]
pub struct SeenEndpoint {
    /// Its steps in order; CPU time as shares of the whole. Empty where it calls and queries
    /// nothing.
    pub steps: Vec<Step>,
    /// How long it keeps a connection to the database; none where that was not seen.
    pub hold: Option<Figure<Hold>>,
}

/// Connections to databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Open now.
    pub open: usize,
    /// The most that had a statement or a transaction under way at one time, since this was asked
    /// last.
    pub busy: usize,
}

/// Sees what requests wait for that are sent one at a time: what passes between `begins` and
/// `ended` belongs to one request.
pub trait Witness {
    /// A request is sent next.
    fn begins(&mut self);
    /// It was answered; it was one of the endpoint `name`.
    fn ended(&mut self, name: &str, good: bool);
    /// What the requests waited for since the last call of this, given what is known of each
    /// endpoint one request at a time, by name.
    fn seen(&mut self, cpu: &BTreeMap<String, Alone>) -> Seen;
    /// The connections to databases; none if nothing counts them.
    fn connections(&mut self) -> Option<Connections> {
        None
    }
    /// How long it took to open each connection to a database since the last call of this, seconds:
    /// until the server took statements.
    fn openings(&mut self) -> Vec<f64> {
        Vec::new()
    }
    /// What is to be said in the end, in whole sentences.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}
