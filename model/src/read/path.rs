//! The name of a key as a user writes it: `endpoint.quote.steps[1].call`.

use std::fmt;

/// A key below a key. Kept as links, so that a path costs nothing until it is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) fn key(&'a self, name: &'a str) -> Path<'a> {
        Path::Key(self, name)
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }

    /// True for the keys of an entry of a list, such as a step.
    pub(crate) fn is_in_a_list(&self) -> bool {
        matches!(self, Path::Index(..))
    }

    /// The last name of the path, without an index.
    pub(crate) fn last(&self) -> &'a str {
        match self {
            Path::Root => "",
            Path::Key(_, name) => name,
            Path::Index(parent, _) => parent.last(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, name) => write!(out, "{}", crate::keys::quote_key(name)),
            Path::Key(parent, name) => write!(out, "{parent}.{}", crate::keys::quote_key(name)),
            Path::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}
