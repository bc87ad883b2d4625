//! The interpreter lock of each worker process.

mod answer;
mod lock;
mod run;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, stations};
pub(crate) use lock::InterpreterLock;
