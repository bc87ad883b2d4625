//! The types of the table of keys.

use std::fmt;

use crate::units::Span;

/// A key: its name, what it may be, what it is if it is not written.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// What it may be.
    pub kind: KeyKind,
    /// What it is if it is not written.
    pub fallback: Fallback,
    /// A word that may stand in the place of a value and means "no limit". It lets a file
    /// take away a limit that its parent sets.
    pub word: Option<&'static str>,
    /// When the key may be written.
    pub only: Only,
    /// It says something about the file itself: what is run is the same without it.
    pub about_file: bool,
    /// A file that extends this one has it too.
    pub inherited: bool,
    /// What to write instead of a value that is refused, where that is worth saying.
    pub hint: Option<&'static str>,
    /// Longer than this it is allowed, and probably a slip of the unit.
    pub usual: Option<Span>,
    /// One sentence for the schema and the manual.
    pub doc: Doc,
}

/// What a key may be.
#[derive(Clone, Copy, Debug)]
pub enum KeyKind {
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
    /// A list of a few words.
    Choices(&'static [Word]),
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
    /// One of a few words.
    Choice(&'static [Word]),
    /// A table with fixed keys.
    Table(SectionOf),
    /// A table of tables: the user chooses the names.
    Named(SectionOf),
    /// A list of tables.
    List(SectionOf),
    /// A cost profile: the path of its file, or its table.
    Profile(SectionOf),
    /// Recorded arrivals: the path of their file, or its lines.
    Trace,
}

/// The section of the tables below a key: a function, since a step has steps below it.
pub type SectionOf = fn() -> &'static Section;

/// A word of a choice.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub meaning: Doc,
}

/// A sentence, in the lines in which its declaration has it.
#[derive(Clone, Copy, Debug)]
pub struct Doc(pub(crate) &'static [&'static str]);

impl fmt::Display for Doc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.iter().enumerate() {
            let blank = if index > 0 { " " } else { "" };
            write!(out, "{blank}{}", line.trim())?;
        }
        Ok(())
    }
}

/// What stands in for a key that is not written.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// Nothing does: it has to be written.
    Required,
    /// This value, as it would be written.
    Value(&'static str),
    /// A value that follows from other keys; the text says how.
    Derived(&'static str),
    /// Nothing has to: the key may be absent.
    Absent,
}

/// When a key may be written; elsewhere it is refused.
#[derive(Clone, Copy, Debug)]
pub enum Only {
    /// Always.
    Always,
    /// When this other key of the same table is written.
    With(&'static str),
    /// When one of these two keys of the same table is written.
    WithEither(&'static str, &'static str),
    /// When this other key of the same table is this word.
    When(&'static str, &'static str),
}

/// The keys of a table.
#[derive(Debug)]
pub struct Section {
    /// The keys, in the order in which they are printed.
    pub keys: &'static [Key],
    /// Groups of keys of which exactly one may be written.
    pub one_of: &'static [&'static [&'static str]],
    /// A key and one beside which it may be absent, although it is of such a group.
    pub implied: Option<(&'static str, &'static str)>,
    /// What one entry is called, in a list or a table of names: `endpoint`.
    pub noun: &'static str,
    /// One sentence for the schema and the manual.
    pub doc: Doc,
}

impl Section {
    /// The key `name`.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// True if entries of a list of this section are told apart by their `name`.
    pub fn is_named(&self) -> bool {
        self.key("name").is_some_and(|key| matches!(key.fallback, Fallback::Required))
    }
}

impl Section {
    /// Every key of this table and of those in it whose names are fixed: `service.workers`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for key in self.keys {
            paths.push(key.name.to_string());
            if let KeyKind::Table(below) | KeyKind::Profile(below) = key.kind {
                paths.extend(below().paths().iter().map(|path| format!("{}.{path}", key.name)));
            }
        }
        paths
    }

    /// The kind of the key that `names` lead to, if there is one. Names that the user chooses
    /// may be any.
    pub(crate) fn kind_of(&'static self, names: &[&str]) -> Option<&'static KeyKind> {
        static SPAN: KeyKind = KeyKind::Span(Span::ZERO);
        static TEXT: KeyKind = KeyKind::Text;
        let (first, rest) = names.split_first()?;
        let kind = &self.key(first)?.kind;
        match (kind, rest) {
            (_, []) | (KeyKind::Named(_), [_]) => Some(kind),
            (KeyKind::List(below), [_]) if below().is_named() => Some(kind),
            (KeyKind::Table(below) | KeyKind::Profile(below), _) => below().kind_of(rest),
            (KeyKind::Named(below), [_, rest @ ..]) => below().kind_of(rest),
            (KeyKind::List(below), [_, rest @ ..]) if below().is_named() => below().kind_of(rest),
            (KeyKind::Distribution, _) => Some(&SPAN),
            (KeyKind::TextMap, _) => Some(&TEXT),
            _ => None,
        }
    }
}

impl KeyKind {
    /// The section of the tables below a key of this kind.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            KeyKind::Table(section)
            | KeyKind::Named(section)
            | KeyKind::List(section)
            | KeyKind::Profile(section) => Some(section()),
            _ => None,
        }
    }
}
