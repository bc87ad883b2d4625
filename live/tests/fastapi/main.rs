//! The target fastapi: real servers, real libraries. Where there is no Python, these tests
//! say so and pass.
#![forbid(unsafe_code)]

mod deaths;
mod environment;
#[allow(dead_code, reason = "shared with tests that use more of it")]
#[path = "../faults/ours.rs"]
mod ours;
mod python;
mod serving;
#[allow(dead_code, reason = "shared with tests that use more of it")]
#[path = "../support/mod.rs"]
mod support;
