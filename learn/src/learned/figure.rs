//! A number, how sure it is, and where it comes from.

pub use model::scenario::Origin;

/// A number with its interval and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure<T = f64> {
    /// The best guess: seconds, a rate per second, a share or a count.
    pub value: T,
    /// Lower end of the 95 % interval; none where nothing is known of it.
    pub low: Option<T>,
    /// Upper end of the 95 % interval; none where nothing is known of it.
    pub high: Option<T>,
    /// Where it comes from.
    pub origin: Origin,
    /// How it was found, in words: "CPU of the process over 200 requests one at a time".
    pub how: String,
    /// What would make it certain, in words; empty if nothing is left to do.
    pub better: String,
}

impl Figure {
    /// So many times it, with its interval.
    #[must_use]
    pub fn times(&self, factor: f64) -> Figure {
        Figure {
            value: factor * self.value,
            low: self.low.map(|low| factor * low),
            high: self.high.map(|high| factor * high),
            ..self.clone()
        }
    }
}

impl<T> Figure<T> {
    /// A number that was seen, with its 95 % interval.
    pub fn measured(value: T, [low, high]: [T; 2], how: impl Into<String>) -> Figure<T> {
        let (low, high) = (Some(low), Some(high));
        Figure {
            value,
            low,
            high,
            origin: Origin::Measured,
            how: how.into(),
            better: String::new(),
        }
    }

    /// A number that follows from measured ones; its interval is not known.
    pub fn derived(value: T, how: impl Into<String>) -> Figure<T> {
        let origin = Origin::Derived;
        Figure { value, low: None, high: None, origin, how: how.into(), better: String::new() }
    }

    /// A usual value, and what would tell the true one.
    pub fn assumed(value: T, how: impl Into<String>, better: impl Into<String>) -> Figure<T> {
        let origin = Origin::Assumed;
        Figure { value, low: None, high: None, origin, how: how.into(), better: better.into() }
    }

    /// Nothing was seen of it.
    pub fn is_assumed(&self) -> bool {
        self.origin == Origin::Assumed
    }

    /// The same with what would make it certain.
    #[must_use]
    pub fn better(self, better: impl Into<String>) -> Figure<T> {
        Figure { better: better.into(), ..self }
    }

    /// The same with an interval.
    #[must_use]
    pub fn within(self, [low, high]: [T; 2]) -> Figure<T> {
        Figure { low: Some(low), high: Some(high), ..self }
    }
}
