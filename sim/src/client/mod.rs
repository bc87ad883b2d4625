//! The clients of the service: users, arrivals, patience, and the connections that they open.

mod answer;
mod run;

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
}
