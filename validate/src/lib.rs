//! Says whether a prediction can be trusted: predicted against measured, number by number.
//!
//! It depends on `sim` and `live`, and neither depends on it: a measurement must not know the
//! prediction that it is compared with.
//!
//! Rooms: `judge` (pure verdicts), `measure` (one scenario predicted and measured), `calibrate`
//! (the costs of a stack here), `ladder`, `sweep`, `proof` (how much load it takes), `k6` (measured by k6), `pages` (what people see), `cli`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod calibrate;
/// The command line of `validate`, which tests run too.
pub mod cli;
mod judge;
mod k6;
mod ladder;
mod measure;
mod pages;
mod proof;
mod sweep;

/// The costs of a stack by itself: the answer of `validate calibrate`.
pub use calibrate::Calibration;
/// Two reports held against each other: the answer of `validate compare`, its parts and its
/// rules.
pub use judge::{
    Bottlenecks, Comparison, Judgement, Metric, Mismatch, Origin, Regime, Row, Scope, Side,
    Tolerance, Tolerances, Unit, Verdict, compare,
};
/// Many comparisons together, and the answer of `validate run`.
pub use judge::{Errors, Hits, Inversion, Ranking, Summary, Validation, Worst};
/// A ladder on both sides: the answer of `validate ladder`.
pub use ladder::{Climb, Rung, Step};
/// The prediction that pairs with a measurement.
pub use measure::predict::predict;
/// How much load a service takes, and whether it did: the answer of `validate size`.
pub use proof::{Proof, Proved};
/// One key at several values: the answer of `validate sweep`.
pub use sweep::{Point, Sweep};
