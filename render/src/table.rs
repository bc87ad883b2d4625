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
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        let columns = columns.iter().map(|&(name, align)| (name.to_string(), align)).collect();
        Table { columns, rows: Vec::new() }
    }

    /// One more row; cells that are missing are empty.
    pub fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().collect());
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The headings, then the rows. No line ends in a blank.
    pub fn text(&self) -> String {
        let headings: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.chain([&headings[column]]).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        let titled = headings.iter().any(|heading| !heading.is_empty()).then_some(&headings);
        let lines = titled.into_iter().chain(&self.rows).map(|row| self.line(row, &widths));
        lines.collect()
    }

    /// The same as a table of Markdown, which needs a heading.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let escape = |cell: &str| cell.trim().replace('|', "\\|");
        let headings = self.columns.iter().map(|(name, _)| escape(name)).collect();
        let aligns = self.columns.iter().map(|(_, align)| match align {
            Align::Left => "---".to_string(),
            Align::Right => "---:".to_string(),
        });
        let rows = self.rows.iter().map(|row| {
            let cell = |index: usize| escape(row.get(index).map_or("", String::as_str));
            line((0..self.columns.len()).map(cell).collect())
        });
        [line(headings), line(aligns.collect())].into_iter().chain(rows).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (index, ((_, align), &column)) in self.columns.iter().zip(widths).enumerate() {
            let cell = row.get(index).map_or("", String::as_str);
            let blanks = " ".repeat(column - width(cell));
            if index > 0 {
                line.push_str("  ");
            }
            match align {
                Align::Left => line.extend([cell, blanks.as_str()]),
                Align::Right => line.extend([blanks.as_str(), cell]),
            }
        }
        format!("{}\n", line.trim_end())
    }
}

/// Columns on a terminal. Names may be in any script; wide characters are rare in names
/// of endpoints and would only shift a row.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_in_no_blank() {
        let mut table =
            Table::new(&[("name", Align::Left), ("µs", Align::Right), ("", Align::Left)]);
        table.row(["quote".into(), "5".into(), "é".into()]);
        table.row(["a".into(), "1234".into()]);
        assert_eq!(table.text(), "name     µs\nquote     5  é\na      1234\n");
    }

    #[test]
    fn markdown_has_as_many_cells_in_each_row() {
        let mut table = Table::new(&[("name", Align::Left), ("µs", Align::Right)]);
        table.row(["a|b".into(), " 5 ".into()]);
        table.row(["c".into()]);
        let expected = "| name | µs |\n| --- | ---: |\n| a\\|b | 5 |\n| c |  |\n";
        assert_eq!(table.markdown(), expected);
    }
}
