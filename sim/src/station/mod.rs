//! Stations: what requests queue for. Each keeps its own state and knows nothing of time
//! or events; the engine asks, waits and tells.

pub mod callbacks;
pub mod cpu;
pub mod interpreter;
pub mod kept;
pub mod listener;
pub mod pool;
pub mod server;
pub mod slots;
pub mod sqlite;
