//! The target fastapi: real servers, real libraries. Where there is no Python, these tests
//! say so and pass.

mod deaths;
mod environment;
pub(crate) mod python;
mod serving;
