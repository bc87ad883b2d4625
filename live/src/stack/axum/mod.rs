//! axum, sqlx and reqwest: workers that are this program itself.

mod worker;
mod workers;

use std::collections::BTreeMap;
use std::path::Path;

use model::read::{Diagnostic, Resolved};
use model::scenario::{Concurrency, Scenario};

use super::{Install, Installation, Service, Stack, StackError, StartOptions};
use crate::versions;
use workers::Workers;

pub use worker::run as run_worker_process;

/// The stack, which is part of this program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axum;

impl Stack for Axum {
    fn refusals(&self, resolved: &Resolved) -> Vec<Diagnostic> {
        let scenario = &resolved.scenario;
        let mut found = Vec::new();
        if scenario.endpoints.iter().any(|endpoint| endpoint.validates(scenario)) {
            found.push(resolved.refusal(
                "service.response_model",
                "a response model, which the scenario has or which follows from its `hold`, is \
                 validated on a thread; axum does no such thing",
                "false with --target axum",
                "measure with --target fastapi, or with --set service.response_model=false",
            ));
        }
        if scenario.endpoints.iter().any(|endpoint| endpoint.dependencies(scenario) > 0) {
            found.push(resolved.refusal(
                "service.dependencies",
                "`def` dependencies, which the scenario has or which follow from its `hold`, take \
                 threads; axum has none",
                "0 with --target axum",
                "measure with --target fastapi, or with --set service.dependencies=0",
            ));
        }
        found
    }

    fn warnings(&self, scenario: &Scenario) -> Vec<String> {
        let threads = scenario
            .endpoints
            .iter()
            .any(|endpoint| endpoint.concurrency(&scenario.service) == Concurrency::Threadpool);
        if !(scenario.costs.interpreter.lock && threads) {
            return Vec::new();
        }
        vec![
            "the profile has an interpreter lock; axum has none, so that threads compute \
             side by side here"
                .to_string(),
        ]
    }

    fn resource_sets(&self, _: &Scenario) -> u32 {
        1
    }

    fn missing(&self, _: &Install<'_>) -> Option<String> {
        None
    }

    fn install(
        &self,
        _: &Install<'_>,
        _: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Installation>, StackError> {
        Ok(Box::new(Axum))
    }

    fn open(&self, _: &Path) -> Result<Box<dyn Installation>, StackError> {
        Ok(Box::new(Axum))
    }
}

impl Installation for Axum {
    fn versions(&self) -> BTreeMap<String, String> {
        versions::versions()
    }

    fn start(&self, options: StartOptions<'_>) -> Result<Box<dyn Service>, StackError> {
        Ok(Box::new(Workers::start(options)?))
    }
}
