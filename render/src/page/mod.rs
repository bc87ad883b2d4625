//! What an answer shows to people, apart from how it is written.
//!
//! Each answer builds one page. Writers turn it into text for a terminal, Markdown for a document or
//! HTML for a browser; a program that reads takes the answer's JSON document instead, which holds more.

mod markdown;
mod table;
mod text;

use crate::picture::Picture;
use crate::{Paint, html};

pub use table::{Align, Table};

/// Blocks from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Page {
    blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Title(String),
    Heading(String),
    Caption(String),
    Sentence(String),
    Verdict { sentence: String, basis: String },
    Lines { lines: Vec<String>, first_is_strong: bool },
    Notes(Vec<Note>),
    Table { table: Table, legend: Option<&'static str> },
    Fields(Fields),
    Bars(Vec<Bar>),
    Series(Series),
    Facts(Vec<Fact>),
    Answers(Vec<(String, Vec<String>)>),
    Picture(Box<Picture>),
}

/// A number that is seen first.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is, in plain words.
    pub name: String,
    /// The number with its unit.
    pub value: String,
    /// What else is to be known of it; empty if nothing is.
    pub detail: String,
}

/// A remark after its kind: `note: the load generator was busy`.
#[derive(Clone, Debug)]
pub struct Note {
    /// Such as `note`.
    pub kind: &'static str,
    /// The remark.
    pub text: String,
    /// The kind is emphasised.
    pub strong: bool,
}

/// Names with their values.
#[derive(Clone, Debug)]
pub struct Fields {
    /// Characters in front of each line.
    indent: usize,
    /// Characters from a name's start to its value.
    width: usize,
    pub(crate) fields: Vec<(String, Value)>,
}

/// What a field says.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Table(Table),
}

/// A quantity that is drawn as a bar beside its number.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub name: String,
    /// The quantity with its unit.
    pub amount: String,
    /// Its share of the whole, from 0 to 1.
    pub share: f64,
}

/// Curves over the same points.
#[derive(Clone, Debug)]
pub struct Series {
    /// What the points are values of.
    pub key: String,
    /// The points, in words.
    pub points: Vec<String>,
    /// What the curves show, with its unit.
    pub quantity: String,
    /// The curves: a name, and a value for each point where it is known.
    pub curves: Vec<(String, Vec<Option<f64>>)>,
}

impl Page {
    /// An empty page.
    pub fn new() -> Page {
        Page::default()
    }

    /// What the page is about.
    pub fn title(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Title(text.into()));
    }

    /// What the block after it shows.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Heading(text.into()));
    }

    /// What the block after it is, below a heading.
    pub fn caption(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Caption(text.into()));
    }

    /// A sentence that matters more than others.
    pub fn sentence(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Sentence(text.into()));
    }

    /// A verdict, and by what it was reached.
    pub fn verdict(&mut self, sentence: String, basis: String) {
        self.blocks.push(Block::Verdict { sentence, basis });
    }

    /// Sentences, each on a line of its own. None makes no block.
    pub fn lines(&mut self, lines: Vec<String>) {
        self.push_lines(lines, false);
    }

    /// Sentences of which the first matters most.
    pub fn lines_with_the_first_strong(&mut self, lines: Vec<String>) {
        self.push_lines(lines, true);
    }

    fn push_lines(&mut self, lines: Vec<String>, first_is_strong: bool) {
        if !lines.is_empty() {
            self.blocks.push(Block::Lines { lines, first_is_strong });
        }
    }

    /// Remarks below each other. None makes no block.
    pub fn notes(&mut self, notes: Vec<Note>) {
        if !notes.is_empty() {
            self.blocks.push(Block::Notes(notes));
        }
    }

    /// Warnings of an answer below each other. None makes no block.
    pub fn warnings(&mut self, warnings: &[String]) {
        let note = |text: &String| Note { kind: "note", text: text.clone(), strong: false };
        self.notes(warnings.iter().map(note).collect());
    }

    /// Columns.
    pub fn table(&mut self, table: Table) {
        self.blocks.push(Block::Table { table, legend: None });
    }

    /// Columns, and what the marks in them mean.
    pub fn table_with_legend(&mut self, table: Table, legend: &'static str) {
        self.blocks.push(Block::Table { table, legend: Some(legend) });
    }

    /// Names with their values.
    pub fn fields(&mut self, fields: Fields) {
        self.blocks.push(Block::Fields(fields));
    }

    /// Shares of one whole.
    pub fn bars(&mut self, bars: Vec<Bar>) {
        self.blocks.push(Block::Bars(bars));
    }

    /// Curves.
    pub fn series(&mut self, series: Series) {
        self.blocks.push(Block::Series(series));
    }

    /// Numbers that are seen first. None makes no block.
    pub fn facts(&mut self, facts: Vec<Fact>) {
        if !facts.is_empty() {
            self.blocks.push(Block::Facts(facts));
        }
    }

    /// Questions that a reader has, each with its answer in sentences.
    pub fn answers(&mut self, answers: Vec<(String, Vec<String>)>) {
        if !answers.is_empty() {
            self.blocks.push(Block::Answers(answers));
        }
    }

    /// A picture, which only a browser shows.
    pub fn picture(&mut self, picture: Picture) {
        self.blocks.push(Block::Picture(Box::new(picture)));
    }

    /// All blocks of another page but its title, below a heading. Parts of its own become headings.
    pub fn part(&mut self, heading: &str, other: Page) {
        self.title(heading);
        let mut titled = false;
        self.blocks.extend(other.blocks.into_iter().filter_map(|block| match block {
            Block::Title(_) if !titled => {
                titled = true;
                None
            }
            Block::Title(text) => Some(Block::Heading(text)),
            other => Some(other),
        }));
    }

    /// All blocks of another page.
    pub fn append(&mut self, other: Page) {
        self.blocks.extend(other.blocks);
    }

    /// For a terminal, or a file that a person reads.
    pub fn text(&self, paint: Paint) -> String {
        text::write(&self.blocks, paint)
    }

    /// For a browser: a whole file. `name` is what it is called if it has no title.
    pub fn html(&self, name: &str) -> String {
        html::write(&self.blocks, name)
    }

    /// For a document.
    pub fn markdown(&self) -> String {
        markdown::write(&self.blocks)
    }
}

impl Fields {
    /// No fields yet; values start `width` characters after the start of their names, which are
    /// `indent` characters from the left.
    pub fn new(indent: usize, width: usize) -> Fields {
        Fields { indent, width, fields: Vec::new() }
    }

    /// One more, in words.
    pub fn text(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.fields.push((name.into(), Value::Text(text.into())));
    }

    /// One more, with several numbers.
    pub fn table(&mut self, name: impl Into<String>, table: Table) {
        self.fields.push((name.into(), Value::Table(table)));
    }
}

#[cfg(test)]
mod tests;
