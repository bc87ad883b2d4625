//! The words that rung's predicted and measured worlds share.
//!
//! A leaf: no clock, no randomness but keyed draws, no input or output beyond reading
//! scenario and cost files.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[macro_use]
pub mod keys;

pub mod costs;
pub mod digest;
pub mod distribution;
pub mod failure;
pub mod measurement;
pub mod place;
pub mod read;
pub mod report;
pub mod scenario;
pub mod station;
pub mod statistics;
pub mod stream;
pub mod units;
pub mod words;
pub mod workload;
