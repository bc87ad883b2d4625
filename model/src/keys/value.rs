//! A tree of keys after the check: every value of its kind, every default filled in.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use super::Position;
use crate::distribution::{Distribution, Quantiles};
use crate::trace::Trace;
use crate::units::Span;

/// A checked value, where it was written, and whether it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    pub(crate) value: Typed,
    pub(crate) at: Position,
    pub(crate) origin: Origin,
}

/// How a value came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In a file or a `--set`.
    Written,
    /// It is the key's default.
    Default,
    /// It follows from other written keys, and is not printed beside them.
    Implied,
}

/// A value of its kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed {
    Flag(bool),
    Integer(u64),
    Number(f64),
    Text(String),
    Texts(Vec<String>),
    Span(Span),
    /// Events per second.
    Rate(f64),
    /// Bytes.
    Size(u64),
    /// Percent, as written, so that it prints as written.
    Percent(f64),
    Distribution(WrittenDistribution),
    Trace(WrittenTrace),
    /// A word of a choice, or one that stands for "no limit".
    Word(&'static str),
    Table(Fields),
    List(Vec<Fields>),
    /// Refused: the problem has been reported already.
    Broken,
}

/// Recorded arrivals, and where they were written.
#[derive(Clone, Debug)]
pub(crate) struct WrittenTrace {
    /// The path of their file.
    pub(crate) name: Arc<str>,
    /// The text that they were read from, as a [`Position`] has it.
    pub(crate) source: u32,
    /// Where each of the names first stands in that text.
    pub(crate) firsts: Arc<[u32]>,
    pub(crate) trace: Arc<Trace>,
}

impl PartialEq for WrittenTrace {
    /// The same arrivals are the same load, whatever their file is called.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace) || self.trace == other.trace
    }
}

/// A distribution as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WrittenDistribution {
    Constant(Span),
    Lognormal {
        p50: Span,
        p99: Span,
    },
    Exponential {
        mean: Span,
    },
    Uniform {
        low: Span,
        high: Span,
    },
    /// Name of the quantile, its probability, its value.
    Empirical(Vec<(String, f64, Span)>),
}

impl WrittenDistribution {
    pub(crate) fn distribution(&self) -> Option<Distribution> {
        Some(match self {
            WrittenDistribution::Constant(span) => Distribution::Constant(*span),
            WrittenDistribution::Lognormal { p50, p99 } => Distribution::lognormal(*p50, *p99),
            WrittenDistribution::Exponential { mean } => Distribution::Exponential { mean: *mean },
            WrittenDistribution::Uniform { low, high } => {
                Distribution::Uniform { low: *low, high: *high }
            }
            WrittenDistribution::Empirical(points) => {
                let points: Vec<(f64, Span)> = points.iter().map(|&(_, p, v)| (p, v)).collect();
                Distribution::Empirical(Quantiles::new(&points).ok()?)
            }
        })
    }

    /// The one time that it always is.
    pub(crate) fn constant(&self) -> Option<Span> {
        match self {
            WrittenDistribution::Constant(span) => Some(*span),
            _ => None,
        }
    }

    /// The time that a key below this one names: `["p50"]` or `["quantiles", "p50"]`.
    pub(crate) fn point(&self, names: &[&str]) -> Option<Span> {
        match (self, names) {
            (WrittenDistribution::Lognormal { p50, .. }, ["p50"]) => Some(*p50),
            (WrittenDistribution::Lognormal { p99, .. }, ["p99"]) => Some(*p99),
            (WrittenDistribution::Exponential { mean }, ["mean"]) => Some(*mean),
            (WrittenDistribution::Uniform { low, .. }, ["low"]) => Some(*low),
            (WrittenDistribution::Uniform { high, .. }, ["high"]) => Some(*high),
            (WrittenDistribution::Empirical(points), ["quantiles", name]) => {
                points.iter().find(|(point, ..)| point == name).map(|(.., span)| *span)
            }
            _ => None,
        }
    }

    fn print(&self) -> String {
        match self {
            WrittenDistribution::Constant(span) => format!("\"{span}\""),
            WrittenDistribution::Lognormal { p50, p99 } => {
                format!("{{ p50 = \"{p50}\", p99 = \"{p99}\" }}")
            }
            WrittenDistribution::Exponential { mean } => format!("{{ mean = \"{mean}\" }}"),
            WrittenDistribution::Uniform { low, high } => {
                format!("{{ low = \"{low}\", high = \"{high}\" }}")
            }
            WrittenDistribution::Empirical(points) => {
                let points: Vec<String> = points
                    .iter()
                    .map(|(name, _, value)| format!("{} = \"{value}\"", quote_key(name)))
                    .collect();
                format!("{{ quantiles = {{ {} }} }}", points.join(", "))
            }
        }
    }
}

/// One key of a checked table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) key: Cow<'static, str>,
    pub(crate) value: Checked,
}

