//! A FastAPI service that runs: the server, which is a child of this process, and its workers.
//!
//! The server starts its workers itself. They connect to a socket of their own, say that they
//! serve, and answer what they have counted.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::environment::Environment;
use super::plan::Plan;
use super::sources::SOURCES;
use crate::interrupt::Interrupt;
use crate::machine::Holdings;
use crate::stack::{Service, Snapshot, StackError, StartOptions, WorkerProcess};
use crate::supervisor::{
    ANSWER_TIMEOUT, Child, ChildError, Line, START_TIMEOUT, Switchboard, bind,
};
use crate::temporary::{Temporary, temporary};

/// Pause between two looks at whether workers have connected.
const LOOK: Duration = Duration::from_millis(20);
/// The plan's file.
const PLAN: &str = "plan.json";
/// The socket that workers connect to.
const LINE: &str = "line";
/// The environment variable that names the plan's file.
const VARIABLE: &str = "RUNG_PLAN";

/// The server: the only message it is sent is the one to end.
type Server = Child<(), (), ()>;

/// A worker's first message: it serves.
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
pub(super) struct Running {
    // Fields are dropped in this order: processes before their files.
    server: Server,
    address: SocketAddr,
    /// By number; the next that connects takes the place of one that has ended.
    workers: Vec<Option<Worker>>,
    switchboard: Switchboard,
    starter: Starter,
    interrupt: Interrupt,
    _folder: Temporary,
}

/// How the server is started.
#[derive(Debug)]
struct Starter {
    name: &'static str,
    environment: Environment,
    folder: PathBuf,
    listener: TcpListener,
    /// Requests after which a worker ends.
    max_requests: Option<u32>,
}

impl Starter {
    fn start(&self) -> Result<Server, ChildError> {
        let mut command = Command::new(self.environment.python());
        command.arg(self.folder.join("serve.py")).current_dir(&self.folder);
        command.env(VARIABLE, self.folder.join(PLAN));
        // The user's settings of Python must not change what is measured.
        for variable in
            ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"]
        {
            command.env_remove(variable);
        }
        Server::spawn(self.name, command, Some(&self.listener))
    }
}

impl Running {
    /// Starts the server, and waits until all its workers serve.
    ///
    /// # Errors
    /// It does not start, the port is taken, or the user wants to end.
    pub(super) fn start(
        environment: Environment,
        options: StartOptions<'_>,
    ) -> Result<Running, StackError> {
        let backlog = options.resolved.scenario.service.backlog;
        let listener = bind(options.port, backlog, false)?;
        let address = listener.local_addr()?;
        let folder = temporary(options.directory)?;
        let switchboard = Switchboard::new(folder.path(), LINE)?;
        // Every process of the server works in the folder.
        let plan = Plan::new(&options, Path::new(LINE));
        write(folder.path(), &plan)?;
        let interrupt = options.interrupt.clone();
        let starter = Starter {
            name: plan.server_name(),
            environment,
            folder: folder.path().to_path_buf(),
            listener,
            max_requests: options.resolved.scenario.service.max_requests,
        };
        let server = starter.start()?;
        let workers = (0..plan.workers()).map(|_| None).collect();
        let mut service =
            Running { server, address, workers, switchboard, starter, interrupt, _folder: folder };
        service.wait_for_all()?;
        Ok(service)
    }

    /// Waits until every worker has connected.
    fn wait_for_all(&mut self) -> Result<(), StackError> {
        let deadline = Instant::now() + START_TIMEOUT;
        while self.workers.iter().any(Option::is_none) {
            self.interrupt.check()?;
            self.server.check()?;
            if self.admit()? {
                continue;
            }
            if Instant::now() >= deadline {
                return Err(self.server.late("have all workers ready", START_TIMEOUT).into());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Frees the places of workers that have ended.
    fn note_ends(&mut self, troubles: &mut Vec<String>) {
        for (index, place) in self.workers.iter_mut().enumerate() {
            if let Some(gone) = place.take_if(|worker| !worker.line.is_open()) {
                let trouble = match self.starter.max_requests {
                    Some(most) => format!(
                        "workers end after {most} requests (service.max_requests), and what they \
                         had counted is lost with them"
                    ),
                    None => format!(
                        "worker {index} (process {}) ended unexpectedly; {} starts another",
                        gone.process, self.starter.name
                    ),
                };
                if !troubles.contains(&trouble) {
                    troubles.push(trouble);
                }
            }
        }
    }

    /// Gives a free place to the next worker that has connected. False if none has.
    fn admit(&mut self) -> Result<bool, ChildError> {
        let free = self.workers.iter().position(Option::is_none).unwrap_or(0);
        let name = format!("worker {free}");
        let Some((line, Ready { process })) = self.switchboard.answer(&name)? else {
            return Ok(false);
        };
        self.workers[free] = Some(Worker { line, process });
        Ok(true)
    }
}

impl Service for Running {
    fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server replaces workers that died. A server that died is replaced here, as the
    /// system's supervisor would do it.
    fn replace_dead(&mut self, troubles: &mut Vec<String>) -> Result<(), StackError> {
        if let Err(error) = self.server.check() {
            troubles.push(format!("{error}; another took its place"));
            self.workers.iter_mut().for_each(|worker| *worker = None);
            self.server = self.starter.start()?;
            return self.wait_for_all();
        }
        self.note_ends(troubles);
        while self.workers.iter().any(Option::is_none) {
            if !self.admit()? {
                break;
            }
        }
        Ok(())
    }

    fn snapshots(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot> {
        self.note_ends(troubles);
        let workers = || self.workers.iter().flatten();
        let refused: Vec<_> = workers().filter_map(|worker| worker.line.ask().err()).collect();
        troubles.extend(refused.iter().map(ToString::to_string));
        let mut answer = |worker: &mut Worker| match worker.line.answer(ANSWER_TIMEOUT) {
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

    fn processes(&self) -> Vec<WorkerProcess> {
        let running = self.workers.iter().enumerate();
        let name = |(index, worker): (usize, &Option<Worker>)| {
            let pid = worker.as_ref()?.process;
            Some(WorkerProcess { name: format!("worker {index}"), pid })
        };
        running.filter_map(name).collect()
    }
}

/// Writes the application and its plan to `folder`.
fn write(folder: &Path, plan: &Plan) -> io::Result<()> {
    for (name, text) in SOURCES {
        fs::write(folder.join(name), text)?;
    }
    fs::write(folder.join(PLAN), serde_json::to_vec(plan)?)
}
