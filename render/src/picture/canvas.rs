//! What all drawings have in common: sizes, colours, letters, and the SVG that comes of it.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;

/// Where a picture is drawn.
pub(super) type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;

/// How drawing ends.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Words and axes. The page's style sheet replaces this and the other colours by those of its
/// light or dark theme; what is written here is what a reader without style sheets shows.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Lines of a grid.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// What is there beside what matters.
pub(super) const PALE: RGBColor = RGBColor(0xc9, 0xce, 0xd6);

/// Letters on a colour.
pub(super) const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// A chart with a horizontal axis, on which bars stand.
pub(super) type Chart<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<Axis, RangedCoordf64>>;

/// Draws the horizontal axis below a chart, with the lines of its grid.
pub(super) fn draw_axis_below(chart: &mut Chart<'_, '_>, axis: &Axis) -> Drawn {
    let words = |value: &f64| axis.words(*value);
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .axis_style(GRID)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&words)
        .x_label_style(letters(HPos::Center, VPos::Top))
        .draw()?;
    Ok(())
}

/// A colour of a picture's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(usize);

impl Colour {
    /// So many there are.
    pub const COUNT: usize = 10;
    /// That of what a picture is about.
    pub const MAIN: Colour = Colour(0);
    /// That of what needs attention.
    pub const ALARM: Colour = Colour(1);
    /// That of a second thing.
    pub const OTHER: Colour = Colour(2);

    /// The colour with this number, from the start again after the last.
    pub fn new(number: usize) -> Colour {
        Colour(number % Colour::COUNT)
    }

    /// Its number, from 0.
    pub fn number(self) -> usize {
        self.0
    }

    /// Each has a contrast of at least 4.5 to 1 to white, so that white letters can be read on it, and
    /// of 3 to 1 to both grounds of the page.
    pub(super) fn rgb(self) -> RGBColor {
        const ALL: [RGBColor; Colour::COUNT] = [
            RGBColor(0x2f, 0x6d, 0xb5),
            RGBColor(0xc1, 0x4a, 0x00),
            RGBColor(0x0b, 0x7a, 0x5e),
            RGBColor(0x8a, 0x65, 0x00),
            RGBColor(0x7a, 0x4a, 0xa0),
            RGBColor(0x20, 0x79, 0xa8),
            RGBColor(0xa0, 0x30, 0x50),
            RGBColor(0x5f, 0x64, 0x20),
            RGBColor(0x4b, 0x7f, 0x3b),
            RGBColor(0x60, 0x6a, 0x7c),
        ];
        ALL[self.0]
    }
}

/// For how wide a screen a picture is drawn: letters have the same size in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A computer's, and paper.
    Wide,
    /// A telephone's.
    Narrow,
}

impl Width {
    /// In CSS pixels.
    pub fn pixels(self) -> u32 {
        match self {
            Width::Wide => 720,
            Width::Narrow => 330,
        }
    }
}

/// Shapes, without the element around them.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// For how wide a screen.
    pub width: Width,
    /// In CSS pixels.
    pub height: u32,
    /// SVG elements.
    pub shapes: String,
}

/// Size of letters as the library counts it: 1.24 for a pixel.
pub(super) const LETTERS: u32 = 16;
/// Pixels from one line of words to the next.
pub(super) const LINE: u32 = 17;
/// Mean width of a letter, rather too much than too little.
const LETTER: f64 = 7.4;

/// How many pixels `text` takes, about.
pub(super) fn length(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// As much of `text` as fits into so many pixels.
pub(super) fn cut(text: &str, pixels: f64) -> String {
    if length(text) <= pixels {
        return text.to_string();
    }
    let room = letters_in(pixels) - 1;
    text.chars().take(room).chain(['…']).collect()
}

fn letters_in(pixels: f64) -> usize {
    (pixels / LETTER).max(2.0) as usize
}

/// `text` in one line or two, each of so many pixels: divided at a blank or behind a dot, if there is
/// one that leaves a good part of the line full.
pub(super) fn lines(text: &str, pixels: f64) -> Vec<String> {
    if length(text) <= pixels {
        return vec![text.to_string()];
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).collect();
    let most = ends[letters_in(pixels).min(ends.len()) - 1];
    let fits = &text[..most];
    let least = most / 3;
    let divides = |at: usize| (at > least).then_some(at);
    let at = fits.rfind(' ').and_then(divides);
    let at = at.or_else(|| fits.rfind('.').map(|at| at + 1).and_then(divides)).unwrap_or(most);
    vec![text[..at].trim_end().to_string(), cut(text[at..].trim_start(), pixels)]
}

/// Letters in the ink of the page, by the corner that is given.
pub(super) fn letters(across: HPos, down: VPos) -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&INK).pos(Pos::new(across, down))
}

/// What `draw` draws on an area of this size.
///
/// # Panics
/// Drawing fails, which it cannot: it goes to memory.
pub(super) fn drawing(width: Width, height: u32, draw: impl Fn(&Area<'_>) -> Drawn) -> Drawing {
    let mut text = String::new();
    {
        let size = (width.pixels(), height);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).expect("memory takes what is drawn");
        area.present().expect("memory takes what is drawn");
    }
    // The library writes a file with a root element of its own.
    let inside = text.split_once('>').map_or("", |(_, rest)| rest).trim_end();
    let shapes = inside.strip_suffix("</svg>").unwrap_or(inside).to_string();
    Drawing { width, height, shapes }
}
