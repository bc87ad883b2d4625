//! The description of a stack.

use live::stack::Target;
use model::scenario::EventLoop;
use toml_edit::Value;

use crate::calibrate::probe::Probe;
use crate::calibrate::reading::Caches;
use crate::calibrate::recipe::Recipe;

/// Costs that are measured as a median, a quantile and a mean, and written as one value.
pub(crate) const LOGNORMALS: [&str; 2] = ["disk.sync", "disk.log_sync"];

/// A stack, as far as calibration and prediction must know it.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Its name in `live`.
    pub(crate) target: Target,
    /// One thread of a process computes at a time.
    pub(crate) lock: bool,
    /// Scenarios that mean another stack burn the costs of that one on top.
    pub(crate) burns: bool,
    /// The order of its event loop, whatever the scenario's is; none if it is the scenario's.
    pub(crate) event_loop: Option<EventLoop>,
    /// How its caches lose data.
    pub(crate) caches: Caches,
    /// In the order in which a round runs them.
    pub(crate) probes: Vec<Probe>,
    /// Every cost that is measured, in the order of the profile.
    pub(crate) recipes: Vec<Recipe>,
    /// Values of the profile that are not measured.
    pub(crate) facts: Vec<Fact>,
    /// About how long a round of all probes takes.
    pub(crate) seconds_per_round: u32,
}

/// A value of a profile, with its table.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// The table of the profile, with dots.
    pub(crate) table: String,
    /// Its key there.
    pub(crate) key: String,
    /// As it is written.
    pub(crate) value: Value,
    /// Why it is so.
    pub(crate) comment: String,
}

impl Fact {
    pub(crate) fn new(
        table: impl Into<String>,
        key: &str,
        value: impl Into<Value>,
        comment: impl Into<String>,
    ) -> Fact {
        Fact { table: table.into(), key: key.into(), value: value.into(), comment: comment.into() }
    }
}

/// Round trips to the thread of a database connection, by what asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hops {
    /// A statement, up to where it is executed.
    pub(crate) statement: u32,
    /// The rows of a read.
    pub(crate) fetch: u32,
    /// The end of a statement.
    pub(crate) finish: u32,
    /// A commit.
    pub(crate) commit: u32,
    /// The end of a read.
    pub(crate) rollback: u32,
    /// A connection that goes back.
    pub(crate) release: u32,
    /// Opening a connection.
    pub(crate) open: u32,
    /// Closing it.
    pub(crate) close: u32,
}

impl Hops {
    /// All of a read on a connection that is open.
    pub(crate) const fn read(&self) -> u32 {
        self.statement + self.fetch + self.finish + self.rollback + self.release
    }
}

impl Stack {
    /// This stack, and the probes and costs of `other` that it has not.
    pub(crate) fn and(mut self, other: Stack) -> Stack {
        let known: Vec<String> = self.probes.iter().map(|probe| probe.name.clone()).collect();
        let fresh: Vec<Probe> =
            other.probes.into_iter().filter(|probe| !known.contains(&probe.name)).collect();
        self.seconds_per_round += other.seconds_per_round;
        self.probes.extend(fresh);
        self.recipes.extend(other.recipes);
        self.facts.extend(other.facts);
        self
    }

    /// This stack with the costs alone that `names` name, by key or by table, and the probes that
    /// these need.
    ///
    /// # Errors
    /// A name that no cost has.
    pub(crate) fn only(mut self, names: &[String]) -> Result<Stack, UnknownCost> {
        // A lognormal is one value in the profile: it is measured as a whole.
        let names = names.iter().map(|name| {
            let whole = LOGNORMALS.iter().find(|whole| name.starts_with(**whole));
            whole.map_or(name.as_str(), |whole| whole)
        });
        let names: Vec<&str> = names.collect();
        let has = |key: &str, name: &str| {
            key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for &name in &names {
            let keys = || self.recipes.iter().map(|recipe| recipe.key.as_str());
            if !keys().any(|key| has(key, name)) {
                let nearest = keys().min_by_key(|key| strsim::osa_distance(key, name));
                let (name, nearest) = (name.to_string(), nearest.unwrap_or_default().to_string());
                return Err(UnknownCost { target: self.target, name, nearest });
            }
        }
        self.recipes.retain(|recipe| names.iter().any(|name| has(&recipe.key, name)));
        let recipes = &self.recipes;
        self.probes
            .retain(|probe| recipes.iter().any(|recipe| recipe.probes.contains(&probe.name)));
        Ok(self)
    }
}

/// A cost that is not measured on a stack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no cost that is measured on {}; did you mean `{nearest}`?", target.name())]
pub(crate) struct UnknownCost {
    target: Target,
    name: String,
    nearest: String,
}
