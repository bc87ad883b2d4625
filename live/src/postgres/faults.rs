//! Faults of the server: it is shut down, killed or stopped when the scenario says so, and brought
//! back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::scenario::{DatabaseFault, Fault, Postgres};
use rustix::process::Signal;

use super::keeper::{Start, answer, launch, still_runs};
use super::network::Way;
use super::reading::Happened;
use super::server::{Kept, LOOK, Server};
use super::watcher::Watcher;
use crate::clock;

/// How often a server that was killed is started again: what it shared with its processes may not be
/// free yet.
const STARTS: usize = 5;

/// The faults that have begun. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Happened>>>);

/// What fails, and how it is brought back.
pub(super) struct Faults<'a> {
    pub(super) server: &'a Server,
    pub(super) kept: &'a Kept,
    pub(super) watcher: Watcher,
    pub(super) start: &'a Start,
    pub(super) settings: &'a Postgres,
    pub(super) port: u16,
    /// The network to the server, if bytes are delayed.
    pub(super) way: Option<Way>,
    pub(super) happened: Log,
}

impl Faults<'_> {
    /// Carries out all of them under a load that `began` then, on the machine's monotonic clock.
    ///
    /// # Errors
    /// The server ends unasked, or does not come back.
    pub(super) async fn carry_out(&mut self, all: &[Fault], began: u64) -> Result<(), String> {
        for fault in all {
            let due = began.saturating_add(fault.at.nanos());
            self.wait_until(due, true).await?;
            let at = clock::now();
            self.happened.begin(fault.database == DatabaseFault::Killed, at.saturating_sub(due));
            let gone = fault.database != DatabaseFault::Paused;
            if gone {
                self.end(fault.database).await;
            } else {
                self.kept.signal_all(Signal::STOP);
            }
            self.wait_until(due.saturating_add(fault.for_.nanos()), false).await?;
            if gone {
                self.start_again().await?;
            } else {
                self.kept.signal_all(Signal::CONT);
            }
            self.happened.end(clock::now() - at);
        }
        Ok(())
    }

    /// Waits, and looks meanwhile after the server if it `runs`.
    async fn wait_until(&self, at: u64, runs: bool) -> Result<(), String> {
        loop {
            let left = Duration::from_nanos(at.saturating_sub(clock::now()));
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(LOOK)).await;
            if runs {
                still_runs(self.server, self.kept)?;
            }
        }
    }

    /// Ends the server and takes no connections for it: with a fast shutdown, or by killing all its
    /// processes.
    async fn end(&mut self, how: DatabaseFault) {
        let used = self.kept.used(self.watcher.process_if_idle());
        match how {
            DatabaseFault::Killed => self.kept.signal_all(Signal::KILL),
            DatabaseFault::Down | DatabaseFault::Paused => self.kept.signal(Signal::INT),
        }
        if let Some(way) = &mut self.way {
            way.close().await;
        }
        while !self.kept.replaces(used) {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn start_again(&mut self) -> Result<(), String> {
        let mut result = Ok(());
        for _ in 0..STARTS {
            launch(self.server, self.start, self.settings, self.port)?;
            result = answer(self.server, self.port, self.kept).await;
            if result.is_ok() {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        result?;
        match &mut self.way {
            Some(way) => way.open_again().map_err(|error| format!("no network: {error}")),
            None => Ok(()),
        }
    }
}

impl Log {
    fn begin(&self, killed: bool, late: u64) {
        self.list().push(Happened { killed, late, lasted: None });
    }

    fn end(&self, lasted: u64) {
        if let Some(last) = self.list().last_mut() {
            last.lasted = Some(lasted);
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Happened> {
        self.list().clone()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Happened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
