//! One key of a scenario, at several values: the predicted curve and measured points.

pub(crate) mod document;
pub(crate) mod knee;
pub(crate) mod vary;

pub use document::{Figures, Point, Sweep};
pub use knee::Knee;
pub use vary::Vary;
