//! The lines of a file, and where its numbers come from.

use std::fmt::Write;

use model::Quantity;
use model::keys::quote;

use super::super::Figure;

/// Characters of a line of comment.
const WIDTH: usize = 96;
/// Significant digits of a number.
const DIGITS: i32 = 4;
/// The longest time that a file may have, in seconds, and more than any rate.
const MOST: f64 = 3e9;

/// A file that is being written.
#[derive(Default)]
pub(super) struct File {
    text: String,
    /// The entries `[[learned]]`, which stand at its end.
    learned: String,
}

impl File {
    pub(super) fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    /// A key by itself, which says so if it is assumed.
    fn key<T>(&mut self, name: &str, value: &str, figure: &Figure<T>) {
        let mark = if figure.is_assumed() { "  # assumed" } else { "" };
        self.line(&format!("{name} = {value}{mark}"));
    }

    /// A comment, in lines that fit.
    pub(super) fn comment(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in text.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH && line.len() > 1 {
                self.line(&line);
                line = String::from("#");
            }
            line = format!("{line} {word}");
        }
        self.line(&line);
    }

    pub(super) fn header(&mut self, table: &str) {
        self.line(&format!("\n[{table}]"));
    }

    pub(super) fn list_header(&mut self, list: &str) {
        self.line(&format!("\n[[{list}]]"));
    }

    /// A key that is a number, in the unit of `like`.
    pub(super) fn number(&mut self, name: &str, key: &str, like: Quantity, figure: &Figure) {
        let value = self.known(key, like, figure);
        let text = match value {
            Quantity::Number(_) | Quantity::Integer(_) => value.to_string(),
            _ => quote(&value.to_string()),
        };
        self.key(name, &text, figure);
    }

    /// A key that is a count, at least `least`.
    pub(super) fn count(&mut self, name: &str, key: &str, figure: &Figure<u32>, least: u32) {
        let value = figure.value.max(least);
        let ends = figure.low.zip(figure.high);
        let ends =
            ends.map(|(low, high)| [low.min(value).to_string(), high.max(value).to_string()]);
        self.origin(key, figure, ends);
        self.key(name, &value.to_string(), figure);
    }

    /// A key that is a word.
    pub(super) fn word<T>(&mut self, name: &str, key: &str, figure: &Figure<T>, word: &str) {
        self.origin(key, figure, None);
        self.key(name, &quote(word), figure);
    }

    /// The value of a number as it is written, whose origin is noted.
    pub(super) fn known(&mut self, key: &str, like: Quantity, figure: &Figure) -> Quantity {
        let exact = like.at(figure.value.min(MOST));
        let value = exact.rounded(DIGITS);
        let end = |number: f64| like.at(number.min(MOST)).rounded(DIGITS);
        let ends = figure.low.zip(figure.high).map(|(low, high)| {
            // The interval holds the number, however both are rounded.
            let (low, high) = (end(low), end(high));
            let low = if low.number() <= value.number() { low } else { value };
            let high = if high.number() >= value.number() { high } else { value };
            [low.to_string(), high.to_string()]
        });
        self.origin(key, figure, ends);
        value
    }

    /// Notes where the value of `key` comes from.
    pub(super) fn origin<T>(&mut self, key: &str, figure: &Figure<T>, ends: Option<[String; 2]>) {
        let mut lines = vec![("key", key)];
        if let Some([low, high]) = &ends {
            lines.extend([("low", low.as_str()), ("high", high.as_str())]);
        }
        lines.extend([("origin", figure.origin.as_str()), ("how", figure.how.as_str())]);
        if !figure.better.is_empty() {
            lines.push(("better", figure.better.as_str()));
        }
        self.learned.push_str("\n[[learned]]\n");
        for (name, text) in lines {
            let _ = writeln!(self.learned, "{name:<6} = {}", literal(text));
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.line("");
        self.comment("Where the numbers come from, in the order in which they stand above.");
        self.text + &self.learned
    }
}

/// A text in single quotes, where that saves backslashes.
fn literal(text: &str) -> String {
    let plain = |c: char| c != '\'' && !c.is_control();
    if text.contains(['"', '\\']) && text.chars().all(plain) {
        format!("'{text}'")
    } else {
        quote(text)
    }
}
