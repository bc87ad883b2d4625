//! Queries that only some requests ask.
//!
//! Steps have no chances. A step for each of many such queries would be a round trip for each of them
//! in every request, and a request makes few: it asks one of several alternatives, or has a statement
//! prepared now and then. So one step stands for as many of them as one request asks on average, where
//! they come in its order, and takes the time of all.

use super::names::Names;

/// Queries that no step stands for yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Sometimes {
    /// How many of them a request asks on average.
    count: f64,
    /// Seconds that they take of a request on average, their round trips included.
    seconds: f64,
    /// The last of them.
    query: String,
    /// All of them in words, with their shares.
    parts: Vec<String>,
}

/// Shares that were counted in few requests add up to one only nearly.
const NEARLY_ONE: f64 = 0.9;
/// At the end, more than this is one.
const HALF: f64 = 0.5;

impl Sometimes {
    /// A query that a share of the requests ask, and that takes so many seconds where it is asked.
    pub(super) fn add(&mut self, query: &str, share: f64, seconds: f64) {
        self.count += share;
        self.seconds += share * seconds;
        self.query = query.to_owned();
        self.parts.push(format!("{query} ({:.0} %)", share * 100.0));
    }

    /// The name of the query of a step, if it is time for one.
    pub(super) fn step(&mut self, names: &mut Names) -> Option<String> {
        (self.count >= NEARLY_ONE).then(|| self.end(names))
    }

    /// The same for what is left at the end: one step if it is half of a query or more, or takes longer
    /// than the round trip of a step.
    pub(super) fn rest(&mut self, names: &mut Names) -> Option<String> {
        (self.count >= HALF || self.seconds > names.trip()).then(|| self.end(names))
    }

    fn end(&mut self, names: &mut Names) -> String {
        let name = names.in_place_of(&self.query, &self.parts, self.seconds);
        // What the step is too much of, the next is too little of.
        let count = self.count - 1.0;
        *self = Sometimes { count, ..Sometimes::default() };
        name
    }
}
