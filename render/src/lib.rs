//! Answers for people: aligned, with units, in words that need no queueing theory.
//!
//! A prediction and a measurement are told in the same words, in the same places. So this crate
//! knows reports, and no program that makes them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod command_line;
mod completions;
mod console;
mod exit;
mod failure;
mod format;
pub mod ladder;
pub mod measurement;
pub mod number;
pub mod page;
mod paint;
pub mod parts;
#[cfg(test)]
mod sample;
pub mod saved;
pub mod scenario;
mod source;

pub use command_line::{CommandLine, HELP};
pub use completions::Completions;
pub use console::Console;
pub use exit::Exit;
pub use failure::Failure;
pub use format::{Answer, Format, Output, PlainOutput, json};
pub use paint::Paint;
pub use source::{Changes, LadderSource, Source, Sources};
