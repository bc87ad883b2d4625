//! Answers for people: aligned, with units, in words that need no queueing theory.

pub mod explain;
pub mod ladder;
pub mod number;
mod paint;
pub mod parts;
pub mod program;
pub mod scenario;
pub mod table;

pub use paint::Paint;
