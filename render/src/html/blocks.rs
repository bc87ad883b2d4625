//! Blocks of a page in sections below their headings.

use maud::{Markup, html};

use super::words::{marked, plain};
use super::{figure, table};
use crate::number;
use crate::page::{Align, Bar, Block, Fact, Fields, Series, Table, Value};

/// A heading and what stands below it.
pub(super) struct Section<'b> {
    /// Its name in links.
    pub(super) id: String,
    /// 2 or 3.
    pub(super) level: u8,
    pub(super) heading: Option<&'b str>,
    blocks: Vec<&'b Block>,
}

/// The sections of a page. Its first title is its heading; each other one begins a part of its
/// own, whose headings are one level lower.
pub(super) fn sections(blocks: &[Block]) -> Vec<Section<'_>> {
    let (mut titles, mut sections): (usize, Vec<Section<'_>>) = (0, Vec::new());
    for block in blocks {
        let begun = match block {
            Block::Title(_) if titles == 0 => {
                titles = 1;
                continue;
            }
            Block::Title(text) => {
                titles += 1;
                Some((2, text))
            }
            Block::Heading(text) => Some((if titles > 1 { 3 } else { 2 }, text)),
            Block::Picture(picture) => {
                let level = if titles > 1 { 3 } else { 2 };
                // A picture that has been given a heading needs none of its own.
                let headed = sections.last().is_some_and(|last: &Section<'_>| {
                    last.heading.is_some() && last.blocks.is_empty()
                });
                (!headed).then_some((level, &picture.title))
            }
            _ => None,
        };
        let id = format!("s{}", sections.len() + 1);
        match begun {
            Some((level, heading)) => {
                sections.push(Section { id, level, heading: Some(heading), blocks: Vec::new() });
            }
            None if sections.is_empty() => {
                sections.push(Section { id, level: 2, heading: None, blocks: Vec::new() });
            }
            None => {}
        }
        if let Some(last) = sections.last_mut() {
            last.blocks
                .extend((!matches!(block, Block::Title(_) | Block::Heading(_))).then_some(block));
        }
    }
    sections
}

impl Section<'_> {
    pub(super) fn markup(&self) -> Markup {
        let mut caption = plain(self.heading.unwrap_or("Numbers"));
        let mut parts = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            // A caption that stands before a table is the table's own.
            let next_is_table = matches!(self.blocks.get(index + 1), Some(Block::Table { .. }));
            if let Block::Caption(text) = block {
                caption = plain(text);
                if next_is_table {
                    continue;
                }
            }
            let seen = index > 0 && matches!(self.blocks[index - 1], Block::Caption(_));
            parts.push(self::block(block, caption, seen));
        }
        html! {
            section {
                @match (self.heading, self.level) {
                    (Some(heading), 2) => h2 id=(self.id) { (marked(plain(heading))) },
                    (Some(heading), _) => h3 id=(self.id) { (marked(plain(heading))) },
                    (None, _) => {},
                }
                @for part in parts { (part) }
            }
        }
    }
}

fn block(block: &Block, caption: &str, seen: bool) -> Markup {
    match block {
        // They begin sections.
        Block::Title(_) | Block::Heading(_) => html! {},
        Block::Caption(text) => html! { p.soft { (marked(plain(text))) } },
        Block::Sentence(text) => html! { p.strong { (marked(text)) } },
        Block::Verdict { sentence, basis } => html! {
            p.strong { (marked(sentence)) }
            p.soft { (marked(basis)) }
        },
        Block::Lines { lines, first_is_strong } => html! {
            @for (index, line) in lines.iter().enumerate() {
                p class=[(*first_is_strong && index == 0).then_some("strong")] { (marked(line)) }
            }
        },
        Block::Notes(notes) => html! {
            @for note in notes {
                p class=(if note.strong { "note alarm" } else { "note" }) {
                    b { (note.kind) } ": " (marked(&note.text))
                }
            }
        },
        Block::Table { table, legend } => html! {
            (table::markup(table, caption, seen))
            @if let Some(legend) = legend { p.soft { (legend) } }
        },
        Block::Fields(fields) => self::fields(fields),
        Block::Bars(bars) => table::markup(&shares(bars), caption, false),
        Block::Series(series) => table::markup(&points(series), caption, false),
        Block::Facts(facts) => self::facts(facts),
        Block::Answers(answers) => html! {
            dl.answers {
                @for (question, sentences) in answers {
                    dt { (question) }
                    @for sentence in sentences { dd { (marked(sentence)) } }
                }
            }
        },
        Block::Picture(picture) => figure::markup(picture),
    }
}

fn facts(facts: &[Fact]) -> Markup {
    html! {
        dl.facts {
            @for Fact { name, value, detail } in facts {
                div {
                    dt { (name) }
                    dd.value { (value) }
                    @if !detail.is_empty() { dd.detail { (detail) } }
                }
            }
        }
    }
}

/// A field without a name goes on with the one before it.
fn fields(fields: &Fields) -> Markup {
    html! {
        dl.fields {
            @for (name, value) in &fields.fields {
                @if !name.is_empty() { dt { (name) } }
                dd {
                    @match value {
                        Value::Text(text) => (marked(text)),
                        Value::Table(table) => (table::markup(table, name, false)),
                    }
                }
            }
        }
    }
}

fn shares(bars: &[Bar]) -> Table {
    let mut table =
        Table::new(&[("where", Align::Left), ("time", Align::Right), ("share", Align::Right)]);
    for Bar { name, amount, share } in bars {
        table.row([name.clone(), amount.clone(), number::percent(*share)]);
    }
    table
}

fn points(series: &Series) -> Table {
    let mut columns = vec![(series.key.as_str(), Align::Left)];
    columns.extend(series.curves.iter().map(|(name, _)| (name.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    for (index, point) in series.points.iter().enumerate() {
        let value = |curve: &[Option<f64>]| {
            let value = curve.get(index).copied().flatten();
            value.map_or("-".into(), |value| number::significant(value, 3))
        };
        let values = series.curves.iter().map(|(_, curve)| value(curve));
        table.row([point.clone()].into_iter().chain(values));
    }
    table
}
