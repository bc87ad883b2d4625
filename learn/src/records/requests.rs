//! All requests of the records, in bounded memory.

use std::collections::HashMap;

use super::entry::{Entry, Target};
use crate::paths::{Endpoints, Pattern, Settled};

/// One request. 24 bytes, as there are many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// When it came, seconds since 1970.
    pub start: f64,
    /// Seconds that it stayed; not a number where that is not known.
    stay: f32,
    /// Where it belongs: a leaf until it is settled, then a class.
    pub class: u32,
    /// A number of the user, from 1 on; 0 where that is not known.
    user: u32,
    /// It failed on the side of the service: 500 and above.
    pub failed: bool,
}

impl Request {
    /// A request that came at `start`, of a class, and from a user whose number is 1 or more.
    pub fn new(start: f64, stay: Option<f64>, class: u32, user: Option<u32>) -> Request {
        let stay = stay.map_or(f32::NAN, |stay| stay as f32);
        Request { start, stay, class, user: user.unwrap_or(0), failed: false }
    }

    /// Seconds until it was answered.
    pub fn stay(&self) -> Option<f64> {
        (!self.stay.is_nan()).then_some(f64::from(self.stay))
    }

    /// Whose it is.
    pub fn user(&self) -> Option<u32> {
        (self.user > 0).then_some(self.user)
    }
}

/// All requests of the records.
///
/// Where they are too many to be held, whole minutes of them are left out: within the others nothing is
/// missing.
#[derive(Debug)]
pub struct Requests {
    endpoints: Endpoints,
    /// Those whose time is known and that lie in minutes that are held.
    pub held: Vec<Request>,
    /// Of so many minutes one is held.
    pub every: u64,
    /// Requests that were read.
    pub all: u64,
    /// Of those, requests of which no time is known.
    pub untimed: u64,
    /// Of those, requests that the service had nothing to do with: not counted for any endpoint.
    pub elsewhere: u64,
    /// Times are ends of requests whose duration is not known.
    pub ends_only: bool,
    users: HashMap<u64, u32>,
    most: usize,
}

/// Requests that are held: 360 MB.
const HELD: usize = 15_000_000;
/// Users that are told apart.
const USERS: usize = 1_000_000;
/// Minutes out of which one is held, at most.
const FEWEST: u64 = 1 << 20;

impl Requests {
    /// None yet; `given` are endpoints that the user has named.
    pub fn new(given: Vec<Pattern>) -> Requests {
        Requests::with_room(given, HELD)
    }

    /// The same with room for `most` requests.
    pub fn with_room(given: Vec<Pattern>, most: usize) -> Requests {
        Requests {
            endpoints: Endpoints::new(given),
            held: Vec::new(),
            every: 1,
            all: 0,
            untimed: 0,
            elsewhere: 0,
            ends_only: false,
            users: HashMap::new(),
            most,
        }
    }

    /// One more.
    pub fn add(&mut self, entry: &Entry) {
        self.all += 1;
        if entry.elsewhere {
            self.elsewhere += 1;
            return;
        }
        let (method, status) = (entry.method.as_str(), entry.status);
        let class = match &entry.target {
            Target::Path(path) | Target::Route(path) => self.endpoints.path(method, path, status),
            Target::Named(name, path) => self.endpoints.named(method, name, path, status),
        };
        let Some(start) = entry.came().filter(|time| time.is_finite()) else {
            self.untimed += 1;
            return;
        };
        let stay = entry.stay().filter(|stay| stay.is_finite() && *stay >= 0.0);
        self.ends_only |= stay.is_none() && entry.start.is_none();
        if !holds(start, self.every) {
            return;
        }
        let user = entry.user.map_or(0, |user| {
            let next = self.users.len() as u32 + 1;
            if self.users.len() < USERS {
                *self.users.entry(user).or_insert(next)
            } else {
                self.users.get(&user).copied().unwrap_or(0)
            }
        });
        let failed = status.is_some_and(|status| status >= 500);
        let user = (user > 0).then_some(user);
        self.held.push(Request { failed, ..Request::new(start, stay, class, user) });
        while self.held.len() >= self.most && self.every < FEWEST {
            self.every *= 2;
            let every = self.every;
            self.held.retain(|request| holds(request.start, every));
        }
    }

    /// Puts the requests in the order in which they came and decides what the endpoints are, at most
    /// `most`.
    pub fn settle(self, most: usize) -> (Settled, Vec<Request>) {
        let settled = self.endpoints.settle().at_most(most);
        let mut held = self.held;
        held.sort_unstable_by(|a, b| a.start.total_cmp(&b.start));
        held.iter_mut().for_each(|request| request.class = settled.class[request.class as usize]);
        (settled, held)
    }
}

/// Whether the minute of `time` is held, if one out of `every` is.
pub fn holds(time: f64, every: u64) -> bool {
    every <= 1 || ((time / 60.0).floor() as i64).rem_euclid(every as i64) == 0
}
