//! Says whether a prediction can be trusted: predicted against measured, number by number.
//!
//! It stands above both worlds, and neither knows it: a measurement that saw how it will be
//! judged would prove nothing.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bottleneck;
pub mod calibrate;
mod child;
pub mod cli;
pub mod climb;
pub mod compare;
pub mod comparison;
pub mod judgement;
pub mod k6;
pub mod measure;
pub mod metric;
pub mod pair;
pub mod platform;
pub mod predict;
pub mod ranking;
mod reading;
mod rounds;
pub mod side;
pub mod summary;
pub mod sweep;
pub mod told;
pub mod tolerance;
pub mod validation;
mod verdict;

pub use calibrate::Calibration;
pub use climb::Climb;
pub use compare::compare;
pub use comparison::Comparison;
pub use summary::Summary;
pub use sweep::Sweep;
pub use tolerance::Tolerances;
pub use validation::Validation;
