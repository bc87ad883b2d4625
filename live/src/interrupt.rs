//! SIGINT (Ctrl-C) and SIGTERM: the first stops the run, which keeps what it has measured; the
//! second ends the process at once.

use std::io;
use std::process::exit;

use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Exit code of a process that is ended at once: the shell's for SIGINT.
const AT_ONCE: i32 = 130;

/// The run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted before anything was measured")]
pub struct Interrupted;

/// Whether the process was asked to end.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM on a thread of its own, to the end of the process. The
    /// second of them ends the process at once: its children end with it.
    ///
    /// # Errors
    /// The system does not let the process handle signals.
    pub fn listen() -> io::Result<Interrupt> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (mut interrupted, mut terminated) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let (sender, receiver) = watch::channel(false);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupted.recv() => {}
                        _ = terminated.recv() => {}
                    }
                    if sender.send_replace(true) {
                        crate::watch::restore();
                        exit(AT_ONCE);
                    }
                }
            });
        })?;
        Ok(Interrupt(receiver))
    }

    /// The process was asked to end.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Asks the process to end, as Ctrl-C does where the terminal makes a signal of it.
    pub fn raise(&self) {
        // A process may always send itself a signal.
        let _ = kill_process(getpid(), Signal::INT);
    }

    /// Goes on only if the process was not asked to end.
    ///
    /// # Errors
    /// It was.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_set() { Err(Interrupted) } else { Ok(()) }
    }

    /// Waits until the process is asked to end.
    pub async fn wait(&self) {
        // The sender lives as long as the process.
        if self.0.clone().wait_for(|set| *set).await.is_err() {
            std::future::pending().await
        }
    }

    /// A receiver that becomes true when the process is asked to end.
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }
}
