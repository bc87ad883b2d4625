//! FastAPI on uvicorn or gunicorn, with SQLAlchemy and httpx, in a virtual environment of its
//! own.

mod environment;
mod plan;
mod server;
mod sources;
mod turn;

use std::collections::BTreeMap;
use std::path::Path;

use model::keys;
use model::read::{Diagnostic, Resolved};
use model::scenario::{
    Client, Concurrency, Endpoint, EventLoop, Scenario, Server, Service as Settings, Spread,
    WorkerClass,
};

use model::units::Span;

use super::{Install, Installation, Service, Stack, StackError, StartOptions};
use crate::versions;
use environment::{Environment, State};
use server::Running;

/// Where the environment is made unless the user says otherwise, below the current folder.
pub const ENVIRONMENT_FOLDER: &str = ".rung/fastapi";
/// The Python that makes it, unless the user says otherwise.
pub const PYTHON: &str = "python3";

/// The stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fastapi;

impl Stack for Fastapi {
    fn refusals(&self, resolved: &Resolved) -> Vec<Diagnostic> {
        let scenario = &resolved.scenario;
        let Settings { server, worker_class, spread, event_loop, .. } = scenario.service;
        let mut found = Vec::new();
        if server == Server::Axum {
            found.push(resolved.refusal(
                "service.server",
                "`service.server = \"axum\"` is not a server of Python's",
                "\"uvicorn\" or \"gunicorn\" with --target fastapi",
                "measure with --target axum, or with --set service.server=uvicorn",
            ));
        }
        if worker_class != WorkerClass::Uvicorn {
            found.push(resolved.refusal(
                "service.worker_class",
                &format!(
                    "`service.worker_class = \"{}\"` serves no application like FastAPI",
                    worker_class.as_str()
                ),
                "\"uvicorn\" with --target fastapi",
                "measure a service of your own with --target http://127.0.0.1:PORT",
            ));
        }
        if spread == Spread::Hash {
            found.push(resolved.refusal(
                "service.spread",
                "`service.spread = \"hash\"` needs a socket for each worker; uvicorn's share one",
                "\"lifo\" with --target fastapi",
                "measure with --target axum, or with --set service.spread=lifo",
            ));
        }
        if event_loop == EventLoop::Tokio && server != Server::Axum {
            found.push(resolved.refusal(
                "service.event_loop",
                "`service.event_loop = \"tokio\"` is not a loop of Python's",
                "\"uvloop\" or \"asyncio\" with --target fastapi",
                "measure with --target axum, or with --set service.event_loop=uvloop",
            ));
        }
        found.extend(supervision(resolved));
        found.extend(clients(resolved));
        for lock in &scenario.locks {
            let takes = |one: &&Endpoint| one.all_steps().any(|step| step.takes(&lock.name));
            let awaits = |one: &Endpoint| one.concurrency(&scenario.service) == Concurrency::Async;
            let awaiting: Vec<bool> = scenario.endpoints.iter().filter(takes).map(awaits).collect();
            if awaiting.contains(&true) && awaiting.contains(&false) {
                let key = keys::path(&["lock", &lock.name]);
                found.push(resolved.refusal(
                    &key,
                    &format!("the lock `{}` is taken by handlers that await and by handlers that block: an asyncio.Lock is no threading.Lock", lock.name),
                    "a lock of handlers of one kind with --target fastapi",
                    "predict it with sim, or measure with --target axum",
                ));
            }
        }
        if scenario.cpu.speed != 1.0 {
            let speed = scenario.cpu.speed;
            found.push(resolved.refusal(
                "cpu.speed",
                &format!("`cpu.speed = {speed}`: libraries are as fast as this processor"),
                "1 with --target fastapi",
                "leave it out, or predict it with sim",
            ));
        }
        found
    }

    fn warnings(&self, scenario: &Scenario) -> Vec<String> {
        if self.resource_sets(scenario) == 1 {
            return Vec::new();
        }
        vec![
            "handlers that await and handlers that block have a database pool, semaphores \
             and HTTP clients each: the scenario's limits hold for either by itself"
                .to_string(),
        ]
    }

