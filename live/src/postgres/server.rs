//! A cluster in a folder, and the server's process.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::scenario::{Postgres, SynchronousCommit};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::binaries::Binaries;
use super::owner::Owner;
use super::{Address, HOST};
use crate::machine::{ProcessTree, TreeReading};

/// The database that is measured.
pub(super) const DATABASE: &str = "rung";
/// The user that makes it and looks at it: one that the server lets in when all other
/// connections are taken.
const ADMIN: &str = "rung";
/// The user of the service.
const SERVICE: &str = "service";
/// Sessions of ours that look at it. The server counts them too, as it keeps slots for superusers beside
/// those that superusers have: each would take one from the service.
const WATCHERS: u32 = 1;
/// The most connections that Postgres can be set to.
const MOST: u32 = 262_143;
/// Pause between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// How long the server may take to end when told to at once: less than the parent waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of what a program printed is told.
const TAIL: usize = 1_000;

/// A cluster, whose server may run.
#[derive(Debug)]
pub(super) struct Server {
    binaries: Binaries,
    owner: Owner,
    /// Below it: `data`, the cluster, and `server.log`.
    folder: PathBuf,
    password: String,
    kept: Kept,
}

/// The process that runs, whichever it is. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    process: Option<Child>,
    /// Nothing is to be started any more.
    over: bool,
    /// CPU time of processes that have ended.
    ended: Used,
}

/// CPU time of a server's processes, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// Of all but the session that looks at it.
    pub(super) server: u64,
    /// Of that session.
    pub(super) watching: u64,
}

impl Server {
    /// Makes an empty cluster in `folder`.
    ///
    /// # Errors
    /// Why it cannot be made, in words.
    pub(super) fn make(binaries: Binaries, folder: &Path, kept: Kept) -> Result<Server, String> {
        let owner = Owner::find()?;
        let folder = folder.join("postgres");
        let system = |error: io::Error| format!("cannot use {}: {error}", folder.display());
        fs::create_dir(&folder).and_then(|()| owner.give(&folder)).map_err(system)?;
        let password = secret().map_err(system)?;
        let server = Server { binaries, owner, folder: folder.clone(), password, kept };
        let secret = server.write("password", &server.password)?;
        let mut command = Command::new(server.binaries.program("initdb"));
        command.arg("-D").arg(server.data()).arg("--pwfile").arg(&secret).args([
            "--username",
            ADMIN,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]);
        server.run(command, "initdb")?;
        fs::remove_file(&secret).map_err(system)?;
        Ok(server)
    }

    /// Runs a program to its end.
    fn run(&self, mut command: Command, name: &str) -> Result<(), String> {
        self.launch(&mut command, name, &self.kept)?;
        loop {
            match self.kept.ended() {
                Some(Ok(())) => return Ok(()),
                Some(Err(status)) => return Err(self.last_words(name, &status)),
                None => std::thread::sleep(LOOK),
            }
        }
    }

