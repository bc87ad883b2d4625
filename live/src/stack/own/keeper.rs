//! The process that starts a service with the user's command, and ends it with all that it has
//! started: it ends with `live`, however that ends.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::machine::{Cpus, ProcessTree, TreeReading, pin};
use crate::supervisor::Control;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// How long a service may take to end before it is killed: less than the parent waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// For a shell.
    pub(super) command: String,
    /// Where it runs; empty leaves that to the system.
    pub(super) cpus: Cpus,
    /// Where it will listen, at one of these.
    pub(super) addresses: Vec<SocketAddr>,
}

/// It accepts connections.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// Where.
    pub(super) address: SocketAddr,
    /// The first of its processes.
    pub(super) process: u32,
}

/// Starts the service that the parent names, and ends it when told to or when the parent ends.
///
/// # Errors
/// The process has no parent that speaks to it.
pub fn run_service_process() -> Result<(), String> {
    let control: Control<Start, Ready, ()> =
        Control::from_stdout().map_err(|error| error.to_string())?;
    let start = control.start();
    let kept = Arc::new(Mutex::new(None));
    let at_end = kept.clone();
    control.before_end(move || end(&mut at_end.lock().unwrap_or_else(PoisonError::into_inner)));
    if let Err(error) = pin(&start.cpus) {
        control.fail(&error.to_string());
    }
    let service = match spawn(&start.command) {
        Ok(service) => service,
        Err(error) => control.fail(&format!("a shell cannot be started: {error}")),
    };
    let process = service.id();
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(service);
    let mut told = false;
    loop {
        let ended = match &mut *kept.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(service) => service.try_wait().ok().flatten(),
            None => return Ok(()),
        };
        if let Some(status) = ended {
            end(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
            let when = if told { "" } else { " before it accepted connections" };
            control.fail(&format!("`{}` ended{when} ({status})", start.command));
        }
        let open = |address: &&SocketAddr| TcpStream::connect(address).is_ok();
        if !told && let Some(&address) = start.addresses.iter().find(open) {
            control.ready(Ready { address, process }, || ());
            told = true;
        }
        std::thread::sleep(LOOK);
    }
}

/// The service in a process group of its own. What it prints goes to the standard error of this
/// process, whose standard output belongs to the parent.
fn spawn(command: &str) -> std::io::Result<Child> {
    let print = || std::io::stderr().as_fd().try_clone_to_owned().map(Stdio::from);
    Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(print()?)
        .stderr(print()?)
        .process_group(0)
        .spawn()
}

/// Ends the service with all that it has started, those that have left its group too.
fn end(kept: &mut Option<Child>) {
    let Some(mut service) = kept.take() else { return };
    let below = ProcessTree::of(service.id()).map(|tree| tree.read()).unwrap_or_default();
    let group = Pid::from_child(&service);
    // It may have ended by itself.
    let _ = kill_process_group(group, Signal::TERM);
    let deadline = Instant::now() + PATIENCE;
    while lives(&mut service, &below) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    let _ = kill_process_group(group, Signal::KILL);
    for process in below.living() {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
    }
    let _ = service.wait();
}

fn lives(service: &mut Child, below: &TreeReading) -> bool {
    !matches!(service.try_wait(), Ok(Some(_))) || below.living().next().is_some()
}
