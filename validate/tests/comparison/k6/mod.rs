//! Summaries of k6 held against predictions, and k6 itself where the machine has it.

mod canned;
mod compared;
mod real;
mod refused;
mod samples;
mod summaries;
