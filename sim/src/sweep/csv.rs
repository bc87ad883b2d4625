//! A sweep as comma-separated values (RFC 4180): a header, and a row for each point.

use std::io::Write;

use model::sweep::{Point, Sweep};

use super::Told;
use super::columns::{Column, columns};

/// The text of the file. Cells are empty where a number is not known.
///
/// # Errors
/// None that a table with rows of one length can have; those of the library are passed on.
pub fn csv(sweep: &Sweep) -> Result<String, String> {
    let mut text = Vec::new();
    write(sweep, super::told(sweep), &mut text)?;
    String::from_utf8(text).map_err(|error| error.to_string())
}

/// The table of `sweep`, whose points come one by one.
pub(super) fn write<'p>(
    sweep: &Sweep,
    points: impl Iterator<Item = Told<'p>>,
    out: &mut dyn Write,
) -> Result<(), String> {
    let columns = columns(sweep);
    let mut writer = csv::Writer::from_writer(out);
    let told = |error: csv::Error| error.to_string();
    writer.write_record(columns.iter().map(|(name, _)| name)).map_err(told)?;
    for point in points {
        let point = point?;
        writer
            .write_record(columns.iter().map(|(_, column)| cell(column, &point)))
            .map_err(told)?;
    }
    writer.flush().map_err(|error| error.to_string())
}

fn cell(column: &Column<'_>, point: &Point) -> String {
    match column {
        Column::Text(of) => of(point).unwrap_or_default(),
        Column::Number(of) => of(point).map_or(String::new(), |number| number.to_string()),
        Column::Count(of) => of(point).to_string(),
        Column::Flag(of) => of(point).map_or(String::new(), |flag| flag.to_string()),
    }
}
