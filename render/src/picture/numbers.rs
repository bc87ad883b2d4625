//! The numbers of a picture: as a table for people, and as CSV for programs.

use crate::number;
use crate::page::{Align, Table};

/// What a column of numbers measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Time,
    /// Per second.
    Rate,
    /// Parts of a whole, from 0 to 1.
    Share,
    /// Relative gains and losses: 0.5 is half as much again.
    Change,
    /// Things.
    Count,
    /// Bytes.
    Bytes,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Words(String),
    /// A number in the unit of its column.
    Number(f64),
    /// Not known.
    Unknown,
}

/// Rows of words and numbers.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    columns: Vec<(String, Option<Unit>)>,
    rows: Vec<Vec<Cell>>,
}

impl Unit {
    /// A number as a table shows it.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Time => number::time(value),
            Unit::Rate => number::rate(value),
            Unit::Share => number::percent(value),
            Unit::Change => number::change(value),
            Unit::Count => number::count(value),
            Unit::Bytes => number::bytes(value),
        }
    }

    /// A number as an axis shows it: round ones, without digits that say nothing.
    pub(super) fn short(self, value: f64) -> String {
        let plain = |value: f64| {
            let text = number::significant(value, 3);
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
                false => text,
            }
        };
        match self {
            Unit::Time => match number::time(value).split_once(' ') {
                Some((digits, unit)) if digits.contains('.') => {
                    format!("{} {unit}", digits.trim_end_matches('0').trim_end_matches('.'))
                }
                _ => number::time(value),
            },
            Unit::Rate => format!("{}/s", plain(value)),
            Unit::Share => format!("{} %", plain(value * 100.0)),
            Unit::Change if value > 0.0 => format!("+{} %", plain(value * 100.0)),
            Unit::Change => format!("{} %", plain(value * 100.0)),
            Unit::Count => plain(value),
            Unit::Bytes => number::bytes(value),
        }
    }

    /// What its numbers are in a file: after a column's name.
    fn suffix(self) -> &'static str {
        match self {
            Unit::Time => " (s)",
            Unit::Rate => " (1/s)",
            Unit::Bytes => " (B)",
            Unit::Share | Unit::Change | Unit::Count => "",
        }
    }
}

impl Numbers {
    /// No rows yet.
    pub fn new(columns: &[(&str, Option<Unit>)]) -> Numbers {
        let columns = columns.iter().map(|(name, unit)| (name.to_string(), *unit)).collect();
        Numbers { columns, rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// For people.
    pub fn table(&self) -> Table {
        let columns: Vec<(&str, Align)> = self
            .columns
            .iter()
            .map(|(name, unit)| {
                (name.as_str(), if unit.is_some() { Align::Right } else { Align::Left })
            })
            .collect();
        let mut table = Table::new(&columns);
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).map(|(cell, (_, unit))| match (cell, unit) {
                (Cell::Words(text), _) => text.clone(),
                (Cell::Number(value), Some(unit)) => unit.words(*value),
                (Cell::Number(value), None) => value.to_string(),
                (Cell::Unknown, _) => "-".into(),
            });
            table.row(cells);
        }
        table
    }

    /// For programs, after RFC 4180: all digits, and the units in the heading. What is not known is
    /// an empty cell.
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heading = self
            .columns
            .iter()
            .map(|(name, unit)| format!("{name}{}", unit.map_or("", Unit::suffix)));
        let cell = |cell: &Cell| match cell {
            Cell::Words(text) => text.clone(),
            Cell::Number(value) => value.to_string(),
            Cell::Unknown => String::new(),
        };
        let records = std::iter::once(heading.collect::<Vec<_>>())
            .chain(self.rows.iter().map(|row| row.iter().map(cell).collect()));
        // Memory takes what is written, and each row is made of text.
        for record in records {
            let _ = writer.write_record(record);
        }
        writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Words(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Words(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        if value.is_finite() { Cell::Number(value) } else { Cell::Unknown }
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Cell {
        value.map_or(Cell::Unknown, Cell::from)
    }
}
