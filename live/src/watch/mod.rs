//! The live terminal: what is being measured, while it is measured.
//!
//! A measurement tells what happens by [`Message`]s, one for each second of load. [`Viewer`] is a
//! pure value: it is fed with messages and keys, and drawn into a grid of characters. [`Screen`] is
//! the thread that does both on a real terminal. Predictions are reports that the caller hands in:
//! this room does not know where they come from.
//!
//! Everything on the screen is known without asking the service anything while it is measured:
//! - the load generator's counts of each second;
//! - where the time of its answers went, which the replies carry anyway. By Little's law (Little
//!   1961) the time at a place in a second, divided by that second, is the mean number of requests
//!   there;
//! - the kernel's accounts of processors and processes.

mod draw;
mod key;
mod message;
mod remaining;
mod screen;
mod so_far;
mod socket;
mod state;
mod suitable;
mod terminal;
mod viewer;

#[cfg(test)]
pub(crate) mod sample;

pub use message::{Message, Plan, Planned, Sample, Slots, WorkerSample};
pub use screen::Screen;
pub(crate) use so_far::SoFar;
pub use socket::{Came, Heard, Socket};
pub(crate) use state::{Phase, State};
pub use suitable::{Unsuitable, When, unsuitable};
pub(crate) use terminal::restore;
pub use viewer::Viewer;
