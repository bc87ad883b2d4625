//! Every mechanism of the model, each in a scenario small enough to compute by hand.
//!
//! Costs that do not matter to a law are zero and times are constants, so that a law is an
//! instant to the nanosecond, a count or an order. A mechanism that is taken out or
//! changed moves an instant and fails its test.
#![allow(clippy::unwrap_used)]

mod accounting;
mod after;
mod cache;
mod concurrency;
mod cpu;
mod faults;
mod gone;
mod groups;
mod handed_over;
mod interpreter;
mod keep_alive;
mod load;
mod locks;
mod pooler;
mod pools;
mod postgres;
mod processes;
mod retries;
mod rows;
mod server;
mod sqlite;
mod stage;
mod traces;
mod upstreams;
mod visits;
mod workers;
mod wsgi;
