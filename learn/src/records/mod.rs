//! What a service left behind: logs, runs of load generators, metrics, CPU.
//!
//! One file per format. Readers go through a file once, line by line, plain or gzip; a line that is broken
//! is counted and named, and a file of which more than one in twenty are is refused.

pub mod cpu;
mod entry;
pub mod json_log;
pub mod k6;
pub mod lines;
pub mod log_format;
pub mod prometheus;
mod requests;
pub mod time;

pub use entry::{Entry, Target};
pub use requests::{Request, Requests, holds};
