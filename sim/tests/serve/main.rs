//! `sim serve` as a process: its answers, its limits, who may ask, how it ends.
#![cfg(feature = "serve")]

mod access;
mod answers;
mod any;
mod chaos;
mod description;
mod ending;
mod limits;
mod page;
mod server;
