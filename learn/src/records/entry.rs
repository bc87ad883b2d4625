//! One request as a record tells it.

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A path or an address, with or without its query.
    Path(String),
    /// A route, as the router has it: `/items/{id}`.
    Route(String),
    /// A name that is no path: `list_items`; and the path, if it is known.
    Named(String, String),
}

/// One request as a record tells it. What it does not tell is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it came, seconds since 1970.
    pub start: Option<f64>,
    /// When it was answered, seconds since 1970.
    pub end: Option<f64>,
    /// Seconds in between.
    pub duration: Option<f64>,
    /// The method in capitals; empty if it is not known.
    pub method: String,
    /// What was asked for.
    pub target: Target,
    /// The status of the reply.
    pub status: Option<u16>,
    /// Who asked: an address, a number of a user.
    pub user: Option<u64>,
    /// The service had nothing to do with it: a proxy in front of it answered, or no connection was
    /// made.
    pub elsewhere: bool,
}

impl Entry {
    /// A request of which nothing but its target is known.
    pub fn of(method: &str, target: Target) -> Entry {
        Entry {
            start: None,
            end: None,
            duration: None,
            method: method.to_ascii_uppercase(),
            target,
            status: None,
            user: None,
            elsewhere: false,
        }
    }

    /// When it came, if that can be known.
    pub fn came(&self) -> Option<f64> {
        self.start.or_else(|| Some(self.end? - self.duration.unwrap_or(0.0)))
    }

    /// How long it stayed, if that can be known.
    pub fn stay(&self) -> Option<f64> {
        self.duration.or_else(|| Some((self.end? - self.start?).max(0.0)))
    }
}

/// A user by what tells it from others.
pub(super) fn user(name: &str) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    if name.is_empty() || name == "-" {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    Some(hasher.finish())
}

/// Whether `method` can be one; what clients send is not checked by all servers.
pub(super) fn is_method(method: &str) -> bool {
    (1..=16).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_')
}
