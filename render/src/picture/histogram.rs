//! How often which time occurs, on a logarithmic axis; one below the other if there are several.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{
    Area, Colour, Drawing, Drawn, INK, LINE, Width, draw_axis_below, drawing, length, letters,
};
use super::numbers::Unit;

/// Lines of the names of marks.
const LINES: usize = 3;
/// Pixels of one distribution, of the names of marks above it, and of its own name above those.
const PANEL: u32 = 150;
const MARKS: u32 = LINES as u32 * LINE + 4;
const NAME: u32 = LINE + 4;
/// Pixels of the axis below all, and at the left and right.
const FOOT: u32 = 32;
const SIDE: u32 = 26;

/// A distribution.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Whose it is.
    pub label: String,
    /// Of its bars.
    pub colour: Colour,
    /// Shares of all between two values.
    pub bins: Vec<(f64, f64, f64)>,
    /// Values with a line through them, and their names.
    pub marks: Vec<(String, f64)>,
}

/// Distributions on one axis.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

impl Histogram {
    fn axis(&self) -> Axis {
        let ends = self.panels.iter().flat_map(|panel| &panel.bins).flat_map(|bin| [bin.0, bin.1]);
        Axis::logarithmic(Unit::Time, ends)
    }

    /// One distribution needs no name.
    fn head(&self) -> u32 {
        if self.panels.len() > 1 { NAME + MARKS } else { MARKS }
    }

    pub(super) fn drawing(&self, width: Width) -> Drawing {
        let height = self.panels.len() as u32 * (PANEL + self.head()) + FOOT;
        drawing(width, height, |area| self.draw(area, width))
    }

    fn draw(&self, area: &Area<'_>, width: Width) -> Drawn {
        let axis = self.axis().with_marks(width.pixels() / 55);
        let mut rest = area.clone();
        for (index, panel) in self.panels.iter().enumerate() {
            let last = index + 1 == self.panels.len();
            let foot = if last { FOOT } else { 0 };
            let (here, below) = rest.split_vertically(self.head() + PANEL + foot);
            panel.draw(&here, &axis, self.head(), foot, width)?;
            rest = below;
        }
        Ok(())
    }
}

impl Panel {
    fn draw(&self, area: &Area<'_>, axis: &Axis, head: u32, foot: u32, width: Width) -> Drawn {
        let most = self.bins.iter().map(|bin| bin.2).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let mut chart = ChartBuilder::on(area)
            .margin_left(SIDE)
            .margin_right(SIDE)
            .margin_top(head)
            .x_label_area_size(foot)
            .build_cartesian_2d(axis.clone(), 0.0..most)?;
        draw_axis_below(&mut chart, axis)?;
        let fill = self.colour.rgb().filled();
        for &(from, to, share) in &self.bins {
            let ends = [from, to].map(|value| chart.backend_coord(&(value, 0.0)).0);
            let mut bar = Rectangle::new([(from, 0.0), (to, share)], fill);
            if ends[1] - ends[0] > 2 {
                bar.set_margin(0, 0, 0, 1);
            }
            chart.draw_series([bar])?;
        }
        let place = |value: f64| chart.backend_coord(&(value, most)).0;
        let labels = labels(&self.marks, place, width);
        chart.draw_series(self.marks.iter().map(|(_, value)| {
            PathElement::new([(*value, 0.0), (*value, most)], INK.stroke_width(1))
        }))?;
        if head > MARKS {
            let name =
                Text::new(self.label.clone(), (SIDE as i32, 2), letters(HPos::Left, VPos::Top));
            area.draw(&name)?;
        }
        for (name, at, line) in labels {
            let below = head as i32 - 2 - LINE as i32 * line;
            area.draw(&Text::new(name, (at, below), letters(HPos::Center, VPos::Bottom)))?;
        }
        Ok(())
    }
}

/// A name, the middle of it in pixels from the left, and its line from below.
type Label = (String, i32, i32);

/// Names of marks that stand close to each other go into several lines, or would overlap.
fn labels(marks: &[(String, f64)], place: impl Fn(f64) -> i32, width: Width) -> Vec<Label> {
    let mut taken = [i32::MIN / 2; LINES];
    let one = |(name, value): &(String, f64)| {
        let half = (length(name) / 2.0) as i32 + 3;
        let end = width.pixels() as i32 - half;
        let at = place(*value).clamp(half, end);
        let free = (0..LINES).find(|line| at - half > taken[*line]);
        // Where no line is free there, the name moves to the right in the line that is free soonest.
        let line = free.or_else(|| (0..LINES).min_by_key(|line| taken[*line])).unwrap_or(0);
        let at = at.max(taken[line] + half).min(end);
        taken[line] = at + half;
        (name.clone(), at, line as i32)
    };
    marks.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_marks_do_not_lie_on_each_other() {
        let marks: Vec<(String, f64)> = ["mean 101 ms", "P50 102 ms", "P90 103 ms", "P95 104 ms"]
            .iter()
            .enumerate()
            .map(|(at, name)| (name.to_string(), at as f64))
            .collect();
        let labels = labels(&marks, |value| 300 + value as i32, Width::Wide);
        for (index, one) in labels.iter().enumerate() {
            for other in &labels[..index] {
                let apart = (one.1 - other.1).unsigned_abs() as f64;
                let room = (length(&one.0) + length(&other.0)) / 2.0;
                assert!(one.2 != other.2 || apart >= room, "{one:?} {other:?}");
            }
        }
    }
}
