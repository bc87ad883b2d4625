//! An engine behind HTTP: who may ask, for how much, and who is next.
//!
//! This crate knows no engine and no scenario. Questions and answers are bytes that it hands on to what
//! implements [`Api`]; it sees to it that one client, one question or one slow connection cannot keep the
//! others waiting. What other servers of this machine need is public too: tokens, the names of this
//! machine, signals.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod api;
mod client;
mod connections;
mod host;
mod metrics;
mod problem;
mod queue;
mod server;
mod signals;
mod token;
mod waiting;

pub use api::{Answer, Api};
pub use host::is_from_here;
pub use problem::Problem;
pub use server::{Limits, Server};
pub use signals::{Ended, Signals};
pub use token::{Tokens, is_same, random};
pub use waiting::Waiting;
