//! `--set service.workers=4`: one more layer over the files.

use std::sync::Arc;

use toml_edit::Key as TomlKey;

use super::diagnostic::{Problem, Problems, brief, did_you_mean};
use super::extends::name_profile;
use super::files::Files;
use super::source::Sources;
use super::trace::name_traces;
use super::tree::{Entry, Node, Table, Value, parse_value};
use super::{item, merge};
use crate::keys::{Doc, KeyKind, Position, Section};
use crate::scenario;

/// What setting a key needs to know about its surroundings.
pub(crate) struct Setting<'a> {
    pub(crate) files: &'a dyn Files,
    /// Where a relative path of a cost profile is looked for, in order.
    pub(crate) directories: &'a [String],
    pub(crate) sources: &'a mut Sources,
    pub(crate) problems: &'a mut Problems,
}

/// Splits `key=value`. None, with the problem reported, if there is no equals sign.
pub(crate) fn split(set: &str, setting: &mut Setting) -> Option<(String, String)> {
    if let Some((key, value)) = set.split_once('=') {
        return Some((key.trim().to_string(), value.trim().to_string()));
    }
    let at = setting.sources.add_set(set);
    setting.problems.push(
        Problem::new(at, "there is no equals sign")
            .allowed("KEY=VALUE, as in `--set service.workers=2`"),
    );
    None
}

impl Setting<'_> {
    /// Puts `value` in the place of `key` in `table`.
    pub(crate) fn set(&mut self, table: &mut Table, key: &str, value: &str) {
        let at = self.sources.add_set(&format!("{key}={value}"));
        if let Some(parts) = item::parts(key).filter(|parts| item::is_item(parts)) {
            let node = self.value(None, value, at);
            match item::set(table, &parts, node, at) {
                Ok(()) => self.traces(table),
                Err(problem) => self.problems.push(problem),
            }
            return;
        }
        let Ok(names) = TomlKey::parse(key) else {
            self.problems.push(
                Problem::new(at, format!("`{}` is no key", brief(key)))
                    .allowed("names joined by dots, as in `service.workers`"),
            );
            return;
        };
        let names: Vec<&str> = names.iter().map(TomlKey::get).collect();
        if let Some(problem) = refuse(&names, at).or_else(|| no_such_name(table, &names, at)) {
            self.problems.push(problem);
            return;
        }
        let mut node = self.value(scenario::keys().kind_of(&names), value, at);
        if let ["endpoint", _] = names[..]
            && node.table().is_none()
        {
            let found = format!("`{}` is {}", brief(key), super::describe::show(&node.value));
            self.problems
                .push(Problem::new(at, found).allowed("a table: the keys of one endpoint"));
            return;
        }
        if names == ["costs"] {
            name_profile(&mut node, self.directories, self.files, self.sources, self.problems);
        }
        if let Some(layer) = wrap(&names, node, scenario::keys(), at) {
            merge::merge_tables(table, layer, scenario::keys());
        }
        self.traces(table);
    }

    /// Reads the trace that was set, if one was.
    fn traces(&mut self, table: &mut Table) {
        name_traces(table, self.directories, self.files, self.sources, self.problems);
    }

    /// The value as TOML, or as a text where it is no TOML or the key takes a text: a shell
    /// removes the quotes, and they should not have to be written twice.
    fn value(&mut self, kind: Option<&KeyKind>, value: &str, at: Position) -> Node {
        let text = || Node { value: Value::Text(Arc::from(value)), at };
        let parsed = parse_value(value, at, self.problems).unwrap_or_else(text);
        let wants_text = matches!(kind, Some(KeyKind::Text | KeyKind::Trace | KeyKind::Choice(_)));
        match parsed.value {
            Value::Table(_) | Value::List(_) | Value::Text(_) => parsed,
            _ if wants_text => text(),
            _ => parsed,
        }
    }
}

fn refuse(names: &[&str], at: Position) -> Option<Problem> {
    let &name = names.first()?;
    matches!(name, "extends" | "knob" | "learned" | "objective").then(|| {
        Problem::new(at, format!("`{name}` cannot be set"))
            .allowed("the keys of the scenario itself")
            .advice(format!("write `{name}` in a file"))
    })
}

/// A key below an unknown name is a misspelling, not a new upstream.
fn no_such_name(table: &Table, names: &[&str], at: Position) -> Option<Problem> {
    if let ["load", "group", ..] = names {
        let load = table.get("load")?.node.table()?;
        return (names.len() > 3).then(|| unknown_name(load, "group", names[2], at))?;
    }
    let (&first, &name) = (names.first()?, names.get(1)?);
    if names.len() < 3 || !matches!(first, "upstream" | "endpoint") {
        return None;
    }
    unknown_name(table, first, name, at)
}

/// The problem with an entry `name` of the list or table `first` that is not there.
fn unknown_name(table: &Table, first: &str, name: &str, at: Position) -> Option<Problem> {
    let found: Vec<&str> = match &table.get(first)?.node.value {
        Value::Table(named) => named.keys().collect(),
        Value::List(nodes) => nodes.iter().filter_map(merge::name).collect(),
        _ => return None,
    };
    (!found.contains(&name)).then(|| {
        let problem = Problem::new(at, format!("there is no {first} `{}`", brief(name)));
        let problem = match found.len() {
            0 => problem,
            1..=8 => problem.allowed(super::diagnostic::one_of(found.iter().copied())),
            count => problem.allowed(format!("one of the {count} names of the scenario")),
        };
        problem.maybe_advice(did_you_mean(name, found.iter().copied()))
    })
}

/// `a.b = node` as tables in tables. Lists with names go by name: `endpoint.quote.weight`
/// is the weight of the entry called `quote`.
fn wrap(names: &[&str], node: Node, section: &'static Section, at: Position) -> Option<Table> {
    let (&first, rest) = names.split_first()?;
    let kind = section.key(first).map(|key| &key.kind);
    let node = match (rest.split_first(), kind) {
        (None, _) => node,
        (Some((name, inner)), Some(KeyKind::List(below))) if below().is_named() => {
            let mut table = match (inner.is_empty(), node.value) {
                (true, Value::Table(table)) => table,
                // Refused before.
                (true, _) => return None,
                (false, value) => wrap(inner, Node { value, at }, below(), at)?,
            };
            table.remove("name");
            let name = Node { value: Value::Text((*name).into()), at };
            table.entries.insert(0, Entry { key: "name".into(), at, node: name });
            Node { value: Value::List(vec![Node { value: Value::Table(table), at }]), at }
        }
        (Some((name, inner)), Some(KeyKind::Named(below))) => {
            let node = if inner.is_empty() {
                node
            } else {
                Node { value: Value::Table(wrap(inner, node, below(), at)?), at }
            };
            Node { value: Value::Table(single(name, node, at)), at }
        }
        (Some(_), Some(kind)) => {
            let below = kind.section().unwrap_or(&PLAIN);
            Node { value: Value::Table(wrap(rest, node, below, at)?), at }
        }
        (Some(_), None) => Node { value: Value::Table(wrap(rest, node, &PLAIN, at)?), at },
    };
    Some(single(first, node, at))
}

fn single(key: &str, node: Node, at: Position) -> Table {
    Table { entries: vec![Entry { key: key.into(), at, node }], replaces: false }
}

/// Below a key that has no table of its own, any name may be meant.
static PLAIN: Section =
    Section { keys: &[], one_of: &[], implied: None, noun: "value", doc: Doc(&[]) };
