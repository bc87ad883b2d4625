//! The whole program: it predicts, measures itself as `live`, compares and calibrates. Short
//! runs on a machine that others use too: each test asserts that both sides fit together, and
//! what is printed and left behind, never a measured value.
#![forbid(unsafe_code)]

mod calibration;
mod endings;
mod fastapi;
mod lab;
mod metrics;
mod own;
mod refusals;
mod watch;
mod whole;
