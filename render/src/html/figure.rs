//! Pictures with all that is said with them: how to read them, colours, numbers, a download.

use maud::{Markup, PreEscaped, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::table;
use super::words::marked;
use crate::picture::{Colour, Drawing, Picture, Width};

/// What a `data:` link cannot have as it is.
const DATA: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'*')
    .remove(b'/')
    .remove(b'(')
    .remove(b')');

pub(super) fn markup(picture: &Picture) -> Markup {
    html! {
        figure {
            figcaption { (marked(&picture.explanation)) }
            @for width in [Width::Wide, Width::Narrow] {
                (drawing(&picture.shape.drawing(width), &picture.alternative.replace('`', "")))
            }
            @if !picture.legend.is_empty() {
                ul.legend {
                    @for (colour, meaning) in &picture.legend {
                        li { (patch(*colour)) (marked(meaning)) }
                    }
                }
            }
            details {
                summary { "Numbers: " (picture.title) }
                (table::markup(&picture.numbers.table(), &picture.title, false))
            }
            p.download {
                a href=(link(&picture.numbers.csv())) download={ (picture.name) ".csv" } {
                    "Download as CSV: " (picture.title)
                }
            }
        }
    }
}

/// Only one of the two widths is shown, so that the alternative is read once.
fn drawing(drawing: &Drawing, alternative: &str) -> Markup {
    let class = match drawing.width {
        Width::Wide => "wide",
        Width::Narrow => "narrow",
    };
    let size = format!("0 0 {} {}", drawing.width.pixels(), drawing.height);
    html! {
        svg class=(class) viewBox=(size) role="img" aria-label=(alternative) {
            (PreEscaped(&drawing.shapes))
        }
    }
}

/// A colour of the legend.
fn patch(colour: Colour) -> Markup {
    html! {
        svg viewBox="0 0 10 10" aria-hidden="true" {
            rect width="10" height="10" style={ "fill: var(--c" (colour.number()) ")" } {}
        }
    }
}

/// The text itself as an address.
fn link(csv: &str) -> String {
    format!("data:text/csv;charset=utf-8,{}", utf8_percent_encode(csv, DATA))
}
