//! A service that only left records, as what is known of it.
//!
//! Records of requests and of CPU are read, their clocks are brought together, windows are cut in which
//! requests stand beside CPU, and the estimators of `demand` say what each endpoint costs.

mod align;
mod answer;
mod assemble;
mod input;
mod metered;
mod waits;
mod windows;

use std::path::PathBuf;

use model::read::Diagnostics;
use model::scenario::{Concurrency, Server};

use crate::paths::Pattern;
use crate::records::json_log::Unit;

pub use answer::{EndpointAnswer, FromAnswer};

/// What records there are, and what is known without them.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Samples of k6 runs, as JSON lines or CSV.
    pub k6: Vec<PathBuf>,
    /// Access logs.
    pub access_logs: Vec<PathBuf>,
    /// Their format string, or its name; found out if it is not given.
    pub log_format: Option<String>,
    /// The unit of durations in JSON logs whose keys do not say it.
    pub unit: Option<Unit>,
    /// Traces: lines of OTLP in JSON.
    pub otlp: Vec<PathBuf>,
    /// Traces: documents of Jaeger.
    pub jaeger: Vec<PathBuf>,
    /// Metrics.
    pub prometheus: Vec<PathBuf>,
    /// CPU.
    pub cpu: Vec<PathBuf>,
    /// Endpoints that the user has named.
    pub endpoints: Vec<Pattern>,
    /// Endpoints at most; the others are counted together.
    pub most: usize,
    /// Only CPU of sources with this in their name.
    pub process: Option<String>,
    /// Processors that the service may use.
    pub cores: Option<u32>,
    /// Worker processes.
    pub workers: Option<u32>,
    /// Whose loop and processes it has.
    pub server: Option<Server>,
    /// How a handler runs.
    pub concurrency: Option<Concurrency>,
    /// The name of what is learned.
    pub name: String,
}

/// A service as its records describe it.
///
/// # Errors
/// A record cannot be used.
pub fn learn(records: &Records) -> Result<(crate::learned::Learned, FromAnswer), Diagnostics> {
    let input = input::read(records)?;
    Ok(assemble::assemble(records, input))
}