    /// Handlers that await cannot share pools, semaphores and clients with those that block.
    fn resource_sets(&self, scenario: &Scenario) -> u32 {
        let service = &scenario.service;
        let awaits = |endpoint: &&Endpoint| endpoint.concurrency(service) == Concurrency::Async;
        let awaiting = scenario.endpoints.iter().filter(awaits).count();
        let mixed = (1..scenario.endpoints.len()).contains(&awaiting);
        if mixed { 2 } else { 1 }
    }

    fn missing(&self, install: &Install<'_>) -> Option<String> {
        let complete = State::of(install.folder) == State::Complete && !install.again;
        (!complete).then(|| {
            format!(
                "installing FastAPI and its libraries into {}, once; delete the folder to be rid \
                 of them",
                install.folder.display()
            )
        })
    }

    fn install(
        &self,
        install: &Install<'_>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Installation>, StackError> {
        if self.missing(install).is_none() {
            return self.open(install.folder);
        }
        let python = install.program.unwrap_or(PYTHON);
        let made = Environment::make(install.folder, python, install.again, progress);
        Ok(Box::new(made.map_err(|error| StackError::Install(Box::new(error)))?))
    }

    fn open(&self, folder: &Path) -> Result<Box<dyn Installation>, StackError> {
        let opened = Environment::open(folder);
        Ok(Box::new(opened.map_err(|error| StackError::Install(Box::new(error)))?))
    }
}

/// What the servers of Python do not do with their workers.
fn supervision(resolved: &Resolved) -> Vec<Diagnostic> {
    let service = &resolved.scenario.service;
    let mut found = Vec::new();
    if service.worker_timeout.is_some_and(|span| span.nanos() % Span::from_secs(1).nanos() != 0) {
        found.push(resolved.refusal(
            "service.worker_timeout",
            "gunicorn's timeout is a number of whole seconds",
            "whole seconds with --target fastapi",
            "write \"1s\" or more, or predict it with sim",
        ));
    }
    if service.server == Server::Uvicorn && service.workers == 1 && service.max_requests.is_some() {
        found.push(resolved.refusal(
            "service.max_requests",
            "uvicorn with one worker ends after so many requests, and starts no other",
            "more workers, or gunicorn, with --target fastapi",
            "measure with --set service.server=gunicorn",
        ));
    }
    found
}

impl Installation for Environment {
    fn versions(&self) -> BTreeMap<String, String> {
        let mut all = versions::own();
        all.extend(self.library_versions().clone());
        all
    }

    fn start(&self, options: StartOptions<'_>) -> Result<Box<dyn Service>, StackError> {
        Ok(Box::new(Running::start(self.clone(), options)?))
    }
}

/// Clients other than httpx.
fn clients(resolved: &Resolved) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for upstream in &resolved.scenario.upstreams {
        let (name, client) = (&upstream.name, upstream.client);
        if let Some(client) = client.filter(|one| !matches!(one, Client::Httpx | Client::None)) {
            let client = client.as_str();
            found.push(resolved.refusal(
                &model::keys::path(&["upstream", name, "client"]),
                &format!(
                    "`upstream.{name}.client = \"{client}\"`, and this target calls with httpx"
                ),
                "\"httpx\" or \"none\" with --target fastapi",
                "predict it with sim, or measure with client = \"httpx\"",
            ));
        } else if client != Some(Client::Httpx) {
            found.extend(["kept", "expiry"].into_iter().filter_map(|key| {
                let key = model::keys::path(&["upstream", name, key]);
                resolved.is_written(&key).then(|| {
                    resolved.refusal(
                        &key,
                        &format!("`{key}` without `client = \"httpx\"`"),
                        "with --target fastapi only beside `client = \"httpx\"`",
                        "name the client, or leave the key out",
                    )
                })
            }));
        }
    }
    found
}
