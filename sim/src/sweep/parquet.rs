//! A sweep as a Parquet file: the columns of the CSV with their types, in groups of rows.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use model::sweep::{Point, Sweep};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::Told;
use super::columns::{Column, columns};

/// Rows of a group: those of more are never in memory at once.
const ROWS: usize = 100_000;

/// The bytes of the file: the same for the same sweep.
///
/// # Errors
/// None that a table with columns of one length can have; those of the library are passed on.
pub fn parquet(sweep: &Sweep) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    write(sweep, super::told(sweep), &mut bytes)?;
    Ok(bytes)
}

/// The table of `sweep`, whose points come one by one.
pub(super) fn write<'p>(
    sweep: &Sweep,
    points: impl Iterator<Item = Told<'p>>,
    out: &mut (dyn Write + Send),
) -> std::result::Result<(), String> {
    let told = |error: ParquetError| error.to_string();
    let columns = columns(sweep);
    let mut writer = open(&columns, out).map_err(told)?;
    let mut group = Vec::new();
    let mut points = points.peekable();
    // A table without rows has a row group too.
    loop {
        group.extend(points.by_ref().take(ROWS).collect::<std::result::Result<Vec<_>, _>>()?);
        row_group(&mut writer, &columns, &group).map_err(told)?;
        group.clear();
        if points.peek().is_none() {
            break;
        }
    }
    writer.close().map_err(told).map(drop)
}

fn open<W: Write + Send>(
    columns: &[(String, Column<'_>)],
    out: W,
) -> Result<SerializedFileWriter<W>> {
    let fields: Result<Vec<_>> =
        columns.iter().map(|(name, column)| field(name, column).map(Arc::new)).collect();
    let schema = Type::group_type_builder("sweep").with_fields(fields?).build()?;
    let created = format!("rung {}", env!("CARGO_PKG_VERSION"));
    let properties = WriterProperties::builder().set_created_by(created).build();
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
}

fn row_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &[(String, Column<'_>)],
    points: &[Cow<'_, Point>],
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        let missing = || ParquetError::General("a column of the schema is missing".into());
        let mut open = group.next_column()?.ok_or_else(missing)?;
        fill(open.untyped(), column, points)?;
        open.close()?;
    }
    group.close().map(drop)
}

/// The column's place in the schema. A cell may be empty unless the column counts.
fn field(name: &str, column: &Column<'_>) -> Result<Type> {
    let (physical, logical, repetition) = match column {
        Column::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::OPTIONAL),
        Column::Number(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        Column::Count(_) => (Physical::INT64, None, Repetition::REQUIRED),
        Column::Flag(_) => (Physical::BOOLEAN, None, Repetition::OPTIONAL),
    };
    Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn fill(
    writer: &mut ColumnWriter<'_>,
    column: &Column<'_>,
    points: &[Cow<'_, Point>],
) -> Result<()> {
    let wrong = || ParquetError::General("a column has another type than its schema".into());
    match (writer, column) {
        (ColumnWriter::ByteArrayColumnWriter(writer), Column::Text(of)) => {
            let all: Vec<Option<String>> = points.iter().map(|point| of(point)).collect();
            let there: Vec<ByteArray> =
                all.iter().flatten().map(|text| ByteArray::from(text.as_str())).collect();
            writer.write_batch(&there, Some(&levels(&all)), None)?;
        }
        (ColumnWriter::DoubleColumnWriter(writer), Column::Number(of)) => {
            let all: Vec<Option<f64>> = points.iter().map(|point| of(point)).collect();
            let there: Vec<f64> = all.iter().flatten().copied().collect();
            writer.write_batch(&there, Some(&levels(&all)), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(writer), Column::Count(of)) => {
            let all: Vec<i64> = points.iter().map(|point| of(point)).collect();
            writer.write_batch(&all, None, None)?;
        }
        (ColumnWriter::BoolColumnWriter(writer), Column::Flag(of)) => {
            let all: Vec<Option<bool>> = points.iter().map(|point| of(point)).collect();
            let there: Vec<bool> = all.iter().flatten().copied().collect();
            writer.write_batch(&there, Some(&levels(&all)), None)?;
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// 1 where a cell has a value.
fn levels<T>(cells: &[Option<T>]) -> Vec<i16> {
    cells.iter().map(|cell| i16::from(cell.is_some())).collect()
}
