//! How a key is declared: as a field of the struct that it ends up in.
//!
//! ```text
//! section! {
//!     /// A third-party service.
//!     #[section("upstream")]
//!     pub struct Upstream {
//!         /// Time from request sent to reply received.
//!         #[key(hint("write `latency = \"200ms\"`"))]
//!         pub latency: Distribution,
//!         /// Client connections per worker process.
//!         #[key(within(1, 1_000_000), or("none"))]
//!         pub max_connections: Option<u32>,
//!         /// Attempts after the first.
//!         #[key(within(0, 20))]
//!         pub retries: u32 = 0,
//!     }
//! }
//! ```
//!
//! The type says what the key may be; `key(...)` narrows it down with methods of
//! [`Key`](super::Key). The value behind `=` is the default, as a file would have it. Without
//! one the key is required, or may be absent if its type is an `Option`.

use std::collections::BTreeMap;

use super::table::{Key, Kind, Section};
use super::value::{Fields, Typed};
use crate::distribution::Distribution;
use crate::units::Span;

/// A type that a key can have.
pub(crate) trait KeyType: Sized {
    /// What a file may say.
    const KIND: Kind;

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
pub(crate) trait Table: Keys {
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
            const KIND: Kind = $kind;

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
    bool = Kind::Flag, Typed::Flag(flag) => Some(*flag);
    u64 = Kind::Integer(0, i64::MAX as u64),
        Typed::Integer(number) | Typed::Size(number) => Some(*number);
    u32 = Kind::Integer(0, u32::MAX as u64),
        Typed::Integer(number) => u32::try_from(*number).ok();
    String = Kind::Text, Typed::Text(text) => Some(text.clone());
    Vec<String> = Kind::Texts, Typed::Texts(texts) => Some(texts.clone());
    Distribution = Kind::Distribution, Typed::Distribution(written) => written.distribution();
}

impl KeyType for f64 {
    const KIND: Kind = Kind::Number(f64::MIN, f64::MAX);

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
    const KIND: Kind = Kind::Span(Span::ZERO);

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
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        let is_value = |word: &&str| match T::KIND {
            Kind::Choice(words) => words.iter().any(|known| known.word == *word),
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
    const KIND: Kind = Kind::TextMap;

    fn read(value: &Typed, upstreams: &[&str]) -> Option<Self> {
        let Typed::Table(table) = value else { return None };
        let text = |field: &super::Field| {
            Some((field.key.to_string(), String::read(&field.value.value, upstreams)?))
        };
        table.fields.iter().map(text).collect()
    }
}

impl<T: Table> KeyType for BTreeMap<String, T> {
    const KIND: Kind = Kind::Named(T::section);
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

impl<T: Table> KeyType for Vec<T> {
    const KIND: Kind = Kind::List(T::section);

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

/// Declares a choice of words: an enum, each variant with its word and, as its documentation,
/// what the word means.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $vis:vis enum $name:ident {
        $($(#[doc = $meaning:literal])+ $variant:ident = $word:tt,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        $vis enum $name {
            $($(#[doc = $meaning])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// As it is written in a file.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl $crate::keys::KeyType for $name {
            const KIND: $crate::keys::Kind = $crate::keys::Kind::Choice(&[
                $($crate::keys::Word {
                    word: $word,
                    meaning: $crate::keys::Doc(&[$($meaning),+]),
                },)+
            ]);

            fn read(value: &$crate::keys::Typed, _: &[&str]) -> Option<Self> {
                let $crate::keys::Typed::Word(word) = value else { return None };
                [$($name::$variant),+].into_iter().find(|known| known.as_str() == *word)
            }
        }
    };
}

/// Declares a table: a struct whose fields are its keys.
///
/// A field with `#[key(flatten)]` has a type with keys of its own, which stand in the same
/// table. One with `#[key(computed(f))]` is no key: it is `f` of all keys.
macro_rules! section {
    ($(#[doc = $doc:literal])+
    #[section($noun:literal)]
    $(#[one_of($($group:ident),+)])*
    $(#[derive($($derive:ident),+)])?
    $vis:vis struct $name:ident {
        $(
            $(#[doc = $field_doc:literal])+
            $(#[key($($how:tt)+)])?
            $field_vis:vis $field:ident : $type:ty $(= $default:tt)?,
        )+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq $(, $($derive),+)?)]
        $vis struct $name {
            $($(#[doc = $field_doc])+ $field_vis $field: $type,)+
        }

        keys! {
            $name, [$(key!(
                [$($($how)+)?] $field, $type, [$($field_doc)+] $(, $default)?
            )),+], |fields, upstreams| $name {
                $($field: read_key!([$($($how)+)?] fields, upstreams, $field, $type),)+
            }
        }

        table! { $name, $noun, [$([$(stringify!($group)),+])*], [$($doc)+] }
    };
}

/// The keys that a field declares.
macro_rules! key {
    ([flatten] $field:ident, $type:ty, $doc:tt) => {
        <$type as $crate::keys::Keys>::KEYS
    };
    ([computed($how:path)] $field:ident, $type:ty, $doc:tt) => { &[] };
    ([$($how:ident($($argument:expr),*)),* $(,)?] $field:ident, $type:ty,
        [$($doc:literal)+] $(, $default:tt)?) => {
        &[$crate::keys::Key::of::<$type>(stringify!($field), $crate::keys::Doc(&[$($doc),+]))
            $(.value(stringify!($default)))?
            $(.$how($($argument),*))*]
    };
}

/// The value that a field has.
macro_rules! read_key {
    ([flatten] $fields:ident, $upstreams:ident, $field:ident, $type:ty) => {
        <$type as $crate::keys::Keys>::read($fields, $upstreams)?
    };
    ([computed($how:path)] $fields:ident, $upstreams:ident, $field:ident, $type:ty) => {
        $how($fields)?
    };
    ([$($how:tt)*] $fields:ident, $upstreams:ident, $field:ident, $type:ty) => {
        $crate::keys::read_field($fields, stringify!($field), $upstreams)?
    };
}

/// Implements [`Keys`] from lists of keys and an expression that reads them.
macro_rules! keys {
    ($name:ty, [$($part:expr),+], |$fields:ident, $upstreams:ident| $read:expr) => {
        impl $crate::keys::Keys for $name {
            const KEYS: &'static [$crate::keys::Key] = {
                const PARTS: &[&[$crate::keys::Key]] = &[$($part),+];
                const ALL: [$crate::keys::Key; $crate::keys::count(PARTS)] =
                    $crate::keys::concat(PARTS);
                &ALL
            };

            fn read($fields: &$crate::keys::Fields, $upstreams: &[&str]) -> Option<Self> {
                Some($read)
            }
        }
    };
}

/// Implements [`Table`] for a type with [`Keys`].
macro_rules! table {
    ($name:ty, $noun:literal, [$([$($group:expr),+])*], [$($doc:literal)+]) => {
        impl $crate::keys::Table for $name {
            fn section() -> &'static $crate::keys::Section {
                static SECTION: $crate::keys::Section = $crate::keys::Section {
                    keys: <$name as $crate::keys::Keys>::KEYS,
                    one_of: &[$(&[$($group),+]),*],
                    noun: $noun,
                    doc: $crate::keys::Doc(&[$($doc),+]),
                };
                &SECTION
            }
        }

        impl $crate::keys::KeyType for $name {
            const KIND: $crate::keys::Kind =
                $crate::keys::Kind::Table(<$name as $crate::keys::Table>::section);

            fn read(value: &$crate::keys::Typed, upstreams: &[&str]) -> Option<Self> {
                let $crate::keys::Typed::Table(fields) = value else { return None };
                <$name as $crate::keys::Keys>::read(fields, upstreams)
            }
        }
    };
}

/// Declares an enum that a word chooses, with the keys of each choice beside that word: either
/// those of another type, or its own.
macro_rules! tagged {
    ($(#[doc = $doc:literal])+
    #[tag($tag:literal, $tag_type:ident = $default:tt, $tag_doc:literal)]
    $(#[derive($($derive:ident),+)])?
    pub enum $name:ident {
        $(
            $(#[doc = $meaning:literal])+
            $variant:ident $(($inner:ty))? $({$(
                $(#[doc = $field_doc:literal])+
                $(#[key($($how:tt)+)])?
                $field:ident : $type:ty $(= $value:tt)?,
            )+})? = $word:tt,
        )+
    }) => {
        words! {
            $(#[doc = $doc])+
            enum $tag_type {
                $($(#[doc = $meaning])+ $variant = $word,)+
            }
        }

        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq $(, $($derive),+)?)]
        pub enum $name {
            $(
                $(#[doc = $meaning])+
                $variant $(($inner))? $({$($(#[doc = $field_doc])+ $field: $type,)+})?,
            )+
        }

        keys! {
            $name,
            [
                &[$crate::keys::Key::of::<$tag_type>($tag, $crate::keys::Doc(&[$tag_doc]))
                    .value(stringify!($default))]
                $(, tagged_keys!($tag, $word $(, ($inner))? $(, {$(
                    key!([$($($how)+)?] $field, $type, [$($field_doc)+] $(, $value)?)
                ),+})?))+
            ],
            |fields, upstreams| match $crate::keys::read_field(fields, $tag, upstreams)? {
                $($tag_type::$variant => $name::$variant
                    $((<$inner as $crate::keys::Keys>::read(fields, upstreams)?))?
                    $({$($field: read_key!([] fields, upstreams, $field, $type),)+})?,)+
            }
        }
    };
}

/// The keys of one choice of [`tagged`].
macro_rules! tagged_keys {
    ($tag:literal, $word:tt) => { &[] };
    ($tag:literal, $word:tt, ($inner:ty)) => { {
        const KEYS: [$crate::keys::Key; <$inner as $crate::keys::Keys>::KEYS.len()] =
            $crate::keys::all_when(<$inner as $crate::keys::Keys>::KEYS, $tag, $word);
        &KEYS
    } };
    ($tag:literal, $word:tt, {$($part:expr),+}) => { {
        const PARTS: &[&[$crate::keys::Key]] = &[$($part),+];
        const ALL: [$crate::keys::Key; $crate::keys::count(PARTS)] = $crate::keys::concat(PARTS);
        const KEYS: [$crate::keys::Key; $crate::keys::count(PARTS)] =
            $crate::keys::all_when(&ALL, $tag, $word);
        &KEYS
    } };
}
