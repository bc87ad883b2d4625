//! Predicts what a web service will do: a seeded, deterministic discrete-event simulation.
#![forbid(unsafe_code)]

// The simulation: a plan of the scenario, the engine that runs it, what is observed.
pub mod engine;
pub mod observe;
pub mod plan;

// The resources, each with its instructions, its state, its observations and its answer.
mod cache;
mod client;
mod cpu;
mod database;
mod event_loop;
mod interpreter;
mod slots;
mod standstill;
mod threads;
mod upstream;

// The answer: replications, the report, the limits.
pub mod answer;
mod bounds;
pub mod explain;
pub mod knob;
pub mod predict;
pub mod replicate;
pub mod shard;

pub mod cli;
