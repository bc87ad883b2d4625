//! What-ifs about a scenario in a browser: the files of the page, and a server for this machine alone.
//!
//! This crate knows no engine and no scenario. Questions and answers are JSON that it hands on to what
//! implements [`Engine`], so that the page is the same wherever the engine runs.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod guard;
/// The files of the page.
pub mod page;
mod server;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use server::Server;

/// What answers the questions of a page.
pub trait Engine: Send + Sync + 'static {
    /// The answer to a question, both as JSON. Nobody waits for it any more once `stop` is true.
    fn ask(&self, question: &str, stop: &Arc<AtomicBool>) -> String;

    /// Keeps a state of the page as a file; what came of it as JSON.
    fn save(&self, question: &str) -> String;
}
