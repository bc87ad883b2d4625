//! A child's keys over its parent's.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tree::{Entry, Node, Table, Value};
use crate::keys::{DISTRIBUTION_FORMS, Key, KeyKind, Only, Section};

/// Puts the tables of `child` over those of `parent`: tables merge, everything else
/// replaces, and entries of a list with names merge by name.
pub(crate) fn merge_tables(parent: &mut Table, child: Table, section: &'static Section) {
    drop_what_the_child_rules_out(parent, &child, section);
    for entry in child.entries {
        let kind = section.key(&entry.key).map(|key| &key.kind);
        put(parent, entry, kind);
    }
}

/// The same for a table whose keys the user names.
fn merge_named(parent: &mut Table, child: Table, section: &'static Section) {
    let places: BTreeMap<Arc<str>, usize> =
        (0..).zip(&parent.entries).map(|(index, entry)| (entry.key.clone(), index)).collect();
    for entry in child.entries {
        match places.get(&entry.key).and_then(|&index| parent.entries.get_mut(index)) {
            Some(old) => {
                old.at = entry.at;
                merge_with_section(&mut old.node, entry.node, section);
            }
            None => parent.entries.push(entry),
        }
    }
}

fn put(parent: &mut Table, entry: Entry, kind: Option<&'static KeyKind>) {
    match parent.get_mut(&entry.key) {
        Some(old) => {
            old.at = entry.at;
            merge_nodes(&mut old.node, entry.node, kind);
        }
        None => parent.entries.push(entry),
    }
}

fn merge_nodes(parent: &mut Node, child: Node, kind: Option<&'static KeyKind>) {
    match kind {
        Some(KeyKind::Table(section) | KeyKind::Profile(section)) => {
            merge_with_section(parent, child, section());
        }
        Some(KeyKind::Named(section)) => match (&mut parent.value, child) {
            (Value::Table(old), Node { value: Value::Table(new), at }) => {
                merge_named(old, new, section());
                parent.at = at;
            }
            (_, child) => *parent = child,
        },
        Some(KeyKind::List(section)) if section().is_named() => match (&mut parent.value, child) {
            (Value::List(old), Node { value: Value::List(new), at }) => {
                merge_by_name(old, new, section());
                parent.at = at;
            }
            (_, child) => *parent = child,
        },
        Some(KeyKind::Distribution) => merge_distributions(parent, child),
        Some(KeyKind::TextMap) => match (&mut parent.value, child) {
            (Value::Table(old), Node { value: Value::Table(new), .. }) => {
                new.entries.into_iter().for_each(|entry| put(old, entry, None));
            }
            (_, child) => *parent = child,
        },
        _ => *parent = child,
    }
}

fn merge_with_section(parent: &mut Node, child: Node, section: &'static Section) {
    match (&mut parent.value, child) {
        (Value::Table(old), Node { value: Value::Table(new), at }) if !new.replaces => {
            merge_tables(old, new, section);
            parent.at = at;
        }
        (_, child) => *parent = child,
    }
}

/// Entries of the parent keep their order; new names follow them. A name that the child
/// has twice stays twice, for the checker to refuse.
fn merge_by_name(parent: &mut Vec<Node>, child: Vec<Node>, section: &'static Section) {
    let mut changed = vec![false; parent.len()];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, name) in parent.iter().enumerate().filter_map(|(i, old)| Some((i, name(old)?))) {
        places.entry(name.to_string()).or_insert(index);
    }
    for node in child {
        let same = name(&node).and_then(|wanted| places.get(wanted).copied());
        match same {
            Some(index) if !changed[index] => {
                changed[index] = true;
                merge_with_section(&mut parent[index], node, section);
            }
            _ => parent.push(node),
        }
    }
}

/// The `name` of an entry of a list.
pub(crate) fn name(node: &Node) -> Option<&str> {
    node.table().and_then(|table| table.word("name"))
}

/// `{ p99 = "2s" }` over `{ p50 = "1s", p99 = "4s" }` moves one point; over any other
/// form it replaces it.
fn merge_distributions(parent: &mut Node, child: Node) {
    match (&mut parent.value, child) {
        (Value::Table(old), Node { value: Value::Table(new), at }) => {
            for form in DISTRIBUTION_FORMS {
                if new.keys().any(|key| form.contains(&key)) {
                    old.entries.retain(|entry| form.contains(&&*entry.key));
                }
            }
            new.entries.into_iter().for_each(|entry| put(old, entry, None));
            parent.at = at;
        }
        (_, child) => *parent = child,
    }
}

/// A child that chooses `rate` has no use for the parent's `users` and `think_time`, one
/// that chooses `kind = "per-operation"` none for the parent's pool: what the parent set
/// about a choice that the child does not make goes with that choice.
fn drop_what_the_child_rules_out(parent: &mut Table, child: &Table, section: &'static Section) {
    for group in section.one_of {
        if group.iter().any(|key| child.has(key)) {
            parent.entries.retain(|entry| !group.contains(&&*entry.key) || child.has(&entry.key));
        }
    }
    let ruled_out: Vec<&str> = section
        .keys
        .iter()
        .filter(|key| !still_means_something(key, parent, child))
        .map(|key| key.name)
        .collect();
    parent.entries.retain(|entry| !ruled_out.contains(&&*entry.key));
}

fn still_means_something(key: &Key, parent: &Table, child: &Table) -> bool {
    match key.only {
        Only::Always => true,
        Only::With(other) => parent.has(other) || child.has(other),
        Only::WithEither(one, other) => {
            [one, other].iter().any(|key| parent.has(key) || child.has(key))
        }
        Only::When(other, word) => child.word(other).is_none_or(|found| found == word),
    }
}
