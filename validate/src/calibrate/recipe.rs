//! How a cost follows from the probes of one round.

use std::fmt;

use super::document::CostUnit;
use super::reading::Round;

/// How a cost is made of readings.
pub(crate) struct Recipe {
    /// Its key in the profile.
    pub(crate) key: String,
    /// Its unit.
    pub(crate) unit: CostUnit,
    /// Names of the probes that it uses.
    pub(crate) probes: Vec<String>,
    /// How it is measured, in words.
    pub(crate) how: String,
    /// The formula; NaN if a probe has no good answer.
    value: Box<dyn Fn(&Round<'_>) -> f64>,
}

impl Recipe {
    /// A cost in seconds.
    pub(crate) fn new<P: Into<String>>(
        key: impl Into<String>,
        probes: impl IntoIterator<Item = P>,
        how: impl Into<String>,
        value: impl Fn(&Round<'_>) -> f64 + 'static,
    ) -> Recipe {
        Recipe {
            key: key.into(),
            unit: CostUnit::Time,
            probes: probes.into_iter().map(Into::into).collect(),
            how: how.into(),
            value: Box::new(value),
        }
    }

    /// With more probes that it needs.
    #[must_use]
    pub(crate) fn with(mut self, probes: &[&str]) -> Recipe {
        self.probes.extend(probes.iter().map(|name| name.to_string()));
        self
    }

    /// In bytes.
    #[must_use]
    pub(crate) fn bytes(self) -> Recipe {
        Recipe { unit: CostUnit::Bytes, ..self }
    }

    /// Its value from a round; NaN if a probe has no good answer.
    pub(crate) fn of(&self, round: &Round<'_>) -> f64 {
        (self.value)(round)
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Recipe").field("key", &self.key).finish_non_exhaustive()
    }
}
