//! The whole program: it predicts, measures itself as `live`, and compares. Short runs on a
//! machine that others use too: what is asserted is that both sides fit together, what is
//! told and what is left behind, never a measured value.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "a test gives up some time")]

mod endings;
mod lab;
mod python;
mod refusals;
mod whole;
