//! The words that rung's predicted and measured worlds share.
//!
//! A leaf: no clock, no randomness but keyed draws, no input or output beyond reading
//! scenario and cost files.
//!
//! - [`scenario`] is what is run, and [`costs`] what things cost on a stack and machine. Their
//!   keys are declared in the form that [`keys`] defines; [`read`] makes them from files.
//! - [`units`], [`distribution`] and [`stream`] are times, lengths of time and random draws;
//!   [`workload`] is the load in these terms: which user sends what, and when; [`trace`] are arrivals
//!   that were recorded; [`retry`] whether a request is sent again, [`request`] its text where it has
//!   generated parts.
//! - [`station`], [`place`] and [`failure`] are the resources that requests use, the places where
//!   their time goes, and how they fail.
//! - [`objective`] is what an answer is held against.
//! - [`sweep`] is a scenario at several values of a key.
//! - [`report`] is an answer, [`measurement`] what only a measured one has, [`statistics`] their
//!   intervals, and [`digest`] tells versions of a text apart.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[macro_use]
pub mod keys;

pub mod costs;
pub mod digest;
pub mod distribution;
pub mod failure;
pub mod machine_speed;
pub mod measurement;
pub mod objective;
pub mod place;
mod quantity;
pub mod read;
pub mod recovery;
pub mod report;
pub mod request;
pub mod retry;
pub mod scenario;
pub mod speed;
pub mod station;
pub mod statistics;
pub mod stream;
pub mod sweep;
pub mod trace;
pub mod units;
mod words;
pub mod workload;

pub use quantity::Quantity;
