//! The mock of the third-party services: real connections, real waits, keyed latencies.
//!
//! One process answers for all upstreams of a scenario, each under its own path. The caller
//! says which step of which request calls, and the draw is that of the model: the same call
//! takes equally long in every run, and in a prediction.

mod capacity;
mod child;
mod counters;
mod draws;
mod server;

pub use child::{Ready, Start, run_as_child};
pub use counters::{Counters, Lateness, Snapshot, UpstreamCounts};
pub use server::{run_alone, serve};
