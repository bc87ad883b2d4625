//! Predicts what a web service will do: a seeded, deterministic discrete-event simulation.
#![forbid(unsafe_code)]

/// Runs a plan: clock, agenda, requests.
pub mod engine;
/// What is observed in the counted window of a run.
pub mod observe;
/// A scenario as the engine runs it: steps become instructions.
pub mod plan;

// The resources, each with its instructions, its state, its observations and its answer.
mod after;
mod cache;
mod client;
mod cpu;
mod database;
mod event_loop;
mod interpreter;
mod lock;
mod process;
mod slots;
mod standstill;
mod threads;
mod upstream;

/// Questions over HTTP and their answers.
#[cfg(feature = "serve")]
pub mod api;

/// From runs to a report.
pub mod answer;
mod bounds;
mod failure;
mod learned;
mod pool;

/// The cheapest setting that keeps the objectives.
pub mod choose;
/// The answer of `sim explain`.
pub mod explain;
/// What to change, found by experiment.
pub mod knob;
/// What happens when.
pub mod over_time;
/// A whole prediction: a scenario in, a report out.
pub mod predict;
/// Independent replications in parallel.
pub mod replicate;
/// Replications in parts that are written, read back and merged.
pub mod shard;
/// How much load a service takes before an objective breaks.
pub mod size;
/// Starters for services of people's own.
mod starter;
/// Runs that are given up.
pub mod stop;
/// Answers that were computed before.
pub mod store;
/// One or two keys at several values each.
pub mod sweep;
/// What-ifs about a scenario, for a page.
pub mod what_if;

/// The command line of `sim`.
pub mod cli;
