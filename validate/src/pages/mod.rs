//! What each answer about comparisons shows to people.

mod climb;
mod comparison;
mod forest;
mod proof;
mod summary;
mod sweep;
mod tables;
mod validation;
