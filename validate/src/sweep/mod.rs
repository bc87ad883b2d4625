//! One key of a scenario, at several values: the predicted curve and measured points.

pub(crate) mod document;

pub use document::{Point, Sweep};
