//! Metrics for other programs: text for Prometheus at `/metrics`, and OTLP for a collector.
//!
//! `Endpoints` are opened before anything is measured: an address that is taken, or a collector that
//! does not answer, is an error then. `Exporter` is a thread that is fed with the messages that the live
//! terminal is fed with. What it shows is `families`, a pure value; `prometheus` and
//! `otlp` only write it. As for the terminal, predictions are reports that the caller hands in.

mod book;
mod buckets;
mod collector;
mod endpoints;
mod exporter;
mod families;
mod family;
mod otlp;
mod prometheus;
mod server;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use collector::{Collector, NoCollector};
pub(crate) use endpoints::Endpoints;
pub(crate) use exporter::Exporter;
