//! A measurement from start to report.
//!
//! A scenario is measured in one or more rounds. Each starts everything anew; several
//! scenarios take turns, so that a machine that drifts drifts for all of them.

pub mod assemble;
pub mod error;
pub mod evidence;
pub mod fold;
pub mod folder;
pub mod guard;
pub mod refuse;
pub mod round;
pub mod stage;
pub mod stations;

#[cfg(test)]
mod sample;
