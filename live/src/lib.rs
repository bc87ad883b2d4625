//! Measures what a web service does: the real service of a scenario, pinned to its
//! processor, a real upstream and a real load.
//!
//! It knows nothing of predictions: it does not depend on `sim`.
//!
//! The public face, for `validate`, tests and examples:
//! - [`cli`]: the program, also for a program that runs it as its own child;
//! - [`stack`]: the stacks that a scenario can be measured on, behind one trait;
//! - [`run`]: what can be measured here at all, and the words for a machine;
//! - [`load`]: the load generator; [`k6`]: the same load as a script;
//! - [`upstream`]: the mock upstream;
//! - [`supervisor`]: child processes, their messages and their listening sockets;
//! - [`machine`]: processors, limits, noise and facts; [`clock`]: the kernel's clocks;
//! - [`witness`]: the speed of the service's processors;
//! - [`watch`]: the live terminal; [`metrics`]: the same for other programs;
//! - [`temporary`]: folders that vanish; [`Interrupt`]: whether the user wants to end;
//! - [`wire`]: the HTTP headers; [`versions()`]: the versions that this program is built of.
#![forbid(unsafe_code)]

mod alarm;
pub mod cli;
pub mod clock;
mod dataset;
mod interrupt;
pub mod k6;
pub mod load;
pub mod machine;
pub mod metrics;
mod postgres;
mod program;
pub mod run;
pub mod stack;
pub mod supervisor;
pub mod temporary;
mod times;
pub mod upstream;
mod versions;
pub mod watch;
pub mod wire;
pub mod witness;

pub use interrupt::{Interrupt, Interrupted};
pub use versions::versions;
