//! The clients of the service: users, arrivals, patience, and the connections that they open.

mod answer;
mod keep_alive;
mod run;

use model::units::Instant;

use crate::engine::NONE;

pub(crate) use answer::{bound_of_load, candidates};
pub(crate) use run::CONNECT_ONLY;

/// A user of the load generator and its connection.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// Requests sent so far.
    pub(crate) iteration: u64,
    /// The worker that its open connection leads to, or [`crate::engine::NONE`].
    pub(crate) worker: u32,
    /// Between requests.
    pub(crate) idle: bool,
    /// The last request that the service has from it, as a number of requests sent.
    pub(crate) reached: u64,
    /// When it learns that the service closed its connection; [`Instant::NEVER`] if it did not.
    pub(crate) closed: Instant,
}

impl User {
    /// A user that has sent nothing.
    pub(crate) fn new(idle: bool) -> User {
        User { iteration: 0, worker: NONE, idle, reached: 0, closed: Instant::NEVER }
    }
}
