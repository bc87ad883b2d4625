//! What a request waits for: calls of upstreams and queries of the database.
//!
//! Spans of traces, or the traffic that passes through proxies, become requests with what each
//! asked of others; the requests of an endpoint become its steps.

mod apart;
mod background;
pub mod direct;
pub(crate) mod fit;
mod gaps;
pub mod http_proxy;
pub mod listener;
mod names;
pub mod postgres_proxy;
pub mod requests;
mod sessions;
mod shape;
mod sometimes;
pub mod spans;
pub mod sql;
pub mod steps;
#[cfg(test)]
mod synthetic;
pub mod traffic;
mod witness;
