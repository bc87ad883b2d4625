//! The clients of the service: users, arrivals, patience, and the connections that they open.

mod answer;
mod budget;
mod gone;
mod keep_alive;
mod retry;
mod run;

use std::collections::VecDeque;

use model::scenario::{Group, Source};
use model::units::Instant;
use model::workload::{Arrivals, RequestKey};

use crate::engine::{Due, NONE};

pub(crate) use answer::Observed;
pub(crate) use answer::{bound_of_load, candidates};
pub(crate) use budget::{advise_budget, search};
pub(crate) use run::CONNECT_ONLY;

/// The open arrivals of one load, and the users that carry them.
#[derive(Debug)]
pub(crate) struct Door {
    arrivals: Arrivals,
    /// The next arrival.
    pub(crate) next: Due,
    index: u64,
    /// Users that wait for an arrival, the one that has waited longest first.
    idle: VecDeque<u32>,
    users: u32,
    users_most: u32,
}

impl Door {
    /// The door of `group` under `seed`; none of a closed load.
    pub(crate) fn of(seed: u64, group: &Group) -> Option<Door> {
        let (Source::Open { max_users, .. } | Source::Replay { max_users, .. }) = group.load.source
        else {
            return None;
        };
        Some(Door {
            arrivals: Arrivals::of(seed, group)?,
            next: Due::NEVER,
            index: 0,
            idle: VecDeque::new(),
            users: 0,
            users_most: max_users.unwrap_or(u32::MAX),
        })
    }
}

/// A user of the load generator and its connection.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// The load that it belongs to.
    pub(crate) group: u32,
    /// Its number in that load.
    pub(crate) number: u32,
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
    /// What it sends again after its pause, and since when it pauses.
    again: Option<(Attempt, Instant)>,
}

/// An attempt of a request.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// The key of the request.
    key: RequestKey,
    class: u32,
    /// Its number, from 0 for the first.
    number: u32,
    /// When the first attempt was sent.
    first: Instant,
}

impl User {
    /// A user that has sent nothing.
    pub(crate) fn new(group: u32, number: u32, idle: bool) -> User {
        let (worker, closed) = (NONE, Instant::NEVER);
        User { group, number, iteration: 0, worker, idle, reached: 0, closed, again: None }
    }
}
