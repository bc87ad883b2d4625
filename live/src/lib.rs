//! Measures what a web service does: the real service of a scenario, pinned to its
//! processor, a real upstream and a real load.
//!
//! It knows nothing of predictions: it does not depend on `sim`.
#![forbid(unsafe_code)]

pub mod alarm;
pub mod cli;
pub mod clock;
pub mod k6;
pub mod load;
pub mod machine;
pub mod program;
pub mod run;
pub mod service;
pub mod supervisor;
pub mod target;
pub mod times;
pub mod upstream;
pub mod versions;
pub mod wire;
