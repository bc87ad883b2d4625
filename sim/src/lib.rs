//! Predicts what a web service will do: a seeded, deterministic discrete-event simulation.
#![forbid(unsafe_code)]

pub mod agenda;
pub mod answer;
pub mod bounds;
pub mod cli;
pub mod engine;
pub mod event;
pub mod explain;
pub mod knob;
pub mod observe;
pub mod plan;
pub mod predict;
pub mod replicate;
pub mod station;
pub mod trace;
