//! What each answer about comparisons shows to people.

mod climb;
mod comparison;
mod summary;
mod sweep;
mod tables;
mod validation;
