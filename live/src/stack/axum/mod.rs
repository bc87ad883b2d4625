//! axum, sqlx and reqwest: workers that are this program itself.

mod worker;
mod workers;

use std::collections::BTreeMap;
use std::path::Path;

use model::read::{Diagnostic, Resolved};
use model::scenario::{
    Client, Concurrency, DatabaseClient, PoolMode, Postgres, Scenario, WorkerClass,
};
use model::units::Span;

use super::{Install, Installation, Service, Stack, StackError, StartOptions};
use crate::postgres;
use crate::versions;
use workers::Workers;

pub use worker::run as run_worker_process;

/// What gunicorn has unless it is told otherwise: it says nothing about axum.
const GUNICORN_TIMEOUT: Span = Span::from_secs(30);

/// The stack, which is part of this program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axum;

impl Stack for Axum {
    fn refusals(&self, resolved: &Resolved) -> Vec<Diagnostic> {
        let scenario = &resolved.scenario;
        let mut found = Vec::new();
        let (service, endpoints) = (&scenario.service, &scenario.endpoints);
        // What only follows from FastAPI's defaults, axum leaves out, as it leaves out all of FastAPI.
        if service.response_model == Some(true)
            || endpoints.iter().any(|endpoint| endpoint.response_model == Some(true))
        {
            found.push(resolved.refusal(
                "service.response_model",
                "a response model is validated on a thread; axum does no such thing",
                "false with --target axum",
                "measure with --target fastapi, or leave response_model out",
            ));
        }
        if service.dependencies > Some(0)
            || endpoints.iter().any(|endpoint| endpoint.dependencies > Some(0))
        {
            found.push(resolved.refusal(
                "service.dependencies",
                "`def` dependencies take threads; axum has none",
                "0 with --target axum",
                "measure with --target fastapi, or leave dependencies out",
            ));
        }
        let supervised = service.worker_timeout.is_some_and(|span| span != GUNICORN_TIMEOUT);
        for (key, found_there) in
            [("worker_timeout", supervised), ("max_requests", service.max_requests.is_some())]
        {
            if found_there {
                found.push(resolved.refusal(
                    &format!("service.{key}"),
                    &format!("`service.{key}` ends workers; axum's do not end"),
                    "no such key with --target axum",
                    "measure with --target fastapi, or predict it with sim",
                ));
            }
        }
        if service.worker_class != WorkerClass::Uvicorn {
            found.push(resolved.refusal(
                "service.worker_class",
                "`service.worker_class` is gunicorn's; axum has one runtime in each worker",
                "no such key with --target axum",
                "measure a service of your own with --target http://127.0.0.1:PORT",
            ));
        }
        found.extend(clients(resolved));
        let pooler = postgres::settings(scenario).and_then(Postgres::pooler);
        if pooler.is_some_and(|pooler| pooler.pool_mode == PoolMode::Transaction) {
            found.push(resolved.refusal(
                "database.pgbouncer.pool_mode",
                "sqlx prepares a statement in one message and executes it in another, and between \
                 them PgBouncer may hand its connection to the server to somebody else",
                "\"session\" with --target axum",
                "write `pgbouncer.pool_mode = \"session\"`, or measure with --target fastapi",
            ));
        }
        found
    }

    fn warnings(&self, scenario: &Scenario) -> Vec<String> {
        let threads = scenario
            .endpoints
            .iter()
            .any(|endpoint| endpoint.concurrency(&scenario.service) == Concurrency::Threadpool);
        let mut all = Vec::new();
        if scenario.costs.interpreter.lock && threads {
            all.push(
                "the profile has an interpreter lock; axum has none, so that threads compute \
                 side by side here"
                    .to_string(),
            );
        }
        let client = postgres::settings(scenario).and_then(|settings| settings.client);
        if let Some(client) = client.filter(|client| *client != DatabaseClient::Sqlx) {
            all.push(format!(
                "the scenario's client is {}; axum speaks to Postgres with sqlx, which begins no \
                 transaction for a statement by itself",
                client.as_str()
            ));
        }
        all
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

/// Clients that reqwest and ureq are not like.
fn clients(resolved: &Resolved) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for upstream in &resolved.scenario.upstreams {
        let name = &upstream.name;
        if let Some(client @ (Client::Httpx | Client::Aiohttp)) = upstream.client {
            let client = client.as_str();
            found.push(resolved.refusal(
                &model::keys::path(&["upstream", name, "client"]),
                &format!(
                    "`upstream.{name}.client = \"{client}\"`: axum calls with reqwest and ureq, \
                     which neither search their connections nor time a wait for one as {client} does"
                ),
                "\"reqwest\", \"requests\" or \"none\" with --target axum",
                "predict it with sim, measure httpx with --target fastapi, or leave client out",
            ));
        }
        let own = matches!(upstream.client, Some(Client::Reqwest | Client::Requests));
        for key in ["kept", "expiry"].map(|key| model::keys::path(&["upstream", name, key])) {
            if resolved.is_written(&key) && !own && upstream.client != Some(Client::Httpx) {
                found.push(resolved.refusal(
                    &key,
                    &format!("`{key}` without `client = \"reqwest\"` or `\"requests\"`"),
                    "with --target axum only beside one of these clients",
                    "name the client, or leave the key out",
                ));
            }
        }
    }
    found
}
