//! One value of each pair of settings, as a grid of colours.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{
    Area, Colour, Drawing, Drawn, INK, LINE, Width, cut, drawing, length, letters,
};

/// Pixels of a row; of what stands above and at the left at most; and at the right.
const ROW: u32 = 26;
const HEAD: u32 = 2 * LINE + 8;
const LEFT: u32 = 84;
const RIGHT: u32 = 6;
/// Between these the colour of the least and of the largest value lies: words can be read on both.
const FAINT: f64 = 0.04;
const STRONG: f64 = 0.55;

/// A cell of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatCell {
    /// From 0, the least value of all, to 1, the largest; none if there is no value.
    pub strength: Option<f64>,
    /// The value in words.
    pub words: String,
    /// It keeps what is to be kept; none if there is nothing to keep.
    pub kept: Option<bool>,
}

/// A grid of cells.
#[derive(Clone, Debug)]
pub struct Heat {
    /// Names of what goes down and of what goes across.
    pub names: [String; 2],
    /// Names of the rows, from top to bottom.
    pub down: Vec<String>,
    /// Names of the columns, from left to right.
    pub across: Vec<String>,
    /// Rows of cells; none where there is no answer.
    pub cells: Vec<Vec<Option<HeatCell>>>,
}

/// Where the grid lies, in pixels.
struct Place {
    left: f64,
    cell: f64,
}

impl Place {
    fn x(&self, column: usize) -> i32 {
        (self.left + self.cell * column as f64).round() as i32
    }

    fn y(row: usize) -> i32 {
        (HEAD + ROW * row as u32) as i32
    }
}

impl Heat {
    pub(super) fn drawing(&self, width: Width) -> Drawing {
        let height = HEAD + ROW * self.down.len() as u32 + RIGHT;
        drawing(width, height, |area| self.draw(area, width))
    }

    fn place(&self, width: Width) -> Place {
        let longest = self.down.iter().map(|name| length(name)).fold(0.0, f64::max);
        let left = (longest + 10.0).clamp(30.0, f64::from(LEFT));
        let room = f64::from(width.pixels() - RIGHT) - left;
        Place { left, cell: room / self.across.len().max(1) as f64 }
    }

    fn draw(&self, area: &Area<'_>, width: Width) -> Drawn {
        let place = self.place(width);
        self.draw_names(area, &place, width)?;
        // Either all cells have room for their words, or none shows them.
        let cells = || self.cells.iter().flatten().flatten();
        let longest = cells().map(|cell| length(&cell.words)).fold(0.0, f64::max);
        let spelt = longest + 2.0 <= place.cell;
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let corners = [
                    (place.x(column), Place::y(row)),
                    (place.x(column + 1) - 1, Place::y(row + 1) - 1),
                ];
                let Some(cell) = cell else { continue };
                if let Some(strength) = cell.strength {
                    let opacity = FAINT + (STRONG - FAINT) * strength.clamp(0.0, 1.0);
                    let fill = Colour::MAIN.rgb().mix(opacity).filled();
                    area.draw(&Rectangle::new(corners, fill))?;
                }
                if spelt {
                    let middle =
                        ((corners[0].0 + corners[1].0) / 2, (corners[0].1 + corners[1].1) / 2);
                    let style = letters(HPos::Center, VPos::Center);
                    area.draw(&Text::new(cell.words.clone(), middle, style))?;
                }
            }
        }
        self.draw_border(area, &place)
    }

    /// Names of keys, rows and columns; of the latter as many as have room.
    fn draw_names(&self, area: &Area<'_>, place: &Place, width: Width) -> Drawn {
        let [down, across] = &self.names;
        let words = format!("{down} down, {across} across");
        let room = f64::from(width.pixels()) - 8.0;
        area.draw(&Text::new(cut(&words, room), (4, 2), letters(HPos::Left, VPos::Top)))?;
        let longest = self.across.iter().map(|name| length(name)).fold(0.0, f64::max);
        let every = ((longest + 8.0) / place.cell).ceil().max(1.0) as usize;
        for (column, name) in self.across.iter().enumerate().step_by(every) {
            let half = length(name) / 2.0;
            let middle = f64::from(place.x(column)) + place.cell / 2.0;
            let middle = middle.min(f64::from(width.pixels()) - half) as i32;
            let style = letters(HPos::Center, VPos::Top);
            area.draw(&Text::new(name.clone(), (middle, LINE as i32 + 4), style))?;
        }
        for (row, name) in self.down.iter().enumerate() {
            let at = (place.left as i32 - 6, Place::y(row) + ROW as i32 / 2);
            let text = cut(name, place.left - 6.0);
            area.draw(&Text::new(text, at, letters(HPos::Right, VPos::Center)))?;
        }
        Ok(())
    }

    /// A line between neighbours of which one keeps all and the other does not.
    fn draw_border(&self, area: &Area<'_>, place: &Place) -> Drawn {
        let kept = |row: usize, column: usize| {
            self.cells.get(row)?.get(column)?.as_ref().and_then(|cell| cell.kept)
        };
        let differ = |one: Option<bool>, other: Option<bool>| {
            one.zip(other).is_some_and(|(one, other)| one != other)
        };
        let line = |from: (i32, i32), to: (i32, i32)| {
            PathElement::new([from, to], Colour::ALARM.rgb().stroke_width(3))
        };
        for row in 0..self.down.len() {
            for column in 0..self.across.len() {
                let here = kept(row, column);
                let (left, right) = (place.x(column), place.x(column + 1));
                let (top, bottom) = (Place::y(row), Place::y(row + 1));
                if differ(here, kept(row, column + 1)) {
                    area.draw(&line((right, top), (right, bottom)))?;
                }
                if differ(here, kept(row + 1, column)) {
                    area.draw(&line((left, bottom), (right, bottom)))?;
                }
            }
        }
        area.draw(&PathElement::new(
            [(place.x(0), Place::y(0) - 2), (place.x(self.across.len()), Place::y(0) - 2)],
            INK.stroke_width(1),
        ))?;
        Ok(())
    }
}
