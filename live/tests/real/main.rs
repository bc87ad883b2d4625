//! The whole program against real scenarios: short runs that must account for every
//! request and come out in the right order. No time is ever too long for them.
#![forbid(unsafe_code)]

mod commands;
mod database;
mod draws;
mod folder;
mod load;
mod measuring;
mod models;
#[path = "../support/mod.rs"]
mod support;
mod upstreams;
mod workers;
