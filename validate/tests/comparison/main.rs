//! Predictions against measurements, as a caller and as a user meet them.

mod any_reports;
mod bottlenecks;
mod command_line;
mod documents;
mod k6;
mod many;
mod program;
mod recovery;
mod refusals;
mod rounds;
mod rows;
mod sample;
mod summaries;
mod verdicts;
