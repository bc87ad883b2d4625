//! Values over time, or over another number: panels below each other with one axis for all.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{
    Area, Colour, Drawing, Drawn, GRID, INK, LINE, PALE, Width, cut, drawing, length, letters,
};

const PANEL: u32 = 120;
/// Pixels of the words above each panel, of the axis below all, and of the marks at the left.
const HEAD: u32 = 30;
const FOOT: u32 = 32;
const LEFT: u32 = 72;
const RIGHT: u32 = 26;

/// How the points of a curve are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    /// As a line.
    #[default]
    Line,
    /// As a line, with a dot at each point.
    Joined,
    /// As dots alone, each with its interval.
    Dots,
}

/// A curve through points; where a value is not known, it is broken.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Of its line.
    pub colour: Colour,
    /// Where, and the value there.
    pub points: Vec<(f64, Option<f64>)>,
    /// How they are drawn.
    pub trace: Trace,
    /// Where, and the ends of the interval there: a band around a line, a bar at a dot.
    pub band: Vec<(f64, f64, f64)>,
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
    /// Values that are marked across the whole panel, each with its name.
    pub limits: Vec<(f64, String)>,
}

/// Panels over one axis.
#[derive(Clone, Debug)]
pub struct Curves {
    /// The axis of all: the time, or what is varied.
    pub across: Axis,
    /// From where to where it is shaded, such as a warm-up, or the interval of an answer.
    pub shaded: Option<(f64, f64)>,
    /// A place that is marked in each panel, and its name.
    pub mark: Option<(f64, String)>,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

impl Curves {
    pub(super) fn drawing(&self, width: Width) -> Drawing {
        let height = self.panels.len() as u32 * (PANEL + HEAD) + FOOT;
        drawing(width, height, |area| self.draw(area, width))
    }

    fn draw(&self, area: &Area<'_>, width: Width) -> Drawn {
        let across = self.across.with_marks(width.pixels() / 90);
        let mut rest = area.clone();
        for (index, panel) in self.panels.iter().enumerate() {
            let last = index + 1 == self.panels.len();
            let foot = if last { FOOT } else { 0 };
            let (here, below) = rest.split_vertically(HEAD + PANEL + foot);
            panel.draw(&here, &across, self, foot, width)?;
            rest = below;
        }
        Ok(())
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, across: &Axis, of: &Curves, foot: u32, width: Width) -> Drawn {
        let axis = self.axis.with_marks(4);
        let mut chart = ChartBuilder::on(area)
            .margin_right(RIGHT)
            .margin_top(HEAD)
            .x_label_area_size(foot)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(across.clone(), axis.clone())?;
        let (low, high) = axis.ends();
        if let Some((from, to)) = of.shaded {
            let corners = [(from, low), (to, high)];
            chart.draw_series([Rectangle::new(corners, PALE.mix(0.35).filled())])?;
        }
        let (places, values) = (|at: &f64| across.words(*at), |value: &f64| axis.words(*value));
        chart
            .configure_mesh()
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&places)
            .y_label_formatter(&values)
            .x_label_style(letters(HPos::Center, VPos::Top))
            .y_label_style(letters(HPos::Right, VPos::Center))
            .draw()?;
        if let Some((at, _)) = &of.mark {
            let line = [(*at, low), (*at, high)];
            chart.draw_series([PathElement::new(line, INK.stroke_width(1))])?;
        }
        for curve in &self.curves {
            curve.draw(&mut chart)?;
        }
        for (limit, name) in &self.limits {
            self.draw_limit(&mut chart, across, *limit, name, width)?;
        }
        let room = f64::from(width.pixels()) - 8.0;
        let mut taken = 4.0 + length(&self.label);
        let head = letters(HPos::Left, VPos::Top);
        area.draw(&Text::new(cut(&self.label, room), (4, 8), head))?;
        // The name of a place stands above it, if the panel's own name leaves room.
        if let Some((at, name)) = &of.mark {
            let half = length(name) / 2.0 + 2.0;
            let middle = f64::from(chart.backend_coord(&(*at, high)).0);
            let middle = middle.min(f64::from(width.pixels()) - half);
            taken += half + 8.0;
            if middle > taken {
                let style = letters(HPos::Center, VPos::Top);
                area.draw(&Text::new(name.clone(), (middle as i32, 8), style))?;
            }
        }
        Ok(())
    }

