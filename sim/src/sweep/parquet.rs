//! A sweep as a Parquet file: one row group, the columns of the CSV with their types.

use std::sync::Arc;

use model::sweep::Sweep;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::columns::{Column, columns};

/// The bytes of the file: the same for the same sweep.
///
/// # Errors
/// None that a table with columns of one length can have; those of the library are passed on.
pub fn parquet(sweep: &Sweep) -> std::result::Result<Vec<u8>, String> {
    write(&columns(sweep)).map_err(|error| error.to_string())
}

fn write(columns: &[(String, Column)]) -> Result<Vec<u8>> {
    let fields: Result<Vec<_>> =
        columns.iter().map(|(name, column)| field(name, column).map(Arc::new)).collect();
    let schema = Type::group_type_builder("sweep").with_fields(fields?).build()?;
    let created = format!("rung {}", env!("CARGO_PKG_VERSION"));
    let properties = WriterProperties::builder().set_created_by(created).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        let missing = || ParquetError::General("a column of the schema is missing".into());
        let mut open = group.next_column()?.ok_or_else(missing)?;
        fill(open.untyped(), column)?;
        open.close()?;
    }
    group.close()?;
    writer.into_inner()
}

/// The column's place in the schema. A cell may be empty unless the column counts.
fn field(name: &str, column: &Column) -> Result<Type> {
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

fn fill(writer: &mut ColumnWriter<'_>, column: &Column) -> Result<()> {
    let wrong = || ParquetError::General("a column has another type than its schema".into());
    match (writer, column) {
        (ColumnWriter::ByteArrayColumnWriter(writer), Column::Text(all)) => {
            let there: Vec<ByteArray> =
                all.iter().flatten().map(|text| ByteArray::from(text.as_str())).collect();
            writer.write_batch(&there, Some(&levels(all)), None)?;
        }
        (ColumnWriter::DoubleColumnWriter(writer), Column::Number(all)) => {
            let there: Vec<f64> = all.iter().flatten().copied().collect();
            writer.write_batch(&there, Some(&levels(all)), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(writer), Column::Count(all)) => {
            writer.write_batch(all, None, None)?;
        }
        (ColumnWriter::BoolColumnWriter(writer), Column::Flag(all)) => {
            let there: Vec<bool> = all.iter().flatten().copied().collect();
            writer.write_batch(&there, Some(&levels(all)), None)?;
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// 1 where a cell has a value.
fn levels<T>(cells: &[Option<T>]) -> Vec<i16> {
    cells.iter().map(|cell| i16::from(cell.is_some())).collect()
}
