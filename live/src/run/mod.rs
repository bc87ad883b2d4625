//! A measurement from start to report.
//!
//! A scenario is measured in one or more rounds. Each starts everything anew; several
//! scenarios take turns, so that a machine that drifts drifts for all of them.

mod assemble;
mod error;
mod evidence;
mod faults;
mod fold;
mod folder;
mod guard;
mod onlooker;
mod predicted_only;
mod refuse;
mod round;
mod server;
mod speed;
mod stage;
mod stations;
mod worker;

#[cfg(test)]
mod sample;

pub(crate) use assemble::{MeasuredOn, report};
pub use error::RunError;
pub use evidence::describe_machine;
pub(crate) use folder::keep;
pub use onlooker::Display;
pub(crate) use onlooker::{Onlooker, Runs};
pub(crate) use refuse::doubt;
pub use refuse::{Offer, one_service, refuse};
pub(crate) use round::{Failed, Progress, Round, Seen, now_in_seconds, run_round};
pub(crate) use stage::{Setting, Stage};
pub(crate) use worker::WorkerReading;
