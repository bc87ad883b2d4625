//! A sweep as a document, point by point.

use std::cell::RefCell;
use std::io::Write;

use model::report::Kind;
use model::sweep::{Axis, Line, Sweep};
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};

use super::Told;

/// The fields of [`Sweep`] in its order; the points are taken from an iterator.
#[derive(Serialize)]
struct Document<'a, I: Iterator> {
    schema: u32,
    kind: Kind,
    scenario: &'a str,
    seed: u64,
    digest: &'a str,
    axes: &'a [Axis],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    objectives: &'a [String],
    confidence: f64,
    wanted: u64,
    #[serde(bound(serialize = "Points<I>: Serialize"))]
    points: Points<I>,
    lines: &'a [Line],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

/// Points that are written once.
struct Points<I>(RefCell<I>);

impl<'p, I: Iterator<Item = Told<'p>>> Serialize for Points<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for point in &mut *self.0.borrow_mut() {
            sequence.serialize_element(&*point.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

/// The document of `sweep`, whose points come one by one.
pub(super) fn write<'p>(
    sweep: &Sweep,
    points: impl Iterator<Item = Told<'p>>,
    out: &mut dyn Write,
) -> Result<(), String> {
    let document = Document {
        schema: sweep.schema,
        kind: sweep.kind,
        scenario: &sweep.scenario,
        seed: sweep.seed,
        digest: &sweep.digest,
        axes: &sweep.axes,
        objectives: &sweep.objectives,
        confidence: sweep.confidence,
        wanted: sweep.wanted,
        points: Points(RefCell::new(points)),
        lines: &sweep.lines,
        warnings: &sweep.warnings,
    };
    serde_json::to_writer_pretty(&mut *out, &document).map_err(|error| error.to_string())?;
    writeln!(out).map_err(|error| error.to_string())
}
