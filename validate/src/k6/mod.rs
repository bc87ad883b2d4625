//! What k6 says of a service, as a measured report.
//!
//! A summary at the end of a k6 run has throughput, errors and response times. It has no
//! stations, no CPU and nothing in flight, and it has no interval of anything. What it does not
//! tell is left out of the report by name ([`model::report::Report::untold`]) and told to
//! whoever reads the comparison: nothing that is not known becomes a zero.
//!
//! - [`form`]: the three forms that k6 writes, and how they are told apart
//! - [`summary`]: a file of any of them, as the same numbers
//! - [`source`]: which of its metrics say what
//! - [`reported`]: one or more summaries as a report, and what they cannot tell

pub(crate) mod form;
pub(crate) mod reported;
pub(crate) mod source;
pub(crate) mod summary;

pub(crate) use reported::{Reported, report};
pub(crate) use summary::EndSummary;
