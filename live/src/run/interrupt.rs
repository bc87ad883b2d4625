//! Ctrl-C and a polite request to end: the run stops and keeps what it has measured. Who
//! asks twice does not want to wait for that.

use std::io;
use std::process::exit;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::error::RunError;

/// Exit code of a process that is ended at once: as the shell tells of an interrupt.
const AT_ONCE: i32 = 130;

/// Hears of the wish to end, from the moment it is made.
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
        let (tell, told) = watch::channel(false);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupted.recv() => {}
                        _ = terminated.recv() => {}
                    }
                    if tell.send_replace(true) {
                        exit(AT_ONCE);
                    }
                }
            });
        })?;
        Ok(Interrupt(told))
    }

    /// The wish has been made.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Goes on only if the wish has not been made.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] if it has.
    pub fn check(&self) -> Result<(), RunError> {
        if self.is_set() { Err(RunError::Interrupted) } else { Ok(()) }
    }

    /// Waits for the wish.
    pub async fn wait(&self) {
        // Who listens does so to the end of the process.
        if self.0.clone().wait_for(|set| *set).await.is_err() {
            std::future::pending().await
        }
    }

    /// For those who wait for it.
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }
}
