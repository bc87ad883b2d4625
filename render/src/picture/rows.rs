//! Rows below each other on one axis: parts of a whole, amounts, intervals, steps.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::canvas::{
    Area, Chart, Colour, Drawing, Drawn, INK, LINE, PALE, WHITE, Width, draw_axis_below, drawing,
    length, letters, lines,
};
use super::numbers::Unit;

/// Pixels of a bar, of the gap between rows, above and of the axis below all, and at the left and right.
const BAR: u32 = 18;
const GAP: u32 = 8;
const HEAD: u32 = 6;
const FOOT: u32 = 32;
const SIDE: u32 = 26;

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What it is of, above its bar.
    pub label: String,
    /// Its number in words, at the right.
    pub value: String,
    /// Bars from one value of the axis to another.
    pub bars: Vec<Bar>,
    /// A range that is marked behind all else, such as a tolerance.
    pub band: Option<(f64, f64)>,
    /// An interval and a point in it.
    pub interval: Option<Interval>,
}

/// A bar, or a part of one.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Where it begins on the axis.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// None for what is there beside what matters.
    pub colour: Option<Colour>,
    /// A share to be written on it, if there is room.
    pub share: Option<f64>,
}

/// An interval with its point.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The value itself.
    pub point: f64,
    /// Upper end.
    pub high: f64,
    /// None for the colour of words.
    pub colour: Option<Colour>,
}

/// Rows and their axis.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The axis of all.
    pub axis: Axis,
    /// A value that is marked in each row.
    pub line: Option<f64>,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

impl Rows {
    pub(super) fn drawing(&self, width: Width) -> Drawing {
        let height = HEAD + self.rows.len() as u32 * self.layout(width).height + FOOT;
        drawing(width, height, |area| self.draw(area, width))
    }

    /// Where things are in a row: all are as high as the highest.
    fn layout(&self, width: Width) -> Layout {
        let most = self.rows.iter().map(|row| row.lines(width).len()).max().unwrap_or(1);
        let words = LINE * most as u32;
        let height = words + BAR + GAP;
        let part = |pixels: u32| f64::from(pixels) / f64::from(height);
        Layout {
            height,
            words: most,
            top: part(words + 1),
            bottom: part(words + BAR),
            line: part(LINE),
        }
    }

    fn draw(&self, area: &Area<'_>, width: Width) -> Drawn {
        let axis = self.axis.with_marks(width.pixels() / 90);
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEAD)
            .margin_left(SIDE)
            .margin_right(SIDE)
            .x_label_area_size(FOOT)
            .build_cartesian_2d(axis.clone(), 0.0..self.rows.len() as f64)?;
        draw_axis_below(&mut chart, &axis)?;
        let layout = self.layout(width);
        for (index, row) in self.rows.iter().enumerate() {
            // The first row is at the top.
            let place = Place { top: (self.rows.len() - index) as f64, layout: &layout };
            row.draw_bars(&mut chart, &axis, &place)?;
            if let Some(value) = self.line {
                let line = [(value, place.at(layout.top)), (value, place.at(layout.bottom))];
                chart.draw_series([PathElement::new(line, INK.stroke_width(2))])?;
            }
            row.draw_interval(&mut chart, &place)?;
            row.draw_words(&mut chart, &axis, &place, width)?;
        }
        Ok(())
    }
}

/// Parts of the height of a row.
struct Layout {
    /// The whole, in pixels.
    height: u32,
    /// Lines of words.
    words: usize,
    /// Where bars begin and end.
    top: f64,
    bottom: f64,
    /// A line of words.
    line: f64,
}

/// A row among others.
struct Place<'l> {
    top: f64,
    layout: &'l Layout,
}

impl Place<'_> {
    /// So far below the top of the row.
    fn at(&self, part: f64) -> f64 {
        self.top - part
    }

    fn middle(&self) -> f64 {
        self.at((self.layout.top + self.layout.bottom) / 2.0)
    }
}

impl Row {
    /// Its words, divided where they are too long for the screen.
    fn lines(&self, width: Width) -> Vec<String> {
        let room = f64::from(width.pixels() - 2 * SIDE) - length(&self.value) - 10.0;
        lines(&self.label, room)
    }

    fn draw_words(
        &self,
        chart: &mut Chart<'_, '_>,
        axis: &Axis,
        at: &Place<'_>,
        width: Width,
    ) -> Drawn {
        let (left, right) = axis.ends();
        let lines = self.lines(width);
        // Words stand next to their bar.
        let first = at.layout.words - lines.len();
        let line_at = |index: usize| at.at(index as f64 * at.layout.line);
        for (index, line) in lines.into_iter().enumerate() {
            let top = line_at(first + index);
            chart.draw_series([Text::new(line, (left, top), letters(HPos::Left, VPos::Top))])?;
        }
        let value =
            Text::new(self.value.clone(), (right, line_at(first)), letters(HPos::Right, VPos::Top));
        chart.draw_series([value])?;
        Ok(())
    }

    fn draw_bars(&self, chart: &mut Chart<'_, '_>, axis: &Axis, at: &Place<'_>) -> Drawn {
        let (top, bottom) = (at.at(at.layout.top), at.at(at.layout.bottom));
        if let Some((low, high)) = self.band {
            let corners = [(low, top), (high, bottom)];
            chart.draw_series([Rectangle::new(corners, PALE.filled())])?;
        }
        for bar in &self.bars {
            let ends = [bar.from, bar.to].map(|value| chart.backend_coord(&(value, top)).0);
            let pixels = ends[1] - ends[0];
            let fill = bar.colour.map_or(PALE, Colour::rgb).filled();
            let mut shape = Rectangle::new([(bar.from, top), (bar.to, bottom)], fill);
            if pixels > 2 {
                // A gap sets neighbours apart for those who see no colours.
                shape.set_margin(0, 0, 0, 1);
            }
            chart.draw_series([shape])?;
            let Some(words) = bar.share.map(|share| Unit::Share.words(share)) else { continue };
            if f64::from(pixels) > length(&words) + 4.0 {
                let style = letters(HPos::Center, VPos::Center).color(&WHITE);
                let middle = (axis.middle(bar.from, bar.to), at.middle());
                chart.draw_series([Text::new(words, middle, style)])?;
            }
        }
        Ok(())
    }

    fn draw_interval(&self, chart: &mut Chart<'_, '_>, at: &Place<'_>) -> Drawn {
        let Some(Interval { low, point, high, colour }) = self.interval else { return Ok(()) };
        let colour = colour.map_or(INK, Colour::rgb);
        let end = (at.layout.bottom - at.layout.top) / 4.0;
        let (top, bottom) = (at.at(at.layout.top + end), at.at(at.layout.bottom - end));
        let lines = [
            [(low, at.middle()), (high, at.middle())],
            [(low, top), (low, bottom)],
            [(high, top), (high, bottom)],
        ];
        let line = |points| PathElement::new(points, colour.stroke_width(2));
        chart.draw_series(lines.map(line))?;
        chart.draw_series([Circle::new((point, at.middle()), 4, colour.filled())])?;
        Ok(())
    }
}
