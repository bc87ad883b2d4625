//! A sweep as comma-separated values (RFC 4180): a header, and a row for each point.

use model::sweep::Sweep;

use super::columns::{Column, columns};

/// The text of the file. Cells are empty where a number is not known.
///
/// # Errors
/// None that a table with rows of one length can have; those of the library are passed on.
pub fn csv(sweep: &Sweep) -> Result<String, String> {
    let columns = columns(sweep);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let told = |error: csv::Error| error.to_string();
    writer.write_record(columns.iter().map(|(name, _)| name)).map_err(told)?;
    for row in 0..sweep.points.len() {
        writer.write_record(columns.iter().map(|(_, column)| cell(column, row))).map_err(told)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn cell(column: &Column, row: usize) -> String {
    match column {
        Column::Text(all) => all[row].clone().unwrap_or_default(),
        Column::Number(all) => all[row].map_or(String::new(), |number| number.to_string()),
        Column::Count(all) => all[row].to_string(),
        Column::Flag(all) => all[row].map_or(String::new(), |flag| flag.to_string()),
    }
}
