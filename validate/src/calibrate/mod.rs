//! The costs of a stack by itself on this machine: the *platform* profile.
//!
//! The real service runs small scenarios, *probes*, that differ by one thing each. The cost of
//! that thing is a difference of two probes of the same round; a machine that drifts drifts
//! for both. The mean over rounds is the cost, and the rounds give its interval.
//!
//! A stack is data: its probes, its recipes (how each cost follows from them) and the facts that
//! are not measured. Each has a file in [`stack`], and [`walk`] knows none of them by name.
//!
//! Pure, and tested as such: the probes and their scenarios ([`probe`], [`stack`]), the numbers
//! that are read of a report ([`reading`]), readings to costs ([`recipe`], [`cache`],
//! [`mod@derive`]), costs to a profile ([`profile`]) and to words (`page`). Only [`session`]
//! runs anything.

pub(crate) mod about;
mod bench;
pub(crate) mod cache;
mod derive;
mod document;
mod page;
pub(crate) mod probe;
mod profile;
mod profile_file;
mod reading;
mod recipe;
pub(crate) mod session;
pub(crate) mod stack;
mod walk;

pub use document::Calibration;

#[cfg(test)]
mod tests;
