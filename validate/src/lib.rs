//! Says whether a prediction can be trusted: predicted against measured, number by number.
//!
//! It stands above both worlds, and neither knows it: a measurement that saw how it will be
//! judged would prove nothing.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bottleneck;
pub mod cli;
pub mod compare;
pub mod comparison;
pub mod judgement;
pub mod metric;
pub mod pair;
pub mod ranking;
mod reading;
pub mod side;
pub mod summary;
pub mod told;
pub mod tolerance;
mod verdict;

pub use compare::compare;
pub use comparison::Comparison;
pub use summary::Summary;
pub use tolerance::Tolerances;
