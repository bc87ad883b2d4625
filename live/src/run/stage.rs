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
use crate::upstream;

/// How long a child may take to start, to answer, to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections that may wait for the mock upstream: it is never the limit.
const UPSTREAM_BACKLOG: u32 = 4096;

type Worker = Child<service::Start, service::Ready, service::Snapshot>;
type Upstream = Child<upstream::Start, upstream::Ready, upstream::Snapshot>;

/// How a stage is to be set.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// What runs where.
    pub split: &'a Split,
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
    workers: Vec<Worker>,
    upstream: Option<Upstream>,
    listeners: Vec<TcpListener>,
    start: service::Start,
    interrupt: Interrupt,
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
        let Setting { split, directory, port, seed, interrupt } = *setting;
        interrupt.check()?;
        pin(&split.load)?;
        let (name, scenario) = (resolved.scenario.name.clone(), resolved.to_toml());
        let listeners = listen(resolved, port)?;
        let (data, database) = data(resolved, directory, interrupt)?;
        let upstream = if resolved.scenario.upstreams.is_empty() {
            None
        } else {
            let (name, scenario, cpus) = (name.clone(), scenario.clone(), split.load.clone());
            let start = upstream::Start { name, scenario, seed, cpus };
            Some(mock(start, interrupt)?)
        };
        let address = upstream.as_ref().map(|(_, address)| *address);
        let cpus = split.service.clone();
        let mut stage = Stage {
            workers: Vec::new(),
            upstream: upstream.map(|(child, _)| child),
            listeners,
            start: service::Start { name, scenario, seed, cpus, upstream: address, database },
            interrupt: interrupt.clone(),
            troubles: Vec::new(),
            _data: data,
        };
        for index in 0..resolved.scenario.service.workers as usize {
            interrupt.check()?;
            let worker = stage.spawn(index)?;
            stage.workers.push(worker);
        }
        for worker in &mut stage.workers {
            ready(worker, interrupt)?;
        }
        Ok(stage)
    }

    fn spawn(&self, index: usize) -> Result<Worker, RunError> {
        let command = this_program(&["worker-process"]).map_err(RunError::System)?;
        // One shared socket, or one for each.
        let listener = &self.listeners[index % self.listeners.len()];
        let mut worker = Worker::spawn(&format!("worker {index}"), command, Some(listener))?;
        worker.start(self.start.clone())?;
        Ok(worker)
    }

    /// Where the service listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> Result<SocketAddr, RunError> {
        self.listeners[0].local_addr().map_err(RunError::System)
    }

    /// Where the upstreams answer, if there are any.
    pub fn upstream_address(&self) -> Option<SocketAddr> {
        self.start.upstream
    }

    /// Sees to the children: a worker that died is replaced, as uvicorn and gunicorn do it.
    ///
    /// # Errors
    /// It cannot be replaced, or the user wants to end meanwhile.
    pub fn look_after(&mut self) -> Result<(), RunError> {
        for index in 0..self.workers.len() {
            if let Err(error) = self.workers[index].check() {
                self.troubles.push(format!("{error}; another took its place"));
                let mut worker = self.spawn(index)?;
                ready(&mut worker, &self.interrupt)?;
                self.workers[index] = worker;
            }
        }
        if let Some(Err(error)) = self.upstream.as_mut().map(Upstream::check) {
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
        let mut counts = Counts { at: clock::now(), ..Counts::default() };
        let asked: Vec<_> = self.workers.iter_mut().map(Worker::ask).collect();
        for (worker, asked) in self.workers.iter_mut().zip(asked) {
            let answer = asked.and_then(|()| worker.answer(PATIENCE));
            counts.workers.push(answer.unwrap_or_else(|error| {
                self.troubles.push(error.to_string());
                service::Snapshot::default()
            }));
        }
        if let Some(upstream) = &mut self.upstream {
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

    /// Memory of each worker.
    pub fn memory(&self) -> Vec<Holdings> {
        self.workers.iter().map(|worker| Holdings::of(worker.pid())).collect()
    }
}

/// Waits until `child` is ready, unless the user wants to end.
fn ready<S: Serialize, R: DeserializeOwned, B: DeserializeOwned>(
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
