//! Where a value was written.

/// A position in a source: which one, and how many bytes into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) source: u32,
    pub(crate) offset: u32,
}

impl Position {
    /// The offset of everything in a `--set`.
    pub(crate) const SET: u32 = u32::MAX;

    /// Of two positions, the one that overrides the other: a contradiction between two keys is
    /// reported at the key that was given last.
    pub(crate) fn newer(self, other: Position) -> Position {
        // A `--set` comes after every file, the later after the earlier. Files are read from
        // the child to the root, so the child has the lower number.
        let rank = |at: Position| match at.offset {
            Position::SET => (1, i64::from(at.source), at.offset),
            offset => (0, -i64::from(at.source), offset),
        };
        if rank(other) > rank(self) { other } else { self }
    }
}
