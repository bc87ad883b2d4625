//! Where a value was written.

use std::sync::Arc;

use crate::keys::Position;

/// A file, or the text of one `--set`.
#[derive(Clone, Debug)]
struct SourceText {
    name: Arc<str>,
    /// None where a line would say nothing: `--set`, or a file that could not be read.
    text: Option<Arc<str>>,
}

/// All that was read for one scenario.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<SourceText>);

impl Sources {
    /// Adds a source; its first place.
    pub(crate) fn add(&mut self, name: &str, text: Option<Arc<str>>) -> Position {
        self.0.push(SourceText { name: name.into(), text });
        Position { source: (self.0.len() - 1) as u32, offset: 0 }
    }

    /// Adds one `--set`.
    pub(crate) fn add_set(&mut self, set: &str) -> Position {
        Position { offset: Position::SET, ..self.add(&format!("--set {set}"), None) }
    }

    /// Name and text of each file, each once.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for SourceText { name, text } in &self.0 {
            let Some(text) = text else { continue };
            if !all.iter().any(|(known, _)| **known == **name) {
                all.push((name.to_string(), text.to_string()));
            }
        }
        all
    }

    /// The name of the source, and line and column, both counted from 1.
    pub(crate) fn locate(&self, at: Position) -> (String, Option<(u32, u32)>) {
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
            assert_eq!(sources.locate(Position { offset, ..at }).1, Some(position), "{offset}");
        }
        // Inside a character, and past the end.
        assert_eq!(sources.locate(Position { offset: 9, ..at }).1, Some((2, 3)));
        assert_eq!(sources.locate(Position { offset: 999, ..at }).1, Some((3, 2)));
    }
}
