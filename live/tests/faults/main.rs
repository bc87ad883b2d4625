//! The whole program when things go wrong: interrupts, deaths, refusals. Whatever happens,
//! nothing is left behind.
#![forbid(unsafe_code)]

mod deaths;
mod interrupts;
mod ours;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
