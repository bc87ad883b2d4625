//! The service on FastAPI: uvicorn or gunicorn, which start their workers themselves.
//!
//! The server is a child of this process; its workers call in at a socket of their own, say
//! that they serve, and answer what they have counted.

pub mod environment;
pub mod plan;
mod sources;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;

use super::{Place, Service};
use crate::machine::process::Holdings;
use crate::run::error::RunError;
use crate::run::folder;
use crate::run::interrupt::Interrupt;
use crate::run::stage::PATIENCE;
use crate::service::Snapshot;
use crate::supervisor::{Child, ChildError, Line, Switchboard};
use environment::Environment;
use plan::Plan;

/// Pause between two looks at whether workers have called in.
const LOOK: Duration = Duration::from_millis(20);
/// The plan's file.
const PLAN: &str = "plan.json";
/// The socket at which workers call in.
const LINE: &str = "line";
/// The environment variable that names the plan's file.
const VARIABLE: &str = "RUNG_PLAN";

/// The server: it hears only when it is to end.
type Server = Child<(), (), ()>;

/// What a worker says when it serves.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Ready {
    /// Its process.
    process: u32,
}

/// A worker that serves.
#[derive(Debug)]
struct Worker {
    line: Line<Snapshot>,
    process: u32,
}

/// A FastAPI service that runs.
#[derive(Debug)]
pub struct Fastapi {
    // Fields are dropped in this order: processes go before their files.
    server: Server,
    /// By number; one that has ended leaves its place to the next that calls in.
    workers: Vec<Option<Worker>>,
    switchboard: Switchboard,
    command: Starter,
    interrupt: Interrupt,
    _folder: TempDir,
}

/// How the server is started.
#[derive(Debug)]
struct Starter {
    name: &'static str,
    environment: Environment,
    folder: PathBuf,
    listener: TcpListener,
}

impl Starter {
    fn start(&self) -> Result<Server, ChildError> {
        let mut command = Command::new(self.environment.python());
        command.arg(self.folder.join("serve.py")).current_dir(&self.folder);
        command.env(VARIABLE, self.folder.join(PLAN));
        // Nothing of the user's Python may change what is measured.
        for variable in
            ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"]
        {
            command.env_remove(variable);
        }
        Server::spawn(self.name, command, Some(&self.listener))
    }
}

impl Fastapi {
    /// Starts the server, and waits until all its workers serve.
    ///
    /// # Errors
    /// It does not start, or the user wants to end.
    pub fn start(environment: Environment, place: Place<'_>) -> Result<Fastapi, RunError> {
        let folder = folder::temporary(place.directory)?;
        let switchboard = Switchboard::new(folder.path(), LINE).map_err(RunError::System)?;
        // Every process of the server works in the folder.
        let plan = Plan::new(&place, Path::new(LINE));
        write(folder.path(), &plan).map_err(RunError::System)?;
        let (interrupt, mut listeners) = (place.interrupt.clone(), place.listeners);
        let command = Starter {
            name: plan.server_name(),
            environment,
            folder: folder.path().to_path_buf(),
            listener: listeners.swap_remove(0),
        };
        let server = command.start()?;
        let workers = (0..plan.workers()).map(|_| None).collect();
        let mut service =
            Fastapi { server, workers, switchboard, command, interrupt, _folder: folder };
        service.wait_for_all()?;
        Ok(service)
    }

    /// Waits until every worker has called in.
    fn wait_for_all(&mut self) -> Result<(), RunError> {
        let deadline = Instant::now() + PATIENCE;
        while self.workers.iter().any(Option::is_none) {
            self.interrupt.check()?;
            self.server.check()?;
            if self.call_in()? {
                continue;
            }
            if Instant::now() >= deadline {
                return Err(self.server.late("have all workers ready", PATIENCE).into());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Frees the places of workers that have ended.
    fn note_ends(&mut self, troubles: &mut Vec<String>) {
        for (index, place) in self.workers.iter_mut().enumerate() {
            if let Some(gone) = place.take_if(|worker| !worker.line.is_open()) {
                troubles.push(format!(
                    "worker {index} (process {}) ended unexpectedly; {} starts another",
                    gone.process, self.command.name
                ));
            }
        }
    }

    /// Lets the next worker that has called in take a place. False if there is none.
    fn call_in(&mut self) -> Result<bool, ChildError> {
        let free = self.workers.iter().position(Option::is_none).unwrap_or(0);
        let name = format!("worker {free}");
        let Some((line, Ready { process })) = self.switchboard.answer(&name)? else {
            return Ok(false);
        };
        self.workers[free] = Some(Worker { line, process });
        Ok(true)
    }
}

impl Service for Fastapi {
    /// The server replaces workers that died. A server that died is replaced here, as the
    /// system's supervisor would do it.
    fn look_after(&mut self, troubles: &mut Vec<String>) -> Result<(), RunError> {
        if let Err(error) = self.server.check() {
            troubles.push(format!("{error}; another took its place"));
            self.workers.iter_mut().for_each(|worker| *worker = None);
            self.server = self.command.start()?;
            return self.wait_for_all();
        }
        self.note_ends(troubles);
        while self.workers.iter().any(Option::is_none) {
            if !self.call_in()? {
                break;
            }
        }
        Ok(())
    }

    fn count(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot> {
        self.note_ends(troubles);
        let workers = || self.workers.iter().flatten();
        let refused: Vec<_> = workers().filter_map(|worker| worker.line.ask().err()).collect();
        troubles.extend(refused.iter().map(ToString::to_string));
        let mut answer = |worker: &mut Worker| match worker.line.answer(PATIENCE) {
            Ok(counted) => counted,
            Err(error) => {
                troubles.push(error.to_string());
                Snapshot::default()
            }
        };
        let places = self.workers.iter_mut();
        places.map(|place| place.as_mut().map(&mut answer).unwrap_or_default()).collect()
    }

    fn memory(&self) -> Vec<Holdings> {
        let of = |worker: &Option<Worker>| worker.as_ref().map(|worker| worker.process);
        let processes: Vec<Option<u32>> = self.workers.iter().map(of).collect();
        let server = Some(self.server.pid());
        // A server of one worker is that worker.
        let supervisor = (!processes.contains(&server)).then_some(server);
        let all = processes.iter().copied().chain(supervisor);
        all.map(|process| process.map(Holdings::of).unwrap_or_default()).collect()
    }
}

/// Writes the application and its plan to `folder`.
fn write(folder: &Path, plan: &Plan) -> io::Result<()> {
    for (name, text) in sources::SOURCES {
        fs::write(folder.join(name), text)?;
    }
    fs::write(folder.join(PLAN), serde_json::to_vec(plan)?)
}
