//! A scenario at several values of one or two keys.
//!
//! `axis` reads a key and its values, `range` the values of `1..8`; `figures` are the main numbers of
//! a prediction, `knee` where more of a resource stops to pay, `document` the answer of `sim sweep`.

mod axis;
mod document;
mod figures;
mod knee;
mod range;

pub use axis::Axis;
pub use document::{Line, Point, Sweep, sweep_schema};
pub use figures::Figures;
pub use knee::Knee;
pub use range::Kind;
