//! Everything that a round needs running: database file, mock upstream, workers.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::read::Resolved;
use model::scenario::{Engine, Spread};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::runtime::Builder;

use super::error::RunError;
use super::folder;
use super::interrupt::Interrupt;
use crate::clock;
use crate::machine::cpus::{Split, pin};
use crate::machine::process::Holdings;
use crate::service::{self, database};
use crate::supervisor::{Child, bind, this_program};
use crate::target::{Place, Service, Stack};
use crate::upstream;

/// Limit for a child to start or to answer: a hang, not a slow or busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Connections that may wait for the mock upstream: it is never the limit.
const UPSTREAM_BACKLOG: u32 = 4096;

type Upstream = Child<upstream::Start, upstream::Ready, upstream::Snapshot>;

/// How a stage is to be set.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// What runs where.
    pub split: &'a Split,
    /// What the service runs on.
    pub stack: &'a Stack,
    /// Folder for temporary files.
    pub directory: &'a Path,
    /// The service's port; a free one if there is none.
    pub port: Option<u16>,
    /// Root of the draws.
    pub seed: u64,
    /// The wish to end.
    pub interrupt: &'a Interrupt,
}

/// The processes and files of a round. They end and vanish when it is dropped.
#[derive(Debug)]
pub struct Stage {
    // Fields are dropped in this order: who calls goes before who is called.
    service: Box<dyn Service>,
    upstream: Option<(Upstream, SocketAddr)>,
    address: SocketAddr,
    /// What went wrong with a child so far.
    troubles: Vec<String>,
    _data: Option<TempDir>,
}

/// Counts of all children at one moment.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// When, on the machine's monotonic clock.
    pub at: u64,
    /// By worker; one that did not answer has counted nothing.
    pub workers: Vec<service::Snapshot>,
    /// The mock upstream's, if there is one and it answers.
    pub upstream: Option<upstream::Snapshot>,
}

impl Stage {
    /// Starts what `resolved` needs; temporary files go below the setting's directory. The
    /// calling thread, and all that it starts from now on, runs on the load's processors.
    ///
    /// # Errors
    /// A child does not start, a port is taken, the folder cannot be written, or the user
    /// wants to end.
    pub fn start(resolved: &Resolved, setting: &Setting<'_>) -> Result<Stage, RunError> {
        let Setting { split, stack, directory, port, seed, interrupt } = *setting;
        interrupt.check()?;
        pin(&split.load)?;
        let listeners = listen(resolved, port)?;
        let address = listeners[0].local_addr().map_err(RunError::System)?;
        let (data, database) = data(resolved, directory, interrupt)?;
        let upstream = if resolved.scenario.upstreams.is_empty() {
            None
        } else {
            let (name, scenario) = (resolved.scenario.name.clone(), resolved.to_toml());
            let cpus = split.load.clone();
            Some(mock(upstream::Start { name, scenario, seed, cpus }, interrupt)?)
        };
        let service = stack.start(Place {
            resolved,
            seed,
            cpus: split.service.clone(),
            directory,
            listeners,
            upstream: upstream.as_ref().map(|(_, address)| *address),
            database,
            interrupt,
        })?;
        Ok(Stage { service, upstream, address, troubles: Vec::new(), _data: data })
    }

    /// Where the service listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the upstreams answer, if there are any.
    pub fn upstream_address(&self) -> Option<SocketAddr> {
        self.upstream.as_ref().map(|(_, address)| *address)
    }

    /// Sees to the children: a worker that died is replaced, as uvicorn and gunicorn do it.
    ///
    /// # Errors
    /// It cannot be replaced, or the user wants to end meanwhile.
    pub fn look_after(&mut self) -> Result<(), RunError> {
        self.service.look_after(&mut self.troubles)?;
        if let Some(Err(error)) = self.upstream.as_mut().map(|(child, _)| child.check()) {
            self.troubles.push(error.to_string());
            // Its calls fail from now on; that is what there is to measure.
            self.upstream = None;
        }
        Ok(())
    }

    /// What went wrong with children so far.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// What the children have counted. One that does not answer has counted nothing, and is
    /// noted.
    pub fn count(&mut self) -> Counts {
        let at = clock::now();
        let workers = self.service.count(&mut self.troubles);
        let mut counts = Counts { at, workers, upstream: None };
        if let Some((upstream, _)) = &mut self.upstream {
            let answer = upstream.ask().and_then(|()| upstream.answer(PATIENCE));
            match answer {
                Ok(answer) => counts.upstream = Some(answer),
                Err(error) => {
                    self.troubles.push(error.to_string());
                    self.upstream = None;
                }
            }
        }
        counts
    }

    /// Memory of each worker, and then of what sees to them.
    pub fn memory(&self) -> Vec<Holdings> {
        self.service.memory()
    }
}

/// Waits until `child` is ready, unless the user wants to end.
pub fn ready<S: Serialize, R: DeserializeOwned, B: DeserializeOwned>(
    child: &mut Child<S, R, B>,
    interrupt: &Interrupt,
) -> Result<R, RunError> {
    child.ready_unless(PATIENCE, || interrupt.is_set())?.ok_or(RunError::Interrupted)
}

/// The mock upstream, and where it answers.
fn mock(start: upstream::Start, interrupt: &Interrupt) -> Result<(Upstream, SocketAddr), RunError> {
    let listener = bind(None, UPSTREAM_BACKLOG, false)?;
    let command = this_program(&["upstream-process"]).map_err(RunError::System)?;
    let mut child = Upstream::spawn("upstream", command, Some(&listener))?;
    child.start(start)?;
    let address = ready(&mut child, interrupt)?.address;
    Ok((child, address))
}

fn listen(resolved: &Resolved, port: Option<u16>) -> Result<Vec<TcpListener>, RunError> {
    let service = &resolved.scenario.service;
    if service.spread != Spread::Hash {
        return Ok(vec![bind(port, service.backlog, false)?]);
    }
    let first = bind(port, service.backlog, true)?;
    let port = first.local_addr().map_err(RunError::System)?.port();
    let mut listeners = vec![first];
    for _ in 1..service.workers {
        listeners.push(bind(Some(port), service.backlog, true)?);
    }
    Ok(listeners)
}

/// The database file in a folder of its own, if the scenario has a database.
fn data(
    resolved: &Resolved,
    directory: &Path,
    interrupt: &Interrupt,
) -> Result<(Option<TempDir>, Option<PathBuf>), RunError> {
    let Some(database) = &resolved.scenario.database else { return Ok((None, None)) };
    let Engine::Sqlite(settings) = &database.engine else { return Ok((None, None)) };
    let folder = folder::temporary(directory)?;
    let runtime = Builder::new_current_thread().build().map_err(RunError::System)?;
    let rows = database::rows(&resolved.scenario.costs);
    let file = runtime.block_on(async {
        tokio::select! {
            made = database::create(folder.path(), settings, rows) => Ok(made?),
            () = interrupt.wait() => Err(RunError::Interrupted),
        }
    })?;
    Ok((Some(folder), Some(file)))
}