    /// A line across the panel, with its name above or below it.
    fn draw_limit(
        &self,
        chart: &mut Chart<'_, '_>,
        across: &Axis,
        limit: f64,
        name: &str,
        width: Width,
    ) -> Drawn {
        let ((from, to), (low, high)) = (across.ends(), self.axis.ends());
        if limit < low || limit > high {
            return Ok(());
        }
        let style = Colour::ALARM.rgb().stroke_width(2);
        let dashes = DashedLineSeries::new([(from, limit), (to, limit)], 6, 4, style);
        chart.draw_series(dashes)?;
        let name = cut(name, f64::from(width.pixels() - LEFT - RIGHT) - 4.0);
        let (right, above) = self.place_of_name(chart, (from, to), limit, length(&name));
        let at = if right { (to, HPos::Right) } else { (from, HPos::Left) };
        let down = if above { VPos::Bottom } else { VPos::Top };
        let colour = Colour::ALARM.rgb();
        let style = letters(at.1, down).color(&colour);
        chart.draw_series([Text::new(name, (at.0, limit), style)])?;
        Ok(())
    }

    /// Whether the name of a limit stands at the right end of its line, and above it: where it lies on the
    /// fewest points.
    fn place_of_name(
        &self,
        chart: &Chart<'_, '_>,
        (from, to): (f64, f64),
        limit: f64,
        length: f64,
    ) -> (bool, bool) {
        let at = |place: f64, value: f64| chart.backend_coord(&(place, value));
        let ((left, line), (right, _)) = (at(from, limit), at(to, limit));
        let (low, high) = self.axis.ends();
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let points: Vec<(i32, i32)> =
            points.filter_map(|(place, value)| Some(at(*place, (*value)?))).collect();
        let (length, height) = (length as i32, LINE as i32);
        let covered = |is_right: bool, is_above: bool| {
            let across = if is_right { right - length..right } else { left..left + length };
            let down = if is_above { line - height..line } else { line..line + height };
            let fits = down.start >= at(from, high).1 && down.end <= at(from, low).1;
            let lie = points.iter().filter(|(x, y)| across.contains(x) && down.contains(y));
            if fits { lie.count() } else { usize::MAX }
        };
        let all = [(false, true), (false, false), (true, true), (true, false)];
        all.into_iter().min_by_key(|place| covered(place.0, place.1)).unwrap_or((false, true))
    }
}

/// A panel's chart.
type Chart<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<Axis, Axis>>;

impl Curve {
    fn draw(&self, chart: &mut Chart<'_, '_>) -> Drawn {
        let colour = self.colour.rgb();
        let line = colour.stroke_width(2);
        if self.trace == Trace::Dots {
            let bar = |(at, low, high): &(f64, f64, f64)| {
                PathElement::new([(*at, *low), (*at, *high)], colour.stroke_width(1))
            };
            chart.draw_series(self.band.iter().map(bar))?;
        } else if self.band.len() > 1 {
            let there = self.band.iter().map(|(at, low, _)| (*at, *low));
            let back = self.band.iter().rev().map(|(at, _, high)| (*at, *high));
            let around: Vec<(f64, f64)> = there.chain(back).collect();
            chart.draw_series([Polygon::new(around, colour.mix(0.22).filled())])?;
        }
        for piece in pieces(&self.points) {
            if self.trace != Trace::Line || piece.len() == 1 {
                let size = if self.trace == Trace::Line { 2 } else { 3 };
                let dot = |point: &(f64, f64)| Circle::new(*point, size, colour.filled());
                chart.draw_series(piece.iter().map(dot))?;
            }
            if self.trace != Trace::Dots && piece.len() > 1 {
                chart.draw_series(LineSeries::new(piece, line))?;
            }
        }
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
