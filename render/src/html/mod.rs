//! A page as one HTML file: it opens without a network, and asks for nothing.
//!
//! Text is escaped by the templates' library; only shapes that the charting library drew and the
//! style sheet go in as they are. There is no script: downloads are links to data.

mod blocks;
mod figure;
mod table;
mod words;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::page::Block;
use crate::picture::Picture;
use blocks::Section;

/// Names the file as a report of this program, which may replace it.
pub const MARK: &str = "<meta name=\"generator\" content=\"rung\">";

/// What the page may do: show itself. The browser refuses everything else.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The look of all pages, light and dark.
pub const STYLE: &str = include_str!("style.css");

/// A picture below its heading, for a page of another program that has this look.
pub(crate) fn headed_figure(picture: &Picture) -> String {
    let heading = html! { h3 { (words::marked(words::plain(&picture.title))) } };
    format!("{}{}", heading.into_string(), figure::markup(picture).into_string())
}

/// The page; `name` is what it is called if it has no title.
pub(crate) fn write(blocks: &[Block], name: &str) -> String {
    let title = blocks.iter().find_map(|block| match block {
        Block::Title(text) => Some(text.as_str()),
        _ => None,
    });
    let title = title.unwrap_or(name);
    let sections = blocks::sections(blocks);
    let headed = sections.iter().position(|section| section.heading.is_some());
    let (first, rest) = sections.split_at(headed.unwrap_or(sections.len()));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(MARK))
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                }
                main {
                    // The answers to the first questions come before the links to the other parts.
                    @for section in first { (section.markup()) }
                    @if rest.len() > 2 { (contents(rest)) }
                    @for section in rest { (section.markup()) }
                }
                footer {
                    p {
                        "Written by rung " (env!("CARGO_PKG_VERSION")) ". The page needs no network, and the \
                         numbers of each picture are below it."
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Links to the sections.
fn contents(sections: &[Section<'_>]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for section in sections.iter().filter(|section| section.level == 2) {
                    @if let Some(heading) = &section.heading {
                        li { a href={ "#" (section.id) } { (words::plain(heading)) } }
                    }
                }
            }
        }
    }
}
