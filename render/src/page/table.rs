//! Columns that line up.

/// Which side of its column a cell keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) columns: Vec<(String, Align)>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Characters in front of each row.
    pub(super) indent: usize,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        let columns = columns.iter().map(|&(name, align)| (name.to_string(), align)).collect();
        Table { columns, rows: Vec::new(), indent: 0 }
    }

    /// The same table, so many characters from the left.
    pub fn indented(self, indent: usize) -> Table {
        Table { indent, ..self }
    }

    /// One more row; cells that are missing are empty.
    pub fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().collect());
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A cell, empty where the row is too short.
    pub(crate) fn cell<'a>(&self, row: &'a [String], column: usize) -> &'a str {
        row.get(column).map_or("", String::as_str)
    }
}
