//! The whole program: short runs of real scenarios that must account for every request,
//! interrupts, deaths and refusals. No time is too long for them, and afterwards no process,
//! port or temporary file is left.
#![forbid(unsafe_code)]

mod after;
mod chaos;
mod commands;
mod database;
mod deaths;
mod draws;
mod fastapi;
mod folder;
mod gone;
mod interrupts;
mod load;
mod locks;
mod metrics;
mod models;
mod operator;
mod own;
mod postgres;
mod refusals;
mod shop;
mod support;
mod upstreams;
mod watch;
mod witness;
mod workers;
