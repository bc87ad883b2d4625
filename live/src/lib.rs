//! Measures what a web service does: the real service of a scenario, pinned to its
//! processor, a real upstream and a real load.
//!
//! It knows nothing of predictions: it does not depend on `sim`.
#![forbid(unsafe_code)]

mod alarm;
pub mod cli;
pub mod clock;
mod dataset;
mod interrupt;
pub mod k6;
pub mod load;
pub mod machine;
mod program;
pub mod run;
pub mod stack;
pub mod supervisor;
pub mod temporary;
mod times;
pub mod upstream;
mod versions;
pub mod wire;

pub use interrupt::{Interrupt, Interrupted};
pub use versions::versions;
