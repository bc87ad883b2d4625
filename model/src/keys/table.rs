//! The types of the table of keys.

use std::fmt;

use super::declare::KeyType;
use crate::units::Span;

/// A key: its name, what it may be, what it is if it is not written.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is if it is not written.
    pub fallback: Fallback,
    /// A word that may stand in the place of a value and means "no limit". It lets a file
    /// take away a limit that its parent sets.
    pub word: Option<&'static str>,
    /// When the key may be written.
    pub only: Only,
    /// What to write instead of a value that is refused, where that is worth saying.
    pub hint: Option<&'static str>,
    /// One sentence for the schema and the manual.
    pub doc: Doc,
}

/// What a key may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
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

impl Kind {
    /// The section of the tables below a key of this kind.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            Kind::Table(section)
            | Kind::Named(section)
            | Kind::List(section)
            | Kind::Profile(section) => Some(section()),
            _ => None,
        }
    }
}

/// What a declaration says of a key beyond its type. Each panics, while the crate is compiled,
/// if it cannot be said of a key of that kind.
impl Key {
    /// A key whose field has the type `T`.
    pub(crate) const fn of<T: KeyType>(name: &'static str, doc: Doc) -> Key {
        let fallback = if T::OPTIONAL { Fallback::Absent } else { Fallback::Required };
        let name = without_underscore(name);
        Key { name, kind: T::KIND, fallback, word: None, only: Only::Always, hint: None, doc }
    }

    /// If it is not written it is `text`, which stands as in a file.
    pub(crate) const fn value(self, text: &'static str) -> Key {
        Key { fallback: Fallback::Value(text), ..self }
    }

    /// If it is not written it follows from other keys.
    pub(crate) const fn derived(self, how: &'static str) -> Key {
        Key { fallback: Fallback::Derived(how), ..self }
    }

    /// It may be absent, whatever its type: it is then filled in from other keys.
    pub(crate) const fn absent(self) -> Key {
        Key { fallback: Fallback::Absent, ..self }
    }

    /// A word for "no limit".
    pub(crate) const fn or(self, word: &'static str) -> Key {
        Key { word: Some(word), ..self }
    }

    /// Only beside the key `other`.
    pub(crate) const fn with(self, other: &'static str) -> Key {
        Key { only: Only::With(other), ..self }
    }

    /// Only if the key `other` is `word`.
    pub(crate) const fn when(self, other: &'static str, word: &'static str) -> Key {
        Key { only: Only::When(other, word), ..self }
    }

    /// What to write instead.
    pub(crate) const fn hint(self, hint: &'static str) -> Key {
        Key { hint: Some(hint), ..self }
    }

    /// From `low` to `high`, for an integer.
    pub(crate) const fn within(self, low: u64, high: u64) -> Key {
        assert!(matches!(self.kind, Kind::Integer(..)), "only integers lie within integers");
        Key { kind: Kind::Integer(low, high), ..self }
    }

    /// From `low` to `high`, for a number.
    pub(crate) const fn between(self, low: f64, high: f64) -> Key {
        assert!(matches!(self.kind, Kind::Number(..)), "only numbers lie between numbers");
        Key { kind: Kind::Number(low, high), ..self }
    }

    /// At least `low`, for a length of time.
    pub(crate) const fn at_least(self, low: Span) -> Key {
        assert!(matches!(self.kind, Kind::Span(_)), "only lengths of time have a least length");
        Key { kind: Kind::Span(low), ..self }
    }

    /// A number that is written as a percentage.
    pub(crate) const fn percent(self) -> Key {
        self.number_as(Kind::Share)
    }

    /// A number that is written as a rate, such as `200/s`.
    pub(crate) const fn rate(self) -> Key {
        self.number_as(Kind::Rate)
    }

    /// A number that is written as users or as a rate.
    pub(crate) const fn users_or_rate(self) -> Key {
        self.number_as(Kind::Target)
    }

    const fn number_as(self, kind: Kind) -> Key {
        assert!(matches!(self.kind, Kind::Number(..)), "only a number can be written otherwise");
        Key { kind, ..self }
    }

    /// An integer that is written as a size, such as `64KiB`.
    pub(crate) const fn bytes(self) -> Key {
        assert!(matches!(self.kind, Kind::Integer(..)), "only an integer can be a size");
        Key { kind: Kind::Size, ..self }
    }

    /// A list of tables that is written as a table of tables by name.
    pub(crate) const fn by_name(self) -> Key {
        let Kind::List(section) = self.kind else { panic!("only a list can be written by name") };
        Key { kind: Kind::Named(section), ..self }
    }

    /// A table that may also be a file of its own.
    pub(crate) const fn or_file(self) -> Key {
        let Kind::Table(section) = self.kind else { panic!("only a table can be a file") };
        Key { kind: Kind::Profile(section), ..self }
    }
}

/// A field's name without the underscore that tells it from a word of the language.
const fn without_underscore(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [.., b'_'] => name.split_at(name.len() - 1).0,
        _ => name,
    }
}

/// How many keys `parts` have together.
pub(crate) const fn count(parts: &[&[Key]]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < parts.len() {
        sum += parts[index].len();
        index += 1;
    }
    sum
}

/// The keys of `parts`, one after the other.
pub(crate) const fn concat<const N: usize>(parts: &[&[Key]]) -> [Key; N] {
    let mut all = [Key::of::<bool>("", Doc(&[])); N];
    let (mut next, mut part) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            all[next] = parts[part][index];
            next += 1;
            index += 1;
        }
        part += 1;
    }
    all
}

/// `keys`, each only if the key `other` is `word`.
pub(crate) const fn all_when<const N: usize>(
    keys: &[Key],
    other: &'static str,
    word: &'static str,
) -> [Key; N] {
    let mut all: [Key; N] = concat(&[keys]);
    let mut index = 0;
    while index < N {
        all[index] = all[index].when(other, word);
        index += 1;
    }
    all
}

/// `keys`, each with a default that follows from other keys.
pub(crate) const fn all_derived<const N: usize>(keys: &[Key], how: &'static str) -> [Key; N] {
    let mut all: [Key; N] = concat(&[keys]);
    let mut index = 0;
    while index < N {
        all[index] = all[index].derived(how);
        index += 1;
    }
    all
}
