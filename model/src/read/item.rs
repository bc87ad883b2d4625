//! `--set endpoint.reserve.steps[0].begin=immediate`: a key inside an item of a list.

use toml_edit::Key as TomlKey;

use super::diagnostic::{Problem, brief};
use super::merge;
use super::tree::{Entry, Node, Table, Value};
use crate::keys::Position;

/// A key whose path leads through items of lists, cut at its first index.
pub(crate) struct ItemKey<'k> {
    /// The names of the list.
    list: Vec<String>,
    index: usize,
    /// What comes after the index, without its dot; may be empty.
    rest: &'k str,
}

impl<'k> ItemKey<'k> {
    /// None if `key` has no index outside of quotes, or is not well formed.
    pub(crate) fn parse(key: &'k str) -> Option<ItemKey<'k>> {
        let mut quoted = None;
        let open = key.char_indices().find_map(|(at, c)| {
            match (quoted, c) {
                (None, '"' | '\'') => quoted = Some(c),
                (None, '[') => return Some(at),
                (Some(quote), c) if c == quote => quoted = None,
                _ => {}
            }
            None
        })?;
        let (index, rest) = key[open + 1..].split_once(']')?;
        let names = TomlKey::parse(&key[..open]).ok()?;
        Some(ItemKey {
            list: names.iter().map(|name| name.get().to_string()).collect(),
            index: index.trim().parse().ok()?,
            rest: rest.strip_prefix('.').unwrap_or(rest),
        })
    }

    /// Puts `node` in the place of the key in `table`.
    pub(crate) fn set(&self, table: &mut Table, node: Node, at: Position) -> Result<(), Problem> {
        let missing = |found: String| {
            Problem::new(at, found)
                .allowed("an item that a file of the scenario has, counted from 0")
                .advice("`sim check FILE` prints all steps")
        };
        let path = self.list.join(".");
        let list = find(table, &self.list)
            .ok_or_else(|| missing(format!("there is no list `{}`", brief(&path))))?;
        let Value::List(items) = &mut list.value else {
            return Err(missing(format!("`{}` is no list", brief(&path))));
        };
        let count = items.len();
        let item = items.get_mut(self.index).ok_or_else(|| {
            missing(format!("`{}[{}]` is one of {count} items", brief(&path), self.index))
        })?;
        if self.rest.is_empty() {
            *item = node;
            return Ok(());
        }
        let Value::Table(inner) = &mut item.value else {
            return Err(missing(format!("`{}[{}]` is no table", brief(&path), self.index)));
        };
        if let Some(deeper) = ItemKey::parse(self.rest) {
            return deeper.set(inner, node, at);
        }
        put(inner, self.rest, node, at);
        Ok(())
    }
}

/// Replaces the key of an item, or adds it.
fn put(table: &mut Table, key: &str, node: Node, at: Position) {
    match table.get_mut(key) {
        Some(entry) => *entry = Entry { key: key.into(), at, node },
        None => table.entries.push(Entry { key: key.into(), at, node }),
    }
}

/// The value that `names` lead to; entries of lists go by name.
fn find<'t>(table: &'t mut Table, names: &[String]) -> Option<&'t mut Node> {
    let (first, rest) = names.split_first()?;
    let node = &mut table.get_mut(first)?.node;
    if rest.is_empty() {
        return Some(node);
    }
    match &mut node.value {
        Value::Table(inner) => find(inner, rest),
        Value::List(items) => {
            let (name, rest) = rest.split_first()?;
            let item = items.iter_mut().find(|item| merge::name(item) == Some(name))?;
            match &mut item.value {
                Value::Table(inner) => find(inner, rest),
                _ => None,
            }
        }
        _ => None,
    }
}
