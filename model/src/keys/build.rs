//! Keys are made from their declarations while the crate is compiled.

use super::table::{Doc, Fallback, Key, KeyKind, Only};
use super::types::KeyType;
use crate::units::Span;

/// The parts of a declaration beside the type. Each panics, while the crate is compiled, if it
/// makes no sense for a key of that kind.
impl Key {
    const fn plain(name: &'static str, kind: KeyKind, doc: Doc) -> Key {
        Key {
            name,
            kind,
            fallback: Fallback::Required,
            word: None,
            only: Only::Always,
            about_file: false,
            inherited: true,
            hint: None,
            usual: None,
            doc,
        }
    }

    /// A key whose field has the type `T`.
    pub(crate) const fn of<T: KeyType>(name: &'static str, doc: Doc) -> Key {
        let fallback = if T::OPTIONAL { Fallback::Absent } else { Fallback::Required };
        let name = without_underscore(name);
        Key { fallback, ..Key::plain(name, T::KIND, doc) }
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

    /// Only beside the key `one` or the key `other`.
    pub(crate) const fn with_either(self, one: &'static str, other: &'static str) -> Key {
        Key { only: Only::WithEither(one, other), ..self }
    }

    /// Only if the key `other` is `word`.
    pub(crate) const fn when(self, other: &'static str, word: &'static str) -> Key {
        Key { only: Only::When(other, word), ..self }
    }

    /// It says something about the file itself, and a child does not inherit it.
    pub(crate) const fn about_file(self) -> Key {
        Key { about_file: true, inherited: false, ..self }
    }

    /// A child inherits it, although it is about the file.
    pub(crate) const fn inherited(self) -> Key {
        Key { inherited: true, ..self }
    }

    /// What to write instead.
    pub(crate) const fn hint(self, hint: &'static str) -> Key {
        Key { hint: Some(hint), ..self }
    }

    /// A time that is seldom longer than `most`.
    pub(crate) const fn usually(self, most: Span) -> Key {
        assert!(
            matches!(self.kind, KeyKind::Span(_) | KeyKind::Distribution),
            "only times have a usual length"
        );
        Key { usual: Some(most), ..self }
    }

    /// From `low` to `high`, for an integer.
    pub(crate) const fn within(self, low: u64, high: u64) -> Key {
        assert!(matches!(self.kind, KeyKind::Integer(..)), "only integers lie within integers");
        Key { kind: KeyKind::Integer(low, high), ..self }
    }

    /// From `low` to `high`, for a number.
    pub(crate) const fn between(self, low: f64, high: f64) -> Key {
        assert!(matches!(self.kind, KeyKind::Number(..)), "only numbers lie between numbers");
        Key { kind: KeyKind::Number(low, high), ..self }
    }

    /// At least `low`, for a length of time.
    pub(crate) const fn at_least(self, low: Span) -> Key {
        assert!(matches!(self.kind, KeyKind::Span(_)), "only lengths of time have a least length");
        Key { kind: KeyKind::Span(low), ..self }
    }

    /// A number that is written as a percentage.
    pub(crate) const fn percent(self) -> Key {
        self.number_as(KeyKind::Share)
    }

    /// A number that is written as a rate, such as `200/s`.
    pub(crate) const fn rate(self) -> Key {
        self.number_as(KeyKind::Rate)
    }

    /// A number that is written as users or as a rate.
    pub(crate) const fn users_or_rate(self) -> Key {
        self.number_as(KeyKind::Target)
    }

    const fn number_as(self, kind: KeyKind) -> Key {
        assert!(matches!(self.kind, KeyKind::Number(..)), "only a number can be written otherwise");
        Key { kind, ..self }
    }

    /// An integer that is written as a size, such as `64KiB`.
    pub(crate) const fn bytes(self) -> Key {
        assert!(matches!(self.kind, KeyKind::Integer(..)), "only an integer can be a size");
        Key { kind: KeyKind::Size, ..self }
    }

    /// A list of tables that is written as a table of tables by name.
    pub(crate) const fn by_name(self) -> Key {
        let KeyKind::List(section) = self.kind else {
            panic!("only a list can be written by name")
        };
        Key { kind: KeyKind::Named(section), ..self }
    }

    /// A table that may also be a file of its own.
    pub(crate) const fn or_file(self) -> Key {
        let KeyKind::Table(section) = self.kind else { panic!("only a table can be a file") };
        Key { kind: KeyKind::Profile(section), ..self }
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
    let mut all = [Key::plain("", KeyKind::Flag, Doc(&[])); N];
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
