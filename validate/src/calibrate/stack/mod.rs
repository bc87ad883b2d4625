//! Stacks as data: the probes and recipes of each, and the facts that are not measured.
//!
//! A stack is a file here and a line in [`of`]. Its service runs the application of every
//! scenario, so that most probes and recipes are [shared](shared_probes).

pub(super) mod axum;
mod description;
pub(super) mod fastapi;
pub(super) mod postgres;
pub(super) mod shared_probes;
mod shared_recipes;

use live::stack::Target;

#[cfg(test)]
pub(crate) use description::Hops;
pub(crate) use description::{Fact, LOGNORMALS, Stack};

/// The stack that `live` calls `target`.
pub(crate) fn of(target: Target) -> Stack {
    match target {
        Target::Axum => axum::stack(),
        Target::Fastapi => fastapi::stack(),
        // Nothing of it is measured apart: its scenario says what it costs.
        Target::Own => Stack {
            target,
            probes: Vec::new(),
            recipes: Vec::new(),
            facts: Vec::new(),
            seconds_per_round: 0,
            ..fastapi::stack()
        },
    }
}

/// The database whose costs are measured, with those of the stack itself or alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Databases {
    /// The stack itself, and SQLite
    Sqlite,
    /// Postgres alone: all other costs stay as they are in the profile
    Postgres,
    /// Both
    Both,
}

impl Databases {
    /// The stack that measures them on `target`.
    pub(crate) fn stack(self, target: Target) -> Stack {
        match self {
            Databases::Sqlite => of(target),
            Databases::Postgres => postgres::of(of(target)),
            Databases::Both => of(target).and(postgres::of(of(target))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::scenario::{Concurrency, Server};

    use super::*;
    use crate::calibrate::probe::{Lengths, Probe};

    const BOTH: [Target; 2] = [Target::Axum, Target::Fastapi];

    #[test]
    fn each_probe_is_a_scenario_of_which_nothing_is_burned() {
        let lengths = Lengths::default();
        for stack in BOTH.map(|target| Databases::Both.stack(target)) {
            for probe in &stack.probes {
                let text = probe.text(stack.lock, &lengths);
                let resolved = model::read::load_text(&probe.file_name(), &text, &[]);
                let scenario = resolved.unwrap_or_else(|e| panic!("{probe}: {e}\n{text}")).scenario;
                assert_eq!(scenario.service.server, probe.server);
                assert_eq!(scenario.service.server == Server::Axum, stack.target == Target::Axum);
                assert_eq!(scenario.service.concurrency, probe.concurrency);
                assert_eq!(scenario.load.warmup, lengths.warmup);
                let costs = scenario.costs;
                assert_eq!(costs.interpreter.lock, stack.target == Target::Fastapi);
                for model in [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking] {
                    assert_eq!(costs.cpu(model).request.mean(), 0.0);
                    assert!(costs.cpu(model).statement.is_zero());
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_fit_into_files() {
        for stack in BOTH.map(|target| Databases::Both.stack(target)) {
            let names: BTreeSet<String> = stack.probes.iter().map(Probe::file_name).collect();
            assert_eq!(names.len(), stack.probes.len());
            assert!(names.iter().all(|name| !name.contains([' ', '/'])));
        }
    }

    #[test]
    fn recipes_and_probes_need_each_other() {
        let postgres = BOTH.map(|target| Databases::Postgres.stack(target));
        let both = BOTH.map(|target| Databases::Both.stack(target));
        for stack in BOTH.map(of).into_iter().chain(postgres).chain(both) {
            let run: BTreeSet<&str> = stack.probes.iter().map(|probe| &*probe.name).collect();
            let used = stack.recipes.iter().flat_map(|recipe| &recipe.probes);
            let used: BTreeSet<&str> = used.map(String::as_str).collect();
            assert_eq!(used, run);
        }
    }
}
