//! Learns what a service costs, as a scenario that predicts it.
//!
//! It knows nothing of predictions: it does not depend on `sim`.
//!
//! Rooms: `learned` (what is known of a service, each number with its interval and origin),
//! `demand` (estimators of CPU per request), `probe` (asks a service that runs), `process` (its
//! processes and their CPU time), `wait` (what a request waits for), `explain` (the table of what is
//! known), `update` (what a later run adds), `cli`,
//! `records` (readers of logs, metrics and CPU), `paths` (paths become endpoints),
//! `traffic` (the load, from the times of requests), `from` (all records, as what is known).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// The command line of `learn`, which tests run too.
pub mod cli;
/// CPU per request of each class, estimated from counts, CPU and response times.
pub mod demand;
/// A table of all learned numbers: `learn explain`.
pub mod explain;
/// A service that only left records, as what is known of it.
pub mod from;
/// A learned service, before it is written as a scenario.
pub mod learned;
/// Paths of requests become endpoints.
pub mod paths;
/// What a service that runs answers: its costs, and how it serves several requests at once.
pub mod probe;
/// The processes of a service, and their CPU time.
pub mod process;
/// Readers of what a service left behind.
pub mod records;
/// The load of a service, from the times of its requests.
pub mod traffic;
/// What a later run adds to what a scenario knows.
pub mod update;
/// What a request waits for: spans and traffic become steps.
pub mod wait;
