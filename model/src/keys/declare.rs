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
//! The type says what the key may be; `key(...)` narrows it down with the
//! methods in `build`. The value behind `=` is the default, as a file would have it. Without
//! one the key is required, or may be absent if its type is an `Option`.

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

        impl $name {
            /// All of them, with what each means.
            const WORDS: &'static [$crate::keys::Word] = &[
                $($crate::keys::Word {
                    word: $word,
                    meaning: $crate::keys::Doc(&[$($meaning),+]),
                },)+
            ];

            fn of(word: &str) -> Option<Self> {
                [$($name::$variant),+].into_iter().find(|known| known.as_str() == word)
            }
        }

        impl $crate::keys::KeyType for $name {
            const KIND: $crate::keys::KeyKind = $crate::keys::KeyKind::Choice($name::WORDS);

            fn read(value: &$crate::keys::Typed, _: &[&str]) -> Option<Self> {
                let $crate::keys::Typed::Word(word) = value else { return None };
                $name::of(word)
            }
        }

        impl $crate::keys::KeyType for Vec<$name> {
            const KIND: $crate::keys::KeyKind = $crate::keys::KeyKind::Choices($name::WORDS);

            fn read(value: &$crate::keys::Typed, _: &[&str]) -> Option<Self> {
                let $crate::keys::Typed::Texts(words) = value else { return None };
                words.iter().map(|word| $name::of(word)).collect()
            }
        }
    };
}

/// Declares a table: a struct whose fields are its keys.
///
/// `#[implied(duration, by(trace))]` says that `duration` may be absent beside `trace` although one
/// key of its group has to be written.
///
/// A field with `#[key(flatten)]` has a type with keys of its own, which stand in the same
/// table. One with `#[key(computed(f))]` is no key: it is `f` of all keys.
macro_rules! section {
    ($(#[doc = $doc:literal])+
    #[section($noun:literal)]
    $(#[one_of($($group:ident),+)])*
    $(#[implied($implied:ident, by($by:ident))])?
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

        table! {
            $name, $noun, [$([$(stringify!($group)),+])*],
            [$((stringify!($implied), stringify!($by)))?], [$($doc)+]
        }
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

/// Implements `Keys` from lists of keys and an expression that reads them.
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

/// Implements `TableType` for a type with `Keys`.
macro_rules! table {
    ($name:ty, $noun:literal, [$([$($group:expr),+])*], [$($implied:expr)?], [$($doc:literal)+]) => {
        impl $crate::keys::TableType for $name {
            fn section() -> &'static $crate::keys::Section {
                static SECTION: $crate::keys::Section = $crate::keys::Section {
                    keys: <$name as $crate::keys::Keys>::KEYS,
                    one_of: &[$(&[$($group),+]),*],
                    implied: implied!($($implied)?),
                    noun: $noun,
                    doc: $crate::keys::Doc(&[$($doc),+]),
                };
                &SECTION
            }
        }

        impl $crate::keys::KeyType for $name {
            const KIND: $crate::keys::KeyKind =
                $crate::keys::KeyKind::Table(<$name as $crate::keys::TableType>::section);

            fn read(value: &$crate::keys::Typed, upstreams: &[&str]) -> Option<Self> {
                let $crate::keys::Typed::Table(fields) = value else { return None };
                <$name as $crate::keys::Keys>::read(fields, upstreams)
            }
        }
    };
}

/// The key that another implies, if there is one.
macro_rules! implied {
    () => {
        None
    };
    ($pair:expr) => {
        Some($pair)
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
