//! What a scenario is run on: a stack, and its service as processes.

pub mod axum;
pub mod fastapi;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use model::read::Resolved;
use model::scenario::{Concurrency, Endpoint, Scenario};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::machine::cpus::Cpus;
use crate::machine::process::Holdings;
use crate::run::error::RunError;
use crate::run::interrupt::Interrupt;
use crate::service::Snapshot;
use crate::versions;
use fastapi::environment::Environment;

/// Names of the stacks.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// axum, sqlx and reqwest, which burn what the cost profile says
    #[default]
    Axum,
    /// FastAPI on uvicorn or gunicorn, with SQLAlchemy and httpx, as they are
    Fastapi,
}

impl Target {
    /// Pools, semaphores and clients that each worker has of a kind. Python's handlers that
    /// await cannot share them with those that block.
    pub fn sets(self, scenario: &Scenario) -> u32 {
        let service = &scenario.service;
        let parks = |endpoint: &Endpoint| endpoint.concurrency(service) == Concurrency::Async;
        let awaiting = scenario.endpoints.iter().filter(|endpoint| parks(endpoint)).count();
        let mixed = (1..scenario.endpoints.len()).contains(&awaiting);
        if self == Target::Fastapi && mixed { 2 } else { 1 }
    }

    /// Its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Target::Axum => "axum",
            Target::Fastapi => "fastapi",
        }
    }
}

/// A stack that is there to be used.
#[derive(Clone, Debug)]
pub enum Stack {
    /// This program itself.
    Axum,
    /// Python and its libraries.
    Fastapi(Environment),
}

impl Stack {
    /// Which one it is.
    pub fn target(&self) -> Target {
        match self {
            Stack::Axum => Target::Axum,
            Stack::Fastapi(_) => Target::Fastapi,
        }
    }

    /// Versions of what is measured.
    pub fn versions(&self) -> BTreeMap<String, String> {
        match self {
            Stack::Axum => versions::versions(),
            Stack::Fastapi(environment) => {
                let mut all = versions::own();
                all.extend(environment.versions().clone());
                all
            }
        }
    }

    /// Starts the service of a scenario.
    ///
    /// # Errors
    /// A process does not start, or the user wants to end.
    pub fn start(&self, place: Place<'_>) -> Result<Box<dyn Service>, RunError> {
        match self {
            Stack::Axum => Ok(Box::new(axum::Workers::start(place)?)),
            Stack::Fastapi(environment) => {
                Ok(Box::new(fastapi::Fastapi::start(environment.clone(), place)?))
            }
        }
    }
}

/// What a service is started with.
#[derive(Debug)]
pub struct Place<'a> {
    /// What it serves.
    pub resolved: &'a Resolved,
    /// Root of the draws of this round.
    pub seed: u64,
    /// Processors of all its processes.
    pub cpus: Cpus,
    /// Folder for temporary files.
    pub directory: &'a Path,
    /// Where it listens: one socket for all its workers, or one for each.
    pub listeners: Vec<TcpListener>,
    /// Where the upstreams answer, if there are any.
    pub upstream: Option<SocketAddr>,
    /// The database file, if there is one.
    pub database: Option<PathBuf>,
    /// The wish to end.
    pub interrupt: &'a Interrupt,
}

/// The processes of a service that runs. They end when it is dropped.
pub trait Service: fmt::Debug {
    /// Sees to it that all its workers are there, as their supervisors do it. What was wrong
    /// comes into `troubles`.
    ///
    /// # Errors
    /// One cannot be replaced, or the user wants to end meanwhile.
    fn look_after(&mut self, troubles: &mut Vec<String>) -> Result<(), RunError>;

    /// What each worker has counted. One that does not answer has counted nothing, and is
    /// noted in `troubles`.
    fn count(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot>;

    /// Memory of each worker, and then of the processes that see to them.
    fn memory(&self) -> Vec<Holdings>;
}
