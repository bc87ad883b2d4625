//! A key that may lead through items of lists: `endpoint.reserve.steps[0].begin`.

use std::borrow::Cow;

use toml_edit::Key as TomlKey;

use super::diagnostic::{Problem, brief};
use super::merge;
use super::tree::{Entry, Node, Table, Value};
use crate::keys::{Fields, Position, Typed, WrittenDistribution, quote_key};

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key of a table, or the name of an entry of a list.
    Name(String),
    /// An item of a list, counted from 0.
    Index(usize),
}

/// The parts of a key as `--set` writes it; none if it is not well formed.
pub fn parts(key: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = key;
    while let Some(open) = first_bracket(rest) {
        let (index, after) = rest[open + 1..].split_once(']')?;
        if open > 0 {
            names(&rest[..open], &mut parts)?;
        }
        parts.push(Part::Index(index.trim().parse().ok()?));
        rest = match after.strip_prefix('.') {
            Some("") => return None,
            Some(after) => after,
            None if after.is_empty() || after.starts_with('[') => after,
            None => return None,
        };
    }
    if !rest.is_empty() {
        names(rest, &mut parts)?;
    }
    matches!(parts.first(), Some(Part::Name(_))).then_some(parts)
}

fn names(text: &str, parts: &mut Vec<Part>) -> Option<()> {
    let names = TomlKey::parse(text).ok()?;
    parts.extend(names.iter().map(|name| Part::Name(name.get().to_string())));
    Some(())
}

/// Where the first bracket stands that is in no quotes.
fn first_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quoted = Some(c),
            (None, '[') => return Some(at),
            (Some(quote), c) if c == quote => quoted = None,
            _ => {}
        }
    }
    None
}

/// The parts as a key.
fn text(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Name(name) if text.is_empty() => text.push_str(&quote_key(name)),
            Part::Name(name) => text.push_str(&format!(".{}", quote_key(name))),
            Part::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// True if the key leads through an item of a list.
pub(crate) fn is_item(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Index(_)))
}

/// Where the value of a key stands in a tree as written.
pub(crate) fn place(table: &Table, parts: &[Part]) -> Option<Position> {
    let (Part::Name(first), rest) = parts.split_first()? else { return None };
    let mut node = &table.get(first)?.node;
    for part in rest {
        node = match (&node.value, part) {
            (Value::Table(table), Part::Name(name)) => &table.get(name)?.node,
            (Value::List(items), Part::Index(index)) => items.get(*index)?,
            (Value::List(items), Part::Name(name)) => {
                items.iter().find(|item| merge::name(item) == Some(name))?
            }
            _ => return None,
        };
    }
    Some(node.at)
}

/// The checked value of a key, defaults included.
pub(crate) fn find<'f>(fields: &'f Fields, parts: &[Part]) -> Option<Cow<'f, Typed>> {
    let (Part::Name(first), rest) = parts.split_first()? else { return None };
    inside(&fields.get(first)?.value, rest)
}

fn inside<'f>(value: &'f Typed, parts: &[Part]) -> Option<Cow<'f, Typed>> {
    let Some((part, rest)) = parts.split_first() else { return Some(Cow::Borrowed(value)) };
    let entry = match (value, part) {
        (Typed::Table(below), Part::Name(_)) => return find(below, parts),
        (Typed::List(items), Part::Index(index)) => items.get(*index)?,
        (Typed::List(items), Part::Name(name)) => {
            items.iter().find(|item| item.text("name") == Some(name))?
        }
        (Typed::Distribution(written), _) => return point(written, parts),
        _ => return None,
    };
    match rest {
        [] => Some(Cow::Owned(Typed::Table(entry.clone()))),
        rest => find(entry, rest),
    }
}

fn point<'f>(written: &WrittenDistribution, parts: &[Part]) -> Option<Cow<'f, Typed>> {
    let names = parts.iter().map(|part| match part {
        Part::Name(name) => Some(name.as_str()),
        Part::Index(_) => None,
    });
    let names: Option<Vec<&str>> = names.collect();
    written.point(&names?).map(|span| Cow::Owned(Typed::Span(span)))
}

