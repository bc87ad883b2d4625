//! Columns of names and numbers.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table};

use super::Paint;

/// A table whose first column is of names and whose others are of numbers, but for bars.
pub(super) struct Columns {
    /// Headings and widths; a column without a width takes what is left.
    columns: Vec<(String, Option<u16>, Align)>,
    rows: Vec<(Vec<String>, Style)>,
    /// The style of the bars.
    bars: Style,
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
    /// Bars.
    Bar,
}

impl Columns {
    /// A table with no rows. The first column is of names and takes what is left.
    pub(super) fn new(name: &str, paint: Paint) -> Columns {
        let columns = vec![(name.to_string(), None, Align::Left)];
        Columns { columns, rows: Vec::new(), bars: paint.bar() }
    }

    /// A table of what was measured in the last second and so far, and of what is predicted, if
    /// anything is.
    pub(super) fn measured(name: &str, paint: Paint, width: u16, predicts: bool) -> Columns {
        Columns::new(name, paint)
            .with("last second", width, Align::Right)
            .with("so far", width, Align::Right)
            .with_if(predicts, "predicted", width)
            .with_if(predicts, "differs by", width)
    }

    /// With another column.
    pub(super) fn with(mut self, heading: &str, width: u16, align: Align) -> Columns {
        self.columns.push((heading.to_string(), Some(width), align));
        self
    }

    /// With another column if it is `wanted`.
    pub(super) fn with_if(self, wanted: bool, heading: &str, width: u16) -> Columns {
        if wanted { self.with(heading, width, Align::Right) } else { self }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.styled(cells, Style::new());
    }

    /// Adds a row that is emphasised.
    pub(super) fn styled(&mut self, cells: impl IntoIterator<Item = String>, style: Style) {
        self.rows.push((cells.into_iter().collect(), style));
    }

    /// Draws it. Where rows are too many, the last line says how many are left out.
    pub(super) fn draw(mut self, frame: &mut Frame<'_>, area: Rect, paint: Paint) {
        let room = usize::from(area.height.saturating_sub(1));
        if self.rows.len() > room {
            let left_out = self.rows.len() - room.saturating_sub(1);
            self.rows.truncate(room.saturating_sub(1));
            self.row([format!("… and {left_out} more")]);
        }
        let cell = |text: &str, align: Align, bars: Style| {
            let line = Line::raw(text.to_string());
            match align {
                Align::Left => Cell::new(line),
                Align::Right => Cell::new(Text::from(line).right_aligned()),
                Align::Bar => Cell::new(line).style(bars),
            }
        };
        let headings = self.columns.iter().map(|(name, _, align)| cell(name, *align, Style::new()));
        let header = Row::new(headings).style(paint.heading());
        let rows = self.rows.iter().map(|(cells, style)| {
            let cells = cells.iter().zip(&self.columns);
            Row::new(cells.map(|(text, (_, _, align))| cell(text, *align, self.bars))).style(*style)
        });
        let widths = self.columns.iter().map(|(_, width, _)| match width {
            Some(width) => Constraint::Length(*width),
            None => Constraint::Min(0),
        });
        frame.render_widget(Table::new(rows, widths).header(header).column_spacing(1), area);
    }
}
