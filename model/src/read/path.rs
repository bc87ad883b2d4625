//! The name of a key as a user writes it: `endpoint.quote.steps[1].call`.

use std::fmt;

/// A key below a key. Kept as links, so that a path costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyPath<'a> {
    Root,
    Key(&'a KeyPath<'a>, &'a str),
    Index(&'a KeyPath<'a>, usize),
}

impl<'a> KeyPath<'a> {
    pub(crate) fn key(&'a self, name: &'a str) -> KeyPath<'a> {
        KeyPath::Key(self, name)
    }

    pub(crate) fn index(&'a self, index: usize) -> KeyPath<'a> {
        KeyPath::Index(self, index)
    }

    /// The last name of the path, without an index.
    pub(crate) fn last(&self) -> &'a str {
        match self {
            KeyPath::Root => "",
            KeyPath::Key(_, name) => name,
            KeyPath::Index(parent, _) => parent.last(),
        }
    }
}

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyPath::Root => Ok(()),
            KeyPath::Key(KeyPath::Root, name) => write!(out, "{}", crate::keys::quote_key(name)),
            KeyPath::Key(parent, name) => write!(out, "{parent}.{}", crate::keys::quote_key(name)),
            KeyPath::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}
