//! One key of a scenario, at several values: the predicted curve and measured points.

pub mod document;
pub mod knee;
pub mod vary;

pub use document::{Point, Sweep};
pub use knee::Knee;
pub use vary::Vary;
