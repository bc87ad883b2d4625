//! Pictures: shapes from a charting library, with their numbers as a table.
//!
//! This room knows numbers and words, and no report: what a picture is of is decided elsewhere.

mod axis;
mod canvas;
mod curves;
mod heat;
mod histogram;
mod numbers;
mod rows;

pub use axis::Axis;
pub use canvas::{Colour, Drawing, Width};
pub use curves::{Curve, Curves, Panel as CurvePanel, Trace};
pub use heat::{Heat, HeatCell};
pub use histogram::{Histogram, Panel};
pub use numbers::{Cell, Numbers, Unit};
pub use rows::{Bar, Interval, Row, Rows};

/// A picture, and everything that is said with it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it shows, as a heading.
    pub title: String,
    /// How to read it, in a sentence or two.
    pub explanation: String,
    /// What is seen on it, for those who do not see it.
    pub alternative: String,
    /// Its colours and their meanings; none if there is nothing to tell apart.
    pub legend: Vec<(Colour, String)>,
    /// What is drawn.
    pub shape: Shape,
    /// Its numbers.
    pub numbers: Numbers,
    /// Its name in the name of a file.
    pub name: &'static str,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Bars and intervals below each other.
    Rows(Rows),
    /// How often which time occurs.
    Histogram(Histogram),
    /// Values over time, or over what is varied.
    Curves(Curves),
    /// One value of each pair of settings.
    Heat(Heat),
}

impl Shape {
    /// For a screen of this width.
    pub fn drawing(&self, width: Width) -> Drawing {
        match self {
            Shape::Rows(rows) => rows.drawing(width),
            Shape::Histogram(histogram) => histogram.drawing(width),
            Shape::Curves(curves) => curves.drawing(width),
            Shape::Heat(heat) => heat.drawing(width),
        }
    }
}