/// A checked table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<Field>,
    /// Where the table was written.
    pub(crate) at: Position,
    /// Its name, if it is an entry of a table of names.
    pub(crate) name: Option<String>,
}

impl Fields {
    pub(crate) fn new(at: Position) -> Fields {
        Fields { fields: Vec::new(), at, name: None }
    }

    pub(crate) fn push(&mut self, key: Cow<'static, str>, value: Checked) {
        self.fields.push(Field { key, value });
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Checked> {
        self.fields.iter().find(|field| field.key == key).map(|field| &field.value)
    }

    fn typed(&self, key: &str) -> Option<&Typed> {
        self.get(key).map(|checked| &checked.value)
    }

    /// Adds a key behind the key `after`, or in front of all.
    pub(crate) fn insert_behind(&mut self, after: &str, key: &'static str, value: Checked) {
        let index = self.fields.iter().position(|field| field.key == after).map_or(0, |i| i + 1);
        self.fields.insert(index, Field { key: key.into(), value });
    }

    /// Where `key` was written, or else its table.
    pub(crate) fn position(&self, key: &str) -> Position {
        self.get(key).map_or(self.at, |checked| checked.at)
    }

    /// True if `key` is there, be it broken.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    // The readers below answer none for a key that is absent or broken. The checker has
    // reported the problem then, if it is one, and the caller only has to give up.

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.typed(key)? {
            Typed::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn word(&self, key: &str) -> Option<&'static str> {
        match self.typed(key)? {
            Typed::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn table(&self, key: &str) -> Option<&Fields> {
        match self.typed(key)? {
            Typed::Table(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn table_mut(&mut self, key: &str) -> Option<&mut Fields> {
        let field = self.fields.iter_mut().find(|field| field.key == key)?;
        match &mut field.value.value {
            Typed::Table(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn list_mut(&mut self, key: &str) -> &mut [Fields] {
        let field = self.fields.iter_mut().find(|field| field.key == key);
        match field.map(|field| &mut field.value.value) {
            Some(Typed::List(list)) => list,
            _ => &mut [],
        }
    }

    pub(crate) fn list(&self, key: &str) -> Option<&[Fields]> {
        match self.typed(key)? {
            Typed::List(list) => Some(list),
            _ => None,
        }
    }
}

impl Typed {
    /// The value as it is written in TOML, on one line.
    pub(crate) fn print(&self) -> String {
        match self {
            Typed::Flag(flag) => flag.to_string(),
            Typed::Integer(integer) => integer.to_string(),
            Typed::Number(number) => print_number(*number),
            Typed::Text(text) => quote(text),
            Typed::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quote(text)).collect();
                format!("[{}]", texts.join(", "))
            }
            Typed::Span(span) => format!("\"{span}\""),
            Typed::Rate(rate) => format!("\"{rate}/s\""),
            Typed::Size(bytes) => format!("\"{}\"", print_size(*bytes)),
            Typed::Percent(percent) => format!("\"{percent}%\""),
            Typed::Distribution(form) => form.print(),
            Typed::Trace(written) => quote(&written.trace.text()),
            Typed::Word(word) => format!("\"{word}\""),
            Typed::Table(fields) => fields.print(),
            Typed::List(list) if list.is_empty() => "[]".into(),
            Typed::List(list) => {
                let items: Vec<String> = list.iter().map(Fields::print).collect();
                format!("[{}]", items.join(", "))
            }
            Typed::Broken => "\"?\"".into(),
        }
    }

    /// The value for people: a text without its quotes.
    pub(crate) fn plain(&self) -> String {
        match self {
            Typed::Text(text) => text.clone(),
            Typed::Trace(WrittenTrace { name, trace, .. }) => {
                format!("{name} ({} arrivals)", trace.len())
            }
            Typed::Distribution(WrittenDistribution::Constant(span)) => span.to_string(),
            Typed::Span(_)
            | Typed::Rate(_)
            | Typed::Size(_)
            | Typed::Percent(_)
            | Typed::Word(_) => self.print().trim_matches('"').to_string(),
            _ => self.print(),
        }
    }
}

impl Fields {
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        for field in self.fields.iter().filter(|field| field.value.origin != Origin::Implied) {
            let comma = if text.is_empty() { "" } else { "," };
            let value = field.value.value.print();
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma} {} = {value}", quote_key(&field.key));
        }
        if text.is_empty() { "{}".into() } else { format!("{{{text} }}") }
    }
}

/// A text as TOML writes it, on one line whatever it holds.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A key as TOML writes it: bare where it can be.
pub fn quote_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_string() } else { quote(key) }
}

/// A number that TOML reads back to the same bits.
fn print_number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number:.0}")
    } else {
        format!("{number:?}")
    }
}

fn print_size(bytes: u64) -> String {
    for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= size && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    format!("{bytes}B")
}
