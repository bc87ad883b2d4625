//! The stacks that a scenario can be measured on.
//!
//! A stack is a folder here, one of them that of services of the user's own, and everything that only one of them does is behind the traits of
//! this file: [`Stack`] says what it can honour, [`Installation`] starts it, and [`Service`] is
//! it while it runs. A new stack is a folder, a word in [`Target`] and a line in
//! [`Target::stack`].

mod axum;
mod error;
mod fastapi;
mod own;
mod snapshot;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use model::read::{Diagnostic, Resolved};
use model::scenario::Scenario;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::interrupt::Interrupt;
use crate::machine::{Cpus, Holdings, Split};
pub use crate::postgres::Address;

pub use axum::run_worker_process;
pub use error::StackError;
pub use fastapi::{ENVIRONMENT_FOLDER, PYTHON};
pub use own::{OwnDatabase, OwnService, ServiceUrl, Unreachable, run_service_process};
pub use snapshot::{GaugeReading, Snapshot, StationReadings};

/// Names of the stacks, as words of the command line.
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
    /// A service of the user's own
    #[value(skip)]
    #[serde(skip)]
    Own,
}

impl Target {
    /// Its word, which is also its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Target::Axum => "axum",
            Target::Fastapi => "fastapi",
            Target::Own => "a service of your own",
        }
    }

    /// The stack of this name.
    pub fn stack(self) -> &'static dyn Stack {
        match self {
            Target::Axum => &axum::Axum,
            Target::Fastapi => &fastapi::Fastapi,
            Target::Own => &own::Own,
        }
    }
}

/// A stack that scenarios can be measured on, whether it is installed or not.
pub trait Stack: fmt::Debug + Sync {
    /// The keys of a scenario that this stack cannot honour, each with its place in the file.
    fn refusals(&self, resolved: &Resolved) -> Vec<Diagnostic>;

    /// Where this stack differs from the one that the scenario describes: sentences for the
    /// report.
    fn warnings(&self, scenario: &Scenario) -> Vec<String>;

    /// How many database pools, semaphores and HTTP clients of a kind each worker has.
    fn resource_sets(&self, scenario: &Scenario) -> u32;

    /// The sentence that says what [`Stack::install`] would install; none if it would install
    /// nothing.
    fn missing(&self, install: &Install<'_>) -> Option<String>;

    /// Installs what is missing, and opens the installation. `progress` is called with each
    /// line of what happens. Of several programs that do so at the same time one installs, and
    /// the others wait.
    ///
    /// # Errors
    /// It cannot be installed, or does not work.
    fn install(
        &self,
        install: &Install<'_>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Installation>, StackError>;

    /// Opens an installation that is complete.
    ///
    /// # Errors
    /// There is none in `folder`, or it does not work.
    fn open(&self, folder: &Path) -> Result<Box<dyn Installation>, StackError>;
}

/// What of a stack is installed how. A stack that needs no installation ignores it.
#[derive(Clone, Copy, Debug)]
pub struct Install<'a> {
    /// The folder of the installation.
    pub folder: &'a Path,
    /// The program to install it with; none is the stack's usual one.
    pub program: Option<&'a str>,
    /// Even if there is a complete one.
    pub again: bool,
}

/// A stack that can be started.
pub trait Installation: fmt::Debug {
    /// Versions by name of what is measured.
    fn versions(&self) -> BTreeMap<String, String>;

    /// Starts the service of a scenario, and waits until all its workers are ready.
    ///
    /// # Errors
    /// A process does not start, the port is taken, or the user wants to end.
    fn start(&self, options: StartOptions<'_>) -> Result<Box<dyn Service>, StackError>;

    /// Where the service listens, if it is the user's own: it is asked as its endpoints say, and
    /// has upstreams and a database of its own.
    fn own(&self) -> Option<&ServiceUrl> {
        None
    }

    /// The database of a service of the user's own, if its processes are known.
    fn database(&self) -> Option<&OwnDatabase> {
        None
    }

    /// Which of the `allowed` processors the service gets, which has `cores`, and which the load.
    fn split(&self, allowed: &Cpus, cores: u32) -> Split {
        Split::new(allowed, cores)
    }
}

/// What a service is started with.
#[derive(Debug)]
pub struct StartOptions<'a> {
    /// What it serves.
    pub resolved: &'a Resolved,
    /// Root of the draws of this round.
    pub seed: u64,
    /// Processors of all its processes.
    pub cpus: Cpus,
    /// Folder for temporary files.
    pub directory: &'a Path,
    /// The port that it listens on; a free one if there is none.
    pub port: Option<u16>,
    /// Where the upstreams answer, if there are any.
    pub upstream: Option<SocketAddr>,
    /// Where the database is, if there is one.
    pub database: Option<DatabaseAt>,
    /// Whether the user wants to end.
    pub interrupt: &'a Interrupt,
}

/// Where a service finds its database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DatabaseAt {
    /// SQLite's file.
    File(PathBuf),
    /// A server of Postgres.
    Server(Address),
}

/// A service that runs. Its processes end when it is dropped.
pub trait Service: fmt::Debug {
    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// Replaces workers that have died, as their supervisors do it. A sentence for each comes
    /// into `troubles`.
    ///
    /// # Errors
    /// One cannot be replaced, or the user wants to end meanwhile.
    fn replace_dead(&mut self, troubles: &mut Vec<String>) -> Result<(), StackError>;

    /// What each worker has counted. One that does not answer has counted nothing, and a
    /// sentence in `troubles` says so.
    fn snapshots(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot>;

    /// Memory of each worker, and then of the processes that supervise them.
    fn memory(&self) -> Vec<Holdings>;

    /// The workers that run, or what can be seen of the service's processes. Nobody is asked.
    fn processes(&self) -> Vec<WorkerProcess>;
}

/// A process of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerProcess {
    /// What it is called, such as `worker 0`.
    pub name: String,
    /// Its number.
    pub pid: u32,
}
