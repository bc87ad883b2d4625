//! The mock as a child process of a measurement.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::counters::{Counters, Snapshot};
use super::server::{runtime, serve};
use crate::machine::raise_open_files;
use crate::machine::{Cpus, PinError, pin};
use crate::supervisor::{BindError, Control, ControlError, inherited_listener};

/// What the mock is to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Name of the scenario.
    pub name: String,
    /// The resolved scenario as TOML, complete.
    pub scenario: String,
    /// Root of its draws, which differ from round to round.
    pub seed: u64,
    /// Where it runs; empty leaves that to the system.
    pub cpus: Cpus,
}

/// The mock answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Where.
    pub address: SocketAddr,
}

/// Why the mock does not run.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Listener(#[from] BindError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error("its scenario cannot be read:\n{0}")]
    Scenario(#[from] model::read::Diagnostics),
    #[error("the system fails it: {0}")]
    System(#[from] io::Error),
}

/// Serves the upstreams of the scenario that the parent sends, on the socket that it has
/// given, until it says stop. Ends the process.
///
/// # Errors
/// The process has no parent that speaks to it.
pub fn run_as_child() -> Result<(), ControlError> {
    let control = Control::from_stdout()?;
    match run(&control) {
        Ok(never) => match never {},
        Err(error) => control.fail(&error.to_string()),
    }
}

fn run(control: &Control<Start, Ready, Snapshot>) -> Result<std::convert::Infallible, Error> {
    let start = control.start();
    pin(&start.cpus)?;
    raise_open_files();
    let listener = inherited_listener()?;
    let address = listener.local_addr()?;
    let mut scenario = model::read::load_text(&start.name, &start.scenario, &[])?.scenario;
    scenario.seed = start.seed;
    let counters = Counters::new(&scenario);
    let counted = counters.clone();
    runtime()?.block_on(async {
        control.ready(Ready { address }, move || counted.snapshot());
        Ok(serve(listener, Arc::new(scenario), counters).await?)
    })
}
