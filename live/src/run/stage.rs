//! Everything that a round needs running: database, mock upstream, workers.

use std::net::SocketAddr;
use std::path::Path;

use model::read::Resolved;
use model::scenario::{Engine, ServerCpu, Sqlite};
use tokio::runtime::Builder;

use super::error::RunError;
use super::onlooker::Onlooker;
use super::round::ServerFacts;
use crate::clock;
use crate::dataset::{self, Table};
use crate::interrupt::{Interrupt, Interrupted};
use crate::machine::Holdings;
use crate::machine::{Split, pin};
use crate::postgres::{Cluster, Processors, Reading};
use crate::stack::{
    DatabaseAt, Installation, OwnDatabase, Service, Snapshot, StartOptions, WorkerProcess,
};
use crate::supervisor::{ANSWER_TIMEOUT, Child, START_TIMEOUT, bind, this_program};
use crate::temporary::{Temporary, temporary};
use crate::upstream;
use crate::witness::{self, Witness};

/// Connections that may wait for the mock upstream: it is never the limit.
const UPSTREAM_BACKLOG: u32 = 4096;

type Upstream = Child<upstream::Start, upstream::Ready, upstream::Snapshot>;

/// How a stage is to be set.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    /// What runs where.
    pub split: &'a Split,
    /// What the service runs on.
    pub stack: &'a dyn Installation,
    /// Folder for temporary files.
    pub directory: &'a Path,
    /// The service's port; a free one if there is none.
    pub port: Option<u16>,
    /// Root of the draws.
    pub seed: u64,
    /// Whether the user wants to end.
    pub interrupt: &'a Interrupt,
    /// The display that runs during the round, if there is one.
    pub onlooker: Option<&'a Onlooker>,
}

/// The processes and files of a round. They end and vanish when it is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    // Fields are dropped in this order: a caller before the process that it calls.
    service: Box<dyn Service>,
    upstream: Option<(Upstream, SocketAddr)>,
    /// What went wrong with a child so far.
    troubles: Vec<String>,
    data: Option<Data>,
    /// The database of a service of the user's own, which is only looked at.
    own_database: Option<OwnDatabase>,
    /// Tells how fast the service's processors are, where they are known.
    witness: Option<Witness>,
}

/// The database of a round.
#[derive(Debug)]
enum Data {
    /// The folder of SQLite's file.
    File { at: DatabaseAt, _folder: Temporary },
    /// A server of Postgres.
    Server(Box<Cluster>),
}

/// Counts of all children at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// When, on the machine's monotonic clock.
    pub at: u64,
    /// By worker; one that did not answer has counted nothing.
    pub workers: Vec<Snapshot>,
    /// The mock upstream's, if there is one and it answers.
    pub upstream: Option<upstream::Snapshot>,
    /// The database server's, if there is one and it answers.
    pub database: Option<Reading>,
    /// The witness's of the machine's speed, if there is one and it answers.
    pub witness: Option<witness::Snapshot>,
}

impl Stage {
    /// Starts what `resolved` needs; temporary files go below the setting's directory. The
    /// calling thread, and all that it starts from now on, runs on the load's processors.
    ///
    /// # Errors
    /// A child does not start, a port is taken, the folder cannot be written, or the user
    /// wants to end.
    pub(crate) fn start(resolved: &Resolved, setting: &Setting<'_>) -> Result<Stage, RunError> {
        let Setting { split, stack, directory, port, seed, interrupt, .. } = *setting;
        interrupt.check()?;
        pin(&split.load)?;
        // A service of the user's own calls upstreams and a database of its own.
        let own = stack.own().is_some();
        let data = if own { None } else { data(resolved, setting)? };
        let database = data.as_ref().map(Data::at);
        let upstream = if own || resolved.scenario.upstreams.is_empty() {
            None
        } else {
            let (name, scenario) = (resolved.scenario.name.clone(), resolved.to_service_toml());
            let cpus = split.load.clone();
            Some(mock(upstream::Start { name, scenario, seed, cpus }, interrupt)?)
        };
        let service = stack.start(StartOptions {
            resolved,
            seed,
            cpus: split.service.clone(),
            directory,
            port,
            upstream: upstream.as_ref().map(|(_, address)| *address),
            database,
            interrupt,
        })?;
        let (own_database, troubles) = (stack.database().cloned(), Vec::new());
        Ok(Stage { service, upstream, troubles, data, own_database, witness: None })
    }

    /// Starts the witness of the speed of the service's processors, where these are known.
    ///
    /// # Errors
    /// It does not start, or the user wants to end.
    pub(crate) fn start_witness(&mut self, setting: &Setting<'_>) -> Result<(), RunError> {
        let cpus = &setting.split.service;
        if !cpus.is_empty() {
            let started = Witness::start(cpus.clone(), setting.interrupt)?;
            self.witness = Some(started.ok_or(Interrupted)?);
        }
        Ok(())
    }

    /// Where the service listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// Where the upstreams answer, if there are any.
    pub(crate) fn upstream_address(&self) -> Option<SocketAddr> {
        self.upstream.as_ref().map(|(_, address)| *address)
    }

    /// Replaces workers that died, as uvicorn and gunicorn do it, and notes a mock upstream
    /// that died.
    ///
    /// # Errors
    /// It cannot be replaced, or the user wants to end meanwhile.
    pub(crate) fn replace_dead(&mut self) -> Result<(), RunError> {
        self.service.replace_dead(&mut self.troubles)?;
        if let Some(Err(error)) = self.upstream.as_mut().map(|(child, _)| child.check()) {
            self.troubles.push(error.to_string());
            // Its calls fail from now on; that is what there is to measure.
            self.upstream = None;
        }
        if let Some(Data::Server(cluster)) = &mut self.data
            && let Err(error) = cluster.check()
        {
            self.troubles.push(error.to_string());
            // The service's statements fail from now on.
            self.data = None;
        }
        Ok(())
    }

