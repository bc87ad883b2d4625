//! A tree of keys as written, each with its place.
//!
//! Files are merged and `--set` is applied on this tree, which needs no knowledge of what a key
//! means.

use std::sync::Arc;

use toml_edit::{Document, Item, Key as TomlKey, Table as TomlTable, Value as TomlValue};

use super::diagnostic::{Problem, Problems, brief};
use crate::keys::{MOST_ENTRIES, Position, WrittenTrace};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Position,
}

/// A value as written.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Flag(bool),
    Integer(i64),
    Number(f64),
    Text(Arc<str>),
    /// The place of a file that could not be read: the problem is reported already.
    Broken,
    /// Recorded arrivals, read from the file that was named.
    Trace(WrittenTrace),
    /// Dates and times: TOML has them, no key takes one.
    Date(Arc<str>),
    List(Vec<Node>),
    Table(Table),
}

/// A key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Arc<str>,
    pub(crate) at: Position,
    pub(crate) node: Node,
}

/// Keys in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
    /// The table stands for itself rather than for changes of a parent's.
    pub(crate) replaces: bool,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| *entry.key == *key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| *entry.key == *key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| *entry.key == *key)?;
        Some(self.entries.remove(index))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.key)
    }

    /// The word that `key` is, if it is a text.
    pub(crate) fn word(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Node {
    pub(crate) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// Reads a whole file. One problem at most if its syntax is broken.
pub(crate) fn parse(text: &str, at: Position, problems: &mut Problems) -> Option<Node> {
    match Document::parse(text) {
        Ok(document) => {
            let mut reader = Reader { source: at, problems };
            Some(Node { value: Value::Table(reader.table(document.as_table())), at })
        }
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let offset = start as u32;
            if let Some(problem) = two_meanings(text, start, error.message(), at) {
                problems.push(problem);
                return None;
            }
            let message = error.message().replace('\n', ", ");
            problems.push(
                Problem::new(Position { offset, ..at }, format!("not TOML: {message}"))
                    .advice("correct the syntax; other problems show once the file can be read"),
            );
            None
        }
    }
}

/// A key that is a value in one line and a table in another, which TOML forbids.
fn two_meanings(text: &str, start: usize, message: &str, at: Position) -> Option<Problem> {
    if !message.contains("cannot extend value") && !message.contains("duplicate key") {
        return None;
    }
    let begin = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(begin..)?.lines().next()?.trim();
    let list = line.starts_with("[[");
    let written = match line.strip_prefix('[') {
        Some(header) => header.trim_start_matches('[').split(']').next()?,
        None => line.split('=').next()?,
    };
    let names: Vec<String> =
        TomlKey::parse(written.trim()).ok()?.iter().map(|key| key.get().to_string()).collect();
    let found = format!("`{}` is written a second time", brief(written.trim()));
    let problem = Problem::new(Position { offset: start as u32, ..at }, found);
    let value = |name: &str| {
        let is = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
        text.lines().map(str::trim).find(|line| is(line)).map(|line| line.to_string())
    };
    let first = names.first()?;
    Some(match value(first).filter(|_| names.len() > 1 || line.starts_with('[')) {
        Some(path) if first == "costs" => problem
            .allowed(
                "in one file either the path of a cost profile or tables of costs; both in two \
                 files",
            )
            .advice(format!(
                "move `{}` to a second file, such as base.toml, and write \
                 `extends = \"base.toml\"` in its place; `[{}]` stays here and changes that profile",
                shortened(&path),
                written.trim(),
            )),
        Some(other) => problem
            .allowed(format!("a value or a table for `{first}`, not both"))
            .advice(format!("remove `{}`, or write what it says in this table", shortened(&other))),
        None if list => problem
            .allowed("lists of tables that are only written as such")
            .advice(format!("write every entry as `[[{}]]`", written.trim())),
        None => problem
            .allowed("each key and each table once in a file")
            .advice("keep one of them, with all that both say"),
    })
}

/// The start of a line, as it is written.
fn shortened(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// Reads one value, as it stands after the equals sign.
pub(crate) fn parse_value(text: &str, at: Position, problems: &mut Problems) -> Option<Node> {
    let value: TomlValue = text.parse().ok()?;
    let mut node = Reader { source: at, problems }.value(&value, at);
    // Spans would count from the equals sign of a line that has no number.
    flatten(&mut node, at);
    Some(node)
}

fn flatten(node: &mut Node, at: Position) {
    node.at = at;
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| flatten(node, at)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.at = at;
                flatten(&mut entry.node, at);
            }
        }
        _ => {}
    }
}

struct Reader<'a> {
    source: Position,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn position(&self, span: Option<std::ops::Range<usize>>, otherwise: Position) -> Position {
        span.map_or(otherwise, |span| Position { offset: span.start as u32, ..self.source })
    }

    fn table(&mut self, table: &TomlTable) -> Table {
        let pairs = table.iter().filter_map(|(name, _)| table.get_key_value(name));
        self.entries(pairs.collect())
    }

    fn entries(&mut self, pairs: Vec<(&TomlKey, &Item)>) -> Table {
        self.limit(pairs.len(), pairs.get(MOST_ENTRIES).and_then(|(key, _)| key.span()));
        let entries = pairs
            .into_iter()
            .take(MOST_ENTRIES)
            .filter_map(|(key, item)| {
                let at = self.position(key.span(), self.source);
                let node = self.item(item, at)?;
                Some(Entry { key: key.get().into(), at, node })
            })
            .collect();
        Table { entries, replaces: false }
    }

    fn item(&mut self, item: &Item, key: Position) -> Option<Node> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(value, key)),
            // A table made by a dotted key or a header is where its key is.
            Item::Table(table) => Some(Node { value: Value::Table(self.table(table)), at: key }),
            Item::ArrayOfTables(tables) => {
                self.limit(tables.len(), None);
                let nodes = tables
                    .iter()
                    .take(MOST_ENTRIES)
                    .map(|table| {
                        let at = self.position(table.span(), key);
                        Node { value: Value::Table(self.table(table)), at }
                    })
                    .collect();
                Some(Node { value: Value::List(nodes), at: key })
            }
        }
    }

    fn value(&mut self, value: &TomlValue, key: Position) -> Node {
        let at = self.position(value.span(), key);
        let value = match value {
            TomlValue::String(text) => Value::Text(text.value().as_str().into()),
            TomlValue::Integer(integer) => Value::Integer(*integer.value()),
            TomlValue::Float(number) => Value::Number(*number.value()),
            TomlValue::Boolean(flag) => Value::Flag(*flag.value()),
            TomlValue::Datetime(date) => Value::Date(date.value().to_string().into()),
            TomlValue::Array(array) => {
                self.limit(array.len(), array.get(MOST_ENTRIES).and_then(TomlValue::span));
                let nodes = array.iter().take(MOST_ENTRIES).map(|value| self.value(value, at));
                Value::List(nodes.collect())
            }
            TomlValue::InlineTable(table) => {
                let pairs = table.iter().filter_map(|(name, _)| table.get_key_value(name));
                Value::Table(self.entries(pairs.collect()))
            }
        };
        Node { value, at }
    }

    fn limit(&mut self, count: usize, span: Option<std::ops::Range<usize>>) {
        if count > MOST_ENTRIES {
            let at = self.position(span, self.source);
            self.problems.push(
                Problem::new(at, format!("{count} entries in one list or table"))
                    .allowed(format!("at most {MOST_ENTRIES}")),
            );
        }
    }
}
