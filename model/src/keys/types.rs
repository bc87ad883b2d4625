//! The types that a field with a key may have.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::table::{Key, KeyKind, Section};
use super::value::{Fields, Typed};
use crate::distribution::Distribution;
use crate::trace::Trace;
use crate::units::Span;

/// A type that a key can have.
pub(crate) trait KeyType: Sized {
    /// What a file may say.
    const KIND: KeyKind;

    /// True if the key may be absent.
    const OPTIONAL: bool = false;

    /// The value, once checked; none if it is broken. `upstreams` are the names of the
    /// upstreams, by index.
    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self>;

    /// The value of a key that is absent.
    fn absent() -> Option<Self> {
        None
    }
}

/// A type whose fields are keys.
pub(crate) trait Keys: Sized {
    /// The keys.
    const KEYS: &'static [Key];

    /// Reads all of them; none if one is broken.
    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Self>;
}

/// A type that a table ends up in.
pub(crate) trait TableType: Keys {
    /// The table's keys.
    fn section() -> &'static Section;
}

/// The value of the key `name`.
pub(crate) fn read_field<T: KeyType>(fields: &Fields, name: &str, upstreams: &[&str]) -> Option<T> {
    match fields.get(name.strip_suffix('_').unwrap_or(name)) {
        Some(checked) => T::read(&checked.value, upstreams),
        None => T::absent(),
    }
}

/// The name of an entry of a table of names.
pub(crate) fn entry_name(fields: &Fields) -> Option<String> {
    fields.name.clone()
}

/// Implements [`KeyType`] for values that a single form of [`Typed`] holds.
macro_rules! key_types {
    ($($type:ty = $kind:expr, $pattern:pat => $value:expr;)+) => { $(
        impl KeyType for $type {
            const KIND: KeyKind = $kind;

            fn read(value: &Typed, _: &[&str]) -> Option<Self> {
                match value {
                    $pattern => $value,
                    _ => None,
                }
            }
        }
    )+ };
}

key_types! {
    bool = KeyKind::Flag, Typed::Flag(flag) => Some(*flag);
    u64 = KeyKind::Integer(0, i64::MAX as u64),
        Typed::Integer(number) | Typed::Size(number) => Some(*number);
    u32 = KeyKind::Integer(0, u32::MAX as u64),
        Typed::Integer(number) => u32::try_from(*number).ok();
    String = KeyKind::Text, Typed::Text(text) => Some(text.clone());
    Vec<String> = KeyKind::Texts, Typed::Texts(texts) => Some(texts.clone());
    Arc<Trace> = KeyKind::Trace, Typed::Trace(written) => Some(written.trace.clone());
    Distribution = KeyKind::Distribution, Typed::Distribution(written) => written.distribution();
}

impl KeyType for f64 {
    const KIND: KeyKind = KeyKind::Number(f64::MIN, f64::MAX);

    fn read(value: &Typed, _: &[&str]) -> Option<Self> {
        match value {
            Typed::Number(number) | Typed::Rate(number) => Some(*number),
            Typed::Percent(percent) => Some(percent / 100.0),
            Typed::Integer(integer) => Some(*integer as f64),
            _ => None,
        }
    }
}

impl KeyType for Span {
    const KIND: KeyKind = KeyKind::Span(Span::ZERO);

    fn read(value: &Typed, _: &[&str]) -> Option<Self> {
        match value {
            Typed::Span(span) => Some(*span),
            // The word for "no limit".
            Typed::Word(_) => Some(Span::MAX),
            _ => None,
        }
    }
}

impl<T: KeyType> KeyType for Option<T> {
    const KIND: KeyKind = T::KIND;
    const OPTIONAL: bool = true;

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        let is_value = |word: &&str| match T::KIND {
            KeyKind::Choice(words) => words.iter().any(|known| known.word == *word),
            _ => false,
        };
        match value {
            Typed::Word(word) if !is_value(word) => Some(None),
            _ => T::read(value, upstreams).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl KeyType for BTreeMap<String, String> {
    const KIND: KeyKind = KeyKind::TextMap;

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        let Typed::Table(table) = value else { return None };
        let text = |field: &super::Field| {
            Some((field.key.to_string(), String::read(&field.value.value, upstreams)?))
        };
        table.fields.iter().map(text).collect()
    }
}

impl<T: TableType> KeyType for BTreeMap<String, T> {
    const KIND: KeyKind = KeyKind::Named(T::section);
    const OPTIONAL: bool = true;

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        let Typed::Table(table) = value else { return None };
        let entry = |field: &super::Field| match &field.value.value {
            Typed::Table(entry) => Some((field.key.to_string(), T::read(entry, upstreams)?)),
            _ => None,
        };
        table.fields.iter().map(entry).collect()
    }

    fn absent() -> Option<Self> {
        Some(BTreeMap::new())
    }
}

impl<T: TableType> KeyType for Vec<T> {
    const KIND: KeyKind = KeyKind::List(T::section);

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        match value {
            Typed::List(list) => list.iter().map(|entry| T::read(entry, upstreams)).collect(),
            Typed::Table(named) => named
                .fields
                .iter()
                .map(|field| match &field.value.value {
                    Typed::Table(entry) => T::read(entry, upstreams),
                    _ => None,
                })
                .collect(),
            _ => None,
        }
    }
}
