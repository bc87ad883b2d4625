//! The table of keys: the one place that says what a file may contain.
//!
//! The checker, the defaults, `--set`, the printed scenario and the JSON schemas are all
//! read off this table, so that none of them can disagree with another.

mod costs;
mod scenario;

pub(crate) use costs::COSTS;
pub(crate) use scenario::{SCENARIO, STEP};

use crate::units::Span;

/// A key: its name, what it may be, what it is if it is not written.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) fallback: Fallback,
    /// A word that may stand in the place of a value and means "no limit". It lets a file
    /// take away a limit that its parent sets.
    pub(crate) word: Option<&'static str>,
    /// When the key means anything.
    pub(crate) only: Only,
    /// What to write instead of a value that is refused, where that is worth saying.
    pub(crate) hint: Option<&'static str>,
    /// One sentence for the schema and the manual.
    pub(crate) doc: &'static str,
}

/// What a key may be.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Flag,
    /// An integer between two bounds, both allowed.
    Integer(u64, u64),
    /// A number between two bounds, both allowed.
    Number(f64, f64),
    /// Any text.
    Text,
    /// A list of any texts.
    Texts,
    /// A table of any texts.
    TextMap,
    /// A length of time, at least this long.
    Span(Span),
    /// Events per second.
    Rate,
    /// Bytes.
    Size,
    /// A percentage.
    Share,
    /// A distribution of a length of time.
    Distribution,
    /// The value of a load at the end of a stage: users, or a rate.
    Target,
    /// One of a few words, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// A table with fixed keys.
    Table(&'static Section),
    /// A table of tables: the user chooses the names.
    Named(&'static Section),
    /// A list of tables.
    List(&'static Section),
    /// A cost profile: the path of its file, or its table.
    Profile(&'static Section),
}

/// What stands in for a key that is not written.
#[derive(Debug)]
pub(crate) enum Fallback {
    /// Nothing does: it has to be written.
    Required,
    /// This value, as it would be written.
    Value(&'static str),
    /// A value that follows from other keys; the text says how.
    Derived(&'static str),
    /// Nothing has to: the key may be absent.
    Absent,
}

/// When a key means anything; elsewhere it is refused.
#[derive(Debug)]
pub(crate) enum Only {
    /// Always.
    Always,
    /// When this other key of the same table is written.
    With(&'static str),
    /// When this other key of the same table is this word.
    When(&'static str, &'static str),
}

/// The keys of a table.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) keys: &'static [Key],
    /// Groups of keys of which exactly one may be written.
    pub(crate) one_of: &'static [&'static [&'static str]],
    /// What one entry is called, in a list or a table of names: `endpoint`.
    pub(crate) noun: &'static str,
    /// One sentence for the schema and the manual.
    pub(crate) doc: &'static str,
}

impl Section {
    /// The key `name`.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// True if entries of a list of this section are told apart by their `name`.
    pub(crate) fn is_named(&self) -> bool {
        self.key("name").is_some_and(|key| matches!(key.fallback, Fallback::Required))
    }
}

impl Kind {
    /// The section of the tables below a key of this kind.
    pub(crate) fn section(&self) -> Option<&'static Section> {
        match self {
            Kind::Table(section)
            | Kind::Named(section)
            | Kind::List(section)
            | Kind::Profile(section) => Some(section),
            _ => None,
        }
    }
}

/// Forms of a distribution written as a table: the keys of each.
pub(crate) const DISTRIBUTION_FORMS: [&[&str]; 4] =
    [&["p50", "p99"], &["mean"], &["low", "high"], &["quantiles"]];

/// Most entries of any list or table.
pub(crate) const MOST_ENTRIES: usize = 1000;

/// Most users at a time.
pub(crate) const MOST_USERS: u64 = 10_000_000;

const fn key(name: &'static str, kind: Kind, fallback: Fallback, doc: &'static str) -> Key {
    Key { name, kind, fallback, word: None, only: Only::Always, hint: None, doc }
}

impl Key {
    const fn or(self, word: &'static str) -> Key {
        Key { word: Some(word), ..self }
    }

    const fn with(self, other: &'static str) -> Key {
        Key { only: Only::With(other), ..self }
    }

    const fn when(self, other: &'static str, word: &'static str) -> Key {
        Key { only: Only::When(other, word), ..self }
    }

    const fn hint(self, hint: &'static str) -> Key {
        Key { hint: Some(hint), ..self }
    }
}

const ANY_SPAN: Kind = Kind::Span(Span::ZERO);
const POSITIVE_SPAN: Kind = Kind::Span(Span::from_nanos(1));
const COUNT: Kind = Kind::Integer(1, 1_000_000);
