//! Answers for people: aligned, with units, in words that need no queueing theory.
//!
//! A prediction and a measurement are told in the same words, in the same places. So this crate
//! knows reports, and no program that makes them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

/// Answers under several settings, beside each other.
pub mod beside;
mod choice;
/// Verdicts for build servers.
pub mod ci;
mod command_line;
mod completions;
mod console;
mod exit;
mod failure;
mod format;
mod html;
mod illustrated;
mod kept;
/// The page of a ladder and of reports side by side, and their document.
pub mod ladder;
mod manual;
mod measurement;
/// Numbers in words: rates, times, shares.
pub mod number;
/// Objectives: the option that names them, and whether they are kept.
pub mod objectives;
/// What an answer shows to people, and how that is written.
pub mod page;
mod paint;
/// Parts of pages that several answers share.
pub mod parts;
/// Pictures and their numbers.
pub mod picture;
#[cfg(test)]
mod sample;
/// Reports that were kept in files and folders.
pub mod saved;
/// The page of one report.
pub mod scenario;
mod size;
mod source;
/// The page of a sweep.
pub mod sweep;

/// Files that are whole or not there.
pub mod whole;

/// A program's arguments, and the order of its help text.
pub use command_line::{CommandLine, HELP};
/// The command that prints completion scripts.
pub use completions::Completions;
/// The streams of a command.
pub use console::Console;
/// How a command ends.
pub use exit::Exit;
/// Why there is no answer.
pub use failure::Failure;
/// Forms of an answer, and the options that choose one.
pub use format::{Answer, Format, Output, PlainOutput, json};
/// The look of all pages, and the mark of one that a program has written.
pub use html::{MARK, STYLE};
/// Pictures of an answer for a page of another program.
pub use illustrated::{figures, figures_of_size};
/// Files that replace no other.
pub use kept::keep_new;
/// The command that writes manual pages.
pub use manual::Manual;
/// The option that names objectives.
pub use objectives::Keep;
/// Emphasis on terminals.
pub use paint::Paint;
pub use size::gain_of_first;
/// Options that name scenarios and change them, and the rule of a ladder.
pub use source::{Changes, LadderSource, Source, Sources, one_knob_each};
