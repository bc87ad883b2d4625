//! The words that rung's predicted and measured worlds share.
//!
//! A leaf: no clock, no randomness but keyed draws, no input or output beyond reading
//! scenario and cost files.
//!
//! - [`scenario`] is what is run, and [`costs`] what things cost on a stack and machine. Their
//!   keys are declared in the form that [`keys`] defines; [`read`] makes them from files.
//! - [`units`], [`distribution`] and [`stream`] are times, lengths of time and random draws;
//!   [`workload`] is the load in these terms: which user sends what, and when; [`retry`] whether it
//!   is sent again.
//! - [`station`], [`place`] and [`failure`] are the resources that requests use, the places where
//!   their time goes, and how they fail.
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
pub mod measurement;
pub mod place;
pub mod read;
pub mod recovery;
pub mod report;
pub mod retry;
pub mod scenario;
pub mod station;
pub mod statistics;
pub mod stream;
pub mod units;
mod words;
pub mod workload;
