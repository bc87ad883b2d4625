//! What the tests share: closed forms, and the comparison of a simulation with them.

pub mod audit;
pub mod claim;
pub mod closed_form;
pub mod random;
pub mod wrong;
