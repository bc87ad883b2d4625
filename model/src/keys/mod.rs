//! The table of keys: what a file may contain.
//!
//! Each key is declared once, as a field of the struct that it ends up in (see `declare`). The
//! table is made from these declarations; the checker, the defaults, `--set`, the printed
//! scenario, the JSON schemas, the manual and the random scenarios of the tests are all read
//! off it.

#[macro_use]
mod declare;
mod build;
mod position;
mod table;
mod types;
mod value;

pub use table::{Doc, Fallback, Key, KeyKind, Only, Section, SectionOf, Word};
pub use value::{quote, quote_key};

pub(crate) use build::{all_derived, all_when, concat, count};
pub(crate) use position::Position;
pub(crate) use types::{KeyType, Keys, TableType, entry_name, read_field};
pub(crate) use value::{Checked, Field, Fields, Origin, Typed, WrittenDistribution, WrittenTrace};

/// Forms of a distribution written as a table: the keys of each.
pub const DISTRIBUTION_FORMS: [&[&str]; 4] =
    [&["p50", "p99"], &["mean"], &["low", "high"], &["quantiles"]];

/// A key as a file or a `--set` writes it: `upstream."my bank".latency`.
pub fn path<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote_key(name.as_ref())).collect();
    names.join(".")
}

/// The names of a key as [`path`] joins them; none if they cannot be told apart.
pub(crate) fn names(path: &str) -> Option<Vec<String>> {
    let names = toml_edit::Key::parse(path).ok()?;
    Some(names.iter().map(|name| name.get().to_string()).collect())
}

/// Most entries of any list or table.
pub const MOST_ENTRIES: usize = 1000;

/// Most users at a time.
pub const MOST_USERS: u64 = 10_000_000;
