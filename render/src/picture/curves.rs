//! Values over time: panels below each other with one axis of time.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{Area, Colour, Drawing, Drawn, GRID, PALE, Width, drawing, letters};

const PANEL: u32 = 120;
/// Pixels of the words above each panel, of the axis below all, and of the marks at the left.
const HEAD: u32 = 30;
const FOOT: u32 = 32;
const LEFT: u32 = 72;
const RIGHT: u32 = 26;

/// A line through points; where a value is not known, it is broken.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Of its line.
    pub colour: Colour,
    /// When, and what then.
    pub points: Vec<(f64, Option<f64>)>,
}

/// Curves of one unit.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What they show.
    pub label: String,
    /// Of its values.
    pub axis: Axis,
    /// What is drawn.
    pub curves: Vec<Curve>,
}

/// Panels over one time.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The time.
    pub time: Axis,
    /// From where to where the time is shaded, such as a warm-up.
    pub shaded: Option<(f64, f64)>,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

impl Curves {
    pub(super) fn drawing(&self, width: Width) -> Drawing {
        let height = self.panels.len() as u32 * (PANEL + HEAD) + FOOT;
        drawing(width, height, |area| self.draw(area, width))
    }

    fn draw(&self, area: &Area<'_>, width: Width) -> Drawn {
        let time = self.time.with_marks(width.pixels() / 90);
        let mut rest = area.clone();
        for (index, panel) in self.panels.iter().enumerate() {
            let last = index + 1 == self.panels.len();
            let foot = if last { FOOT } else { 0 };
            let (here, below) = rest.split_vertically(HEAD + PANEL + foot);
            panel.draw(&here, &time, self.shaded, foot)?;
            rest = below;
        }
        Ok(())
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, time: &Axis, shaded: Option<(f64, f64)>, foot: u32) -> Drawn {
        let axis = self.axis.with_marks(4);
        let (times, values) = (|at: &f64| time.words(*at), |value: &f64| axis.words(*value));
        let mut chart = ChartBuilder::on(area)
            .margin_right(RIGHT)
            .margin_top(HEAD)
            .x_label_area_size(foot)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(time.clone(), axis.clone())?;
        let (low, high) = axis.ends();
        if let Some((from, to)) = shaded {
            chart.draw_series([Rectangle::new(
                [(from, low), (to, high)],
                PALE.mix(0.35).filled(),
            )])?;
        }
        chart
            .configure_mesh()
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&times)
            .y_label_formatter(&values)
            .x_label_style(letters(HPos::Center, VPos::Top))
            .y_label_style(letters(HPos::Right, VPos::Center))
            .draw()?;
        for curve in &self.curves {
            let line = curve.colour.rgb().stroke_width(2);
            for piece in pieces(&curve.points) {
                match piece[..] {
                    [point] => {
                        chart.draw_series([Circle::new(point, 2, line.filled())])?;
                    }
                    _ => {
                        chart.draw_series(LineSeries::new(piece, line))?;
                    }
                }
            }
        }
        let head = letters(HPos::Left, VPos::Top);
        area.draw(&Text::new(self.label.clone(), (4, 8), head))?;
        Ok(())
    }
}

/// Points without a gap between them.
fn pieces(points: &[(f64, Option<f64>)]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = vec![Vec::new()];
    for (at, value) in points {
        match (value, pieces.last_mut()) {
            (Some(value), Some(piece)) => piece.push((*at, *value)),
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
