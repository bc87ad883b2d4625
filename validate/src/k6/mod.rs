//! Summaries of k6 as measured reports.
//!
//! A summary at the end of a k6 run has throughput, errors and response times. It has no
//! stations, no CPU and nothing in flight, and it has no interval of anything. Numbers that it
//! does not have are listed by name ([`model::report::Report::untold`]), and the comparison says
//! so: an unknown number never becomes a zero.
//!
//! - [`form`]: the three forms that k6 writes, and how they are told apart
//! - [`samples`]: a stream of samples, put together to the same numbers
//! - [`summary`]: a file of any of them, as the same numbers
//! - [`source`]: the metrics that a report is made of
//! - [`reported`]: one or more summaries as a report, and a list of numbers that are missing

pub(crate) mod form;
pub(crate) mod reported;
mod samples;
pub(crate) mod source;
pub(crate) mod summary;

pub(crate) use reported::{Reported, report};
pub(crate) use summary::EndSummary;
