//! Where a value was written.

use std::sync::Arc;

/// A place in a source: which one, and how many bytes into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) source: u32,
    pub(crate) offset: u32,
}

impl Place {
    /// The offset of everything that a `--set` says.
    const SET: u32 = u32::MAX;

    /// Of two places, the one whose word was the last: what contradicts another key is
    /// told where it was said, not where the other key was.
    pub(crate) fn newer(self, other: Place) -> Place {
        // A `--set` speaks after every file, the later after the earlier. Files are read
        // from the child to the root, so the child has the lower number.
        let rank = |place: Place| match place.offset {
            Place::SET => (1, i64::from(place.source), place.offset),
            offset => (0, -i64::from(place.source), offset),
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// A file, or the text of one `--set`.
#[derive(Clone, Debug)]
struct Source {
    name: Arc<str>,
    /// None where a line would say nothing: `--set`, or a file that could not be read.
    text: Option<Arc<str>>,
}

/// All that was read for one scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// Adds a source; its first place.
    pub(crate) fn add(&mut self, name: &str, text: Option<Arc<str>>) -> Place {
        self.0.push(Source { name: name.into(), text });
        Place { source: (self.0.len() - 1) as u32, offset: 0 }
    }

    /// Adds one `--set`.
    pub(crate) fn add_set(&mut self, set: &str) -> Place {
        Place { offset: Place::SET, ..self.add(&format!("--set {set}"), None) }
    }

    /// The name of the source, and line and column, both counted from 1.
    pub(crate) fn locate(&self, at: Place) -> (String, Option<(u32, u32)>) {
        let Some(source) = self.0.get(at.source as usize) else {
            return (String::new(), None);
        };
        let position = source.text.as_deref().map(|text| {
            let before = floor(text, at.offset as usize);
            let line = before.matches('\n').count() as u32 + 1;
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            (line, before[start..].chars().count() as u32 + 1)
        });
        (source.name.to_string(), position)
    }
}

/// The text before `offset`, or before the character that `offset` is inside of.
fn floor(text: &str, offset: usize) -> &str {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut sources = Sources::default();
        let at = sources.add("a.toml", Some("x = 1\n# µ y\nz".into()));
        for (offset, position) in [(0, (1, 1)), (6, (2, 1)), (11, (2, 5)), (13, (3, 1))] {
            assert_eq!(sources.locate(Place { offset, ..at }).1, Some(position), "{offset}");
        }
        // Inside a character, and past the end.
        assert_eq!(sources.locate(Place { offset: 9, ..at }).1, Some((2, 3)));
        assert_eq!(sources.locate(Place { offset: 999, ..at }).1, Some((3, 2)));
    }
}