    /// Tells those who do something at set times when the load began, on the machine's monotonic
    /// clock.
    pub(crate) fn load_began(&mut self, at: u64) {
        if let Some(Data::Server(cluster)) = &mut self.data
            && let Err(error) = cluster.load_began(at)
        {
            self.troubles.push(error.to_string());
        }
    }

    /// The database server that this program has started, if it has and it runs.
    fn cluster(&self) -> Option<&Cluster> {
        match &self.data {
            Some(Data::Server(cluster)) => Some(cluster),
            _ => None,
        }
    }

    /// Version and processors of the database server; none if there is no server.
    pub(crate) fn server(&self) -> Option<ServerFacts> {
        match (self.cluster(), &self.own_database) {
            (Some(cluster), _) => {
                let version = Some(cluster.version().to_string());
                Some(ServerFacts { version, cpus: cluster.cpus().clone() })
            }
            (None, Some(own)) => Some(ServerFacts { version: None, cpus: own.cpus() }),
            (None, None) => None,
        }
    }

    /// What went wrong with children so far.
    pub(crate) fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// What the children have counted. One that does not answer has counted nothing, and is
    /// noted.
    pub(crate) fn count(&mut self) -> Counts {
        let at = clock::now();
        let workers = self.service.snapshots(&mut self.troubles);
        let mut counts = Counts { at, workers, ..Counts::default() };
        if let Some((upstream, _)) = &mut self.upstream {
            let answer = upstream.ask().and_then(|()| upstream.answer(ANSWER_TIMEOUT));
            match answer {
                Ok(answer) => counts.upstream = Some(answer),
                Err(error) => {
                    self.troubles.push(error.to_string());
                    self.upstream = None;
                }
            }
        }
        if let Some(Data::Server(cluster)) = &mut self.data {
            match cluster.read() {
                Ok(reading) => counts.database = Some(reading),
                Err(error) => {
                    self.troubles.push(error.to_string());
                    self.data = None;
                }
            }
        }
        if let Some(own) = &self.own_database {
            counts.database = own.read();
            if counts.database.is_none() {
                self.troubles.push("the database's process ended while it was measured".into());
                self.own_database = None;
            }
        }
        if let Some(witness) = &mut self.witness {
            match witness.read() {
                Ok(snapshot) => counts.witness = Some(snapshot),
                Err(error) => {
                    self.troubles.push(error.to_string());
                    self.witness = None;
                }
            }
        }
        counts
    }

    /// The processes of the service that can be seen.
    pub(crate) fn processes(&self) -> Vec<WorkerProcess> {
        self.service.processes()
    }

    /// Memory of each worker, and then of the processes that supervise them.
    pub(crate) fn memory(&self) -> Vec<Holdings> {
        self.service.memory()
    }
}

/// The mock upstream, and where it answers.
fn mock(start: upstream::Start, interrupt: &Interrupt) -> Result<(Upstream, SocketAddr), RunError> {
    let listener = bind(None, UPSTREAM_BACKLOG, false)?;
    let command = this_program(&["upstream-process"]).map_err(RunError::System)?;
    let mut child = Upstream::spawn("upstream", command, Some(&listener))?;
    child.start(start)?;
    let ready = child.ready_unless(START_TIMEOUT, || interrupt.is_set())?;
    let address = ready.ok_or(Interrupted)?.address;
    Ok((child, address))
}

/// The database, if the scenario has one: a file in a folder of its own, or a server.
fn data(resolved: &Resolved, setting: &Setting<'_>) -> Result<Option<Data>, RunError> {
    let Some(database) = &resolved.scenario.database else { return Ok(None) };
    match &database.engine {
        Engine::Sqlite(settings) => file(resolved, settings, setting).map(Some),
        Engine::Postgres(settings) => {
            let Setting { seed, directory, interrupt, split, .. } = *setting;
            let server = match settings.cpu {
                ServerCpu::Own => split.beside_load(settings.cores),
                ServerCpu::Shared => split.service.clone(),
            };
            let processors = Processors { server, network: split.load.clone() };
            let cluster = Cluster::start(resolved, seed, directory, processors, interrupt)?;
            Ok(Some(Data::Server(Box::new(cluster))))
        }
    }
}

/// SQLite's file.
fn file(resolved: &Resolved, sqlite: &Sqlite, setting: &Setting<'_>) -> Result<Data, RunError> {
    let folder = temporary(setting.directory)?;
    let runtime = Builder::new_current_thread().build().map_err(RunError::System)?;
    let rows = Table::of(&resolved.scenario).free;
    let file = runtime.block_on(async {
        tokio::select! {
            made = dataset::create(folder.path(), sqlite, rows) => Ok(made?),
            () = setting.interrupt.wait() => Err(RunError::from(Interrupted)),
        }
    })?;
    Ok(Data::File { at: DatabaseAt::File(file), _folder: folder })
}

impl Data {
    /// Where the service finds it.
    fn at(&self) -> DatabaseAt {
        match self {
            Data::File { at, .. } => at.clone(),
            Data::Server(cluster) => DatabaseAt::Server(cluster.address().clone()),
        }
    }
}
