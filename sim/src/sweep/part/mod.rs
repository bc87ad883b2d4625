//! A sweep in parts: shards that other processes and machines compute, and their merge.
//!
//! A part is a file of JSON lines: a head that says what the sweep is, a line for each point, and an
//! end. Points are named by their place in the order of the values, and never by the shard, so that
//! parts of any split can be merged: `merge` writes what one process would have written.

mod head;
/// Parts that make up a whole.
pub mod merge;
mod read;
mod share;

use std::io::{self, Write};

use model::sweep::Point;
use serde::{Deserialize, Serialize};

pub(crate) use head::values;
pub use head::{FORM, Head, Job, SCHEMA};
pub use share::{ALLOWED, Share};

/// The build of this program: parts, and answers that were kept, of two builds do not mix.
pub const BUILD: &str = env!("RUNG_BUILD");

/// What this program was built from, on any processor: two programs with the same one give the same
/// bytes.
pub const SOURCES: &str = env!("RUNG_SOURCES");

/// A line of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The answer at one point.
    Point(Box<Numbered>),
    /// The part is whole: it has so many points.
    End(u64),
}

/// A point and its place in the sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// Its place, counted from 0; the values of the second key are the fastest.
    pub index: u64,
    /// The answer.
    #[serde(flatten)]
    pub point: Point,
}

/// Writes a part.
///
/// # Errors
/// Those of `out`.
pub fn write(head: &Head, points: &[Numbered], out: &mut dyn Write) -> io::Result<()> {
    line(head, out)?;
    for point in points {
        line(&Line::Point(Box::new(point.clone())), out)?;
    }
    line(&Line::End(points.len() as u64), out)
}

fn line(of: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, of)?;
    out.write_all(b"\n")
}
