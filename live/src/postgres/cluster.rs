//! The parent's side of a cluster.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::read::Resolved;
use model::scenario::Postgres;
use rustix::process::{Pid, Signal, kill_process};

use super::binaries::{self, BinariesError};
use super::keeper::{Ready, Start};
use super::pooler::{self, PID};
use super::server::LOOK;
use super::{Address, Reading, settings};
use crate::interrupt::{Interrupt, Interrupted};
use crate::machine::{Cpus, ProcessTree};
use crate::supervisor::{ANSWER_TIMEOUT, Child, ChildError, START_TIMEOUT, this_program};
use crate::temporary::{FolderError, Temporary, remove_orphans, temporary};

/// The permission to go through a folder, of those who neither own it nor are in its group.
const OTHERS_PASS: u32 = 0o001;
/// How long a server that was left over may take to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A Postgres server that runs. It ends and vanishes when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    // Fields are dropped in this order: the process before its files.
    keeper: Child<Start, Ready, Reading>,
    _folder: Temporary,
    address: Address,
    version: String,
    cpus: Cpus,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// It is not installed.
    #[error(transparent)]
    Binaries(#[from] BinariesError),
    /// Its folder cannot be made.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It does not start.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// This program is not found.
    #[error("the system fails: {0}")]
    System(#[from] std::io::Error),
    /// The user wants to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Which processors the server runs on, and which the network to it.
#[derive(Clone, Debug)]
pub(crate) struct Processors {
    /// The server's.
    pub(crate) server: Cpus,
    /// The network's.
    pub(crate) network: Cpus,
}

impl Cluster {
    /// Makes a cluster below `directory`, starts its server and fills it with the data set of
    /// `resolved`.
    ///
    /// # Errors
    /// Why there is no server, or that the user wants to end.
    pub(crate) fn start(
        resolved: &Resolved,
        seed: u64,
        directory: &Path,
        processors: Processors,
        interrupt: &Interrupt,
    ) -> Result<Cluster, ClusterError> {
        let binaries = binaries::find()?;
        let folder = temporary(&passable(directory))?;
        let command = this_program(&["database-process"])?;
        let mut keeper = Child::spawn("database server", command, None)?;
        keeper.start(Start {
            name: resolved.scenario.name.clone(),
            scenario: resolved.to_service_toml(),
            seed,
            programs: binaries.folder().to_path_buf(),
            version: binaries.version.clone(),
            folder: folder.path().canonicalize()?,
            server: processors.server.clone(),
            network: processors.network,
        })?;
        let ready: Option<Ready> = keeper.ready_unless(START_TIMEOUT, || interrupt.is_set())?;
        let address = ready.ok_or(Interrupted)?.address;
        let pooler = settings(&resolved.scenario).and_then(Postgres::pooler);
        let version = match pooler.and_then(|_| pooler::version()) {
            Some(pooler) => format!("{} behind {pooler}", binaries.version),
            None => binaries.version,
        };
        let cpus = processors.server;
        Ok(Cluster { keeper, _folder: folder, address, version, cpus })
    }

    /// Where the service finds its database.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The server's version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The server's processors.
    pub(crate) fn cpus(&self) -> &Cpus {
        &self.cpus
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// It does not: why.
    pub(crate) fn check(&mut self) -> Result<(), ChildError> {
        self.keeper.check()
    }

    /// Tells it when the load began, from which faults are counted.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn load_began(&mut self, at: u64) -> Result<(), ChildError> {
        self.keeper.load_began(at)
    }

    /// What it has done so far.
    ///
    /// # Errors
    /// It does not say.
    pub(crate) fn read(&mut self) -> Result<Reading, ChildError> {
        self.keeper.ask().and_then(|()| self.keeper.answer(ANSWER_TIMEOUT))
    }
}

/// `directory`, if the server's user can reach it; else the system's folder for temporary files,
/// in which what killed runs have left is removed.
fn passable(directory: &Path) -> PathBuf {
    let passes =
        |folder: &Path| fs::metadata(folder).is_ok_and(|folder| folder.mode() & OTHERS_PASS != 0);
    let reached = directory.canonicalize().is_ok_and(|whole| whole.ancestors().all(passes));
    if reached || !rustix::process::geteuid().is_root() {
        return directory.to_path_buf();
    }
    let other = std::env::temp_dir();
    remove_orphans(&other);
    other
}

/// Ends the server whose cluster is in the temporary folder `left`, if it outlived the run that
/// started it: all processes of that run were killed at once.
///
/// Its pooler ends before it.
pub(crate) fn end_left_over(left: &Path) {
    let Ok(folder) = left.join("postgres").canonicalize() else { return };
    end(&folder.join(PID), &folder);
    end(&folder.join("data/postmaster.pid"), &folder);
}

/// Ends the process whose number the file `pid` begins with, if its command line has a path below
/// `folder`.
fn end(pid: &Path, folder: &Path) {
    let first = fs::read_to_string(pid).unwrap_or_default();
    let Some(pid) = first.lines().next().and_then(|line| line.trim().parse().ok()) else { return };
    let Some(tree) = ProcessTree::of(pid) else { return };
    let processes = tree.read().processes;
    let command = processes.first().map(|one| one.command_line()).unwrap_or_default();
    // The number may be another's by now.
    if !command.contains(&*folder.to_string_lossy()) {
        return;
    }
    for signal in [Signal::QUIT, Signal::CONT] {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, signal));
    }
    let deadline = Instant::now() + PATIENCE;
    while tree.lives() && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
}