    /// A free port. Somebody may take it before the server is started: then it says so and ends.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn free_port() -> Result<u16, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|one| one.local_addr());
        free.map(|at| at.port()).map_err(|error| format!("no free port: {error}"))
    }

    /// Starts the server at `port`, with no wait for it to answer.
    ///
    /// # Errors
    /// The program cannot be started, in words.
    pub(super) fn start(&self, settings: &Postgres, port: u16) -> Result<(), String> {
        let mut command = Command::new(self.binaries.program("postgres"));
        command.arg("-D").arg(self.data());
        let waits = settings.synchronous_commit == SynchronousCommit::On;
        let limit = settings.max_connections;
        let limit = limit.map(|most| (most + WATCHERS).min(MOST));
        let limit = limit.map(|most| format!("max_connections={most}"));
        for setting in limit.iter().map(String::as_str).chain([
            if waits { "synchronous_commit=on" } else { "synchronous_commit=off" },
            &format!("listen_addresses={HOST}"),
            &format!("port={port}"),
            "unix_socket_directories=",
            "max_wal_size=4GB",
            "logging_collector=off",
        ]) {
            command.arg("-c").arg(setting);
        }
        self.launch(&mut command, "postgres", &self.kept)
    }

    /// Starts a program as the server's user, with no wait for it to answer.
    ///
    /// # Errors
    /// It cannot be started, in words.
    pub(super) fn launch(
        &self,
        command: &mut Command,
        name: &str,
        kept: &Kept,
    ) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.and_then(|log| Ok((log.try_clone()?, log)));
        let (out, err) = log.map_err(|error| format!("cannot write the server's log: {error}"))?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).current_dir(&self.folder);
        // The user's settings of Postgres must not change what is measured.
        for variable in ["PGDATA", "PGPORT", "PGOPTIONS", "PGDATABASE", "PGHOST", "PGUSER"] {
            command.env_remove(variable);
        }
        kept.keep(self.owner.runs(command)).map_err(|error| format!("{name}: {error}"))
    }

    /// Writes a file that only the server's user can read. Returns its path.
    ///
    /// # Errors
    /// What the system says, in words.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(name);
        let system = |error: io::Error| format!("cannot write {}: {error}", path.display());
        write_secret(&path, text).and_then(|()| self.owner.give(&path)).map_err(system)?;
        Ok(path)
    }

    /// The folder of the cluster and of what belongs to it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The end of what a program that ended said.
    pub(super) fn last_words(&self, name: &str, status: &str) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let tail = log.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        format!("{name} ended ({status}). Its last words:\n{}", log[tail..].trim())
    }

    /// Where the one who makes it logs in: at `port`, to `database`.
    pub(super) fn admin(&self, port: u16, database: &str) -> Address {
        Address {
            port,
            user: ADMIN.into(),
            password: self.password.clone(),
            database: database.into(),
            turns_per_nano: 0.0,
        }
    }

    /// Where the service logs in.
    pub(super) fn service(&self, port: u16, turns_per_nano: f64) -> Address {
        let user = SERVICE.into();
        Address { user, turns_per_nano, ..self.admin(port, DATABASE) }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

impl State {
    fn tree(&self) -> TreeReading {
        let tree = self.process.as_ref().and_then(|process| ProcessTree::of(process.id()));
        tree.map(|tree| tree.read()).unwrap_or_default()
    }
}

impl Kept {
    /// Starts `command`, unless all is over.
    fn keep(&self, command: &mut Command) -> io::Result<()> {
        let mut state = self.state();
        if state.over {
            return Err(io::Error::other("it was told to end"));
        }
        state.process = Some(command.spawn()?);
        Ok(())
    }

    /// How the process ended, if it has: well, or with this status.
    pub(super) fn ended(&self) -> Option<Result<(), String>> {
        let mut state = self.state();
        let Some(process) = &mut state.process else { return Some(Err("it was ended".into())) };
        let status = process.try_wait().ok().flatten()?;
        Some(if status.success() { Ok(()) } else { Err(status.to_string()) })
    }

    /// CPU time of the process and all that it started, and of those before it; `watching` is the
    /// session that looks at it.
    pub(super) fn used(&self, watching: Option<u32>) -> Used {
        let state = self.state();
        let tree = state.tree();
        let all: u64 = tree.processes.iter().map(|process| process.cpu).sum::<u64>() + tree.reaped;
        let watching = tree.processes.iter().find(|process| Some(process.pid) == watching);
        let watching = watching.map_or(0, |process| process.cpu);
        let Used { server, watching: before } = state.ended;
        Used { server: server + all.saturating_sub(watching), watching: before + watching }
    }

    /// The process and all that it started.
    pub(super) fn tree(&self) -> TreeReading {
        self.state().tree()
    }

    /// Sends a signal to the process alone.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(process) = &self.state().process {
            let _ = kill_process(Pid::from_child(process), signal);
        }
    }

    /// Sends a signal to the process, and then to all that it has started.
    pub(super) fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        for process in self.tree().living() {
            let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, signal));
        }
    }

    /// The process has been told to end, and another will be started in its place. True once it has
    /// ended; what it had `used` before is kept.
    pub(super) fn replaces(&self, used: Used) -> bool {
        let mut state = self.state();
        let Some(process) = &mut state.process else { return true };
        let ended = matches!(process.try_wait(), Ok(Some(_)));
        if ended {
            state.process = None;
            state.ended = used;
        }
        ended
    }

    /// Ends the process and all that it has started, at once; nothing is started any more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.over = true;
        let Some(mut process) = state.process.take() else { return };
        let below = ProcessTree::of(process.id()).map(|tree| tree.read()).unwrap_or_default();
        let pid = Pid::from_child(&process);
        // Postgres ends its sessions and then itself, without a checkpoint; initdb just ends.
        let _ = kill_process(pid, Signal::QUIT);
        // One that stands still does not hear of it.
        for process in below.living() {
            let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::CONT));
        }
        let deadline = Instant::now() + PATIENCE;
        while !matches!(process.try_wait(), Ok(Some(_))) && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        let _ = kill_process_group(pid, Signal::KILL);
        for process in below.living() {
            let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
        let _ = process.wait();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Thirty-two letters and digits that nobody knows.
fn secret() -> io::Result<String> {
    let mut bytes = [0; 16];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kept.end();
    }
}
