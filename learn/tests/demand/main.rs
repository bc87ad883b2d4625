//! Estimators of service demands against services whose demands are known.
#![allow(
    clippy::print_stdout,
    reason = "shares and the table of errors, for those that look at them"
)]

mod coverage;
mod factors;
mod service;