/// Puts `node` in the place of a key that leads through an item of a list.
pub(crate) fn set(
    table: &mut Table,
    parts: &[Part],
    node: Node,
    at: Position,
) -> Result<(), Problem> {
    let last = parts.iter().rposition(|part| matches!(part, Part::Index(_))).unwrap_or(0);
    let (way, rest) = parts.split_at(last + 1);
    let Some((Part::Name(first), _)) = way.split_first() else { return Ok(()) };
    let top = table.get_mut(first).ok_or_else(|| no_list(way, at))?;
    let item = item(&mut top.node, way, 1, at)?;
    match (&mut item.value, rest) {
        (_, []) => *item = node,
        (Value::Table(inner), rest) => put(inner, rest, node, at),
        _ => return Err(missing(format!("`{}` is no table", brief(&text(way))), at)),
    }
    Ok(())
}

/// The value that `way` leads to; `node` is that of its first `done` parts.
fn item<'n>(
    node: &'n mut Node,
    way: &[Part],
    done: usize,
    at: Position,
) -> Result<&'n mut Node, Problem> {
    let Some(part) = way.get(done) else { return Ok(node) };
    let above = brief(&text(&way[..done]));
    let below = match (&mut node.value, part) {
        (Value::List(items), Part::Index(index)) => {
            let found = format!("`{above}[{index}]` is one of {} items", items.len());
            items.get_mut(*index).ok_or_else(|| missing(found, at))?
        }
        (_, Part::Index(_)) => return Err(missing(format!("`{above}` is no list"), at)),
        (Value::List(items), Part::Name(name)) => items
            .iter_mut()
            .find(|item| merge::name(item) == Some(name))
            .ok_or_else(|| no_list(way, at))?,
        (Value::Table(table), Part::Name(name)) => {
            &mut table.get_mut(name).ok_or_else(|| no_list(way, at))?.node
        }
        (_, Part::Name(_)) => return Err(missing(format!("`{above}` is no table"), at)),
    };
    item(below, way, done + 1, at)
}

fn missing(found: String, at: Position) -> Problem {
    Problem::new(at, found)
        .allowed("an item that a file of the scenario has, counted from 0")
        .advice("`sim check FILE` prints all steps")
}

fn no_list(way: &[Part], at: Position) -> Problem {
    let list = way.iter().position(|part| matches!(part, Part::Index(_))).unwrap_or(0);
    missing(format!("there is no list `{}`", brief(&text(&way[..list]))), at)
}

/// Replaces the key of an item, or adds it.
fn put(table: &mut Table, parts: &[Part], node: Node, at: Position) {
    let Some((Part::Name(name), rest)) = parts.split_first() else { return };
    match (table.get_mut(name), rest) {
        (Some(entry), []) => *entry = Entry { key: name.as_str().into(), at, node },
        (Some(Entry { node: Node { value: Value::Table(inner), .. }, .. }), rest) => {
            put(inner, rest, node, at);
        }
        (found, rest) => {
            let node = match rest {
                [] => node,
                rest => {
                    let mut inner = Table::default();
                    put(&mut inner, rest, node, at);
                    Node { value: Value::Table(inner), at }
                }
            };
            let entry = Entry { key: name.as_str().into(), at, node };
            match found {
                Some(old) => *old = entry,
                None => table.entries.push(entry),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_cut_at_its_dots_and_brackets_outside_of_quotes() {
        let name = |name: &str| Part::Name(name.to_string());
        assert_eq!(
            parts("endpoint.\"GET /a[0].b\".steps[1].gather[0].cpu"),
            Some(vec![
                name("endpoint"),
                name("GET /a[0].b"),
                name("steps"),
                Part::Index(1),
                name("gather"),
                Part::Index(0),
                name("cpu"),
            ])
        );
        for wrong in ["", "[0]", "a[x].b", "a[0]b", "a[0].", "a..b", "a[", "a\"b"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parts_are_written_as_they_are_read() {
        for key in ["a.b[0].c", "a.\"b c\"[0][1]", "a"] {
            assert_eq!(text(&parts(key).unwrap_or_default()), key);
        }
    }
}
