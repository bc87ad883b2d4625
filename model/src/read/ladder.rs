//! The chain of a scenario as a ladder: what each rung changes.

use std::path::Path;
use std::sync::Arc;

use super::diagnostic::{Diagnostics, Problems};
use super::extends::read_chain;
use super::files::{self, Disk, Files, stem};
use super::resolved::{Resolved, resolve};
use super::source::Sources;
use crate::keys::{
    self, Checked, Fields, KeyKind, Only, Origin, Section, Typed, quote_key, read_field,
};
use crate::scenario::{self, Knob};

/// A scenario as a step of its ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// The file's name without its ending.
    pub name: String,
    /// The scenario.
    pub resolved: Resolved,
    /// What differs from the rung below, in the order of the keys; nothing for the root.
    pub changes: Vec<Change>,
    /// The name of the group of keys that the file declares to be one knob.
    pub knob: Option<String>,
    /// The keys of that group.
    pub knob_keys: Vec<String>,
}

/// A key whose resolved value differs from the parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key: `service.concurrency`.
    pub key: String,
    /// The parent's value, if it has one.
    pub from: Option<String>,
    /// The value now, if there is one.
    pub to: Option<String>,
}

impl Rung {
    /// How many knobs the rung turns: each changed key is one, the declared group of keys
    /// is one together.
    pub fn knobs_turned(&self) -> usize {
        let single = self.changes.iter().filter(|change| !self.in_group(change)).count();
        let group = self.changes.iter().any(|change| self.in_group(change));
        single + usize::from(group)
    }

    /// True if the change belongs to the declared group.
    pub fn in_group(&self, change: &Change) -> bool {
        self.knob_keys.iter().any(|key| {
            change
                .key
                .strip_prefix(key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Reads a scenario and all that it extends, root first.
///
/// # Errors
/// Every problem of any rung.
pub fn ladder(path: &Path, sets: &[String]) -> Result<Vec<Rung>, Diagnostics> {
    let files: Arc<dyn Files> = Arc::new(Disk);
    let path = files::find_scenario(path, &*files);
    ladder_of(&files, &path, sets)
}

pub(crate) fn ladder_of(
    files: &Arc<dyn Files>,
    path: &str,
    sets: &[String],
) -> Result<Vec<Rung>, Diagnostics> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let mut resolved = Vec::new();
    if let Some(chain) = read_chain(&**files, path, &mut sources, &mut problems) {
        for end in 1..=chain.layers.len() {
            let mut found = Problems::default();
            resolved.extend(resolve(
                &chain.layers[..end],
                sets,
                files,
                &mut sources,
                &mut found,
                chain.complete,
            ));
            problems.append(found);
        }
    }
    if !problems.is_empty() {
        return Err(problems.finish(&sources));
    }
    let mut rungs: Vec<Rung> = Vec::with_capacity(resolved.len());
    for resolved in resolved {
        let below = rungs.last().map(|rung| &rung.resolved.fields);
        rungs.push(rung(below, resolved));
    }
    Ok(rungs)
}

fn rung(below: Option<&Fields>, resolved: Resolved) -> Rung {
    let mut changes = Vec::new();
    if let Some(below) = below {
        compare_tables(below, &resolved.fields, scenario::keys(), "", &mut changes);
    }
    let knob: Option<Knob> = read_field(&resolved.fields, "knob", &[]);
    Rung {
        name: stem(resolved.path()).to_string(),
        changes,
        knob: knob.as_ref().map(|knob| knob.name.clone()),
        // As a change writes its key, whatever quotes the file has.
        knob_keys: knob.map_or(Vec::new(), |knob| {
            knob.keys.iter().filter_map(|key| Some(keys::path(&keys::names(key)?))).collect()
        }),
        resolved,
    }
}

fn compare_tables(
    old: &Fields,
    new: &Fields,
    section: &'static Section,
    prefix: &str,
    changes: &mut Vec<Change>,
) {
    for key in section.keys {
        let path = format!("{prefix}{}", key.name);
        if key.about_file {
            continue;
        }
        let (before, after) = (old.get(key.name), new.get(key.name));
        if let Some(group) = section.one_of.iter().find(|group| group.contains(&key.name))
            && compare_choice(old, new, group, key.name, &path, changes)
        {
            continue;
        }
        match (before, after, &key.only) {
            // A key that comes or goes with a choice is part of that choice.
            (Some(_), None, only) | (None, Some(_), only) if !matches!(only, Only::Always) => {}
            (before, after, _) => compare(before, after, &key.kind, &path, changes),
        }
    }
}

/// `rate` in the place of `users` is one change, listed where the new key is. True if the
/// choice between the keys of a group differs.
fn compare_choice(
    old: &Fields,
    new: &Fields,
    group: &[&'static str],
    key: &'static str,
    path: &str,
    changes: &mut Vec<Change>,
) -> bool {
    let says = |fields: &Fields, key: &str| {
        fields.get(key).is_some_and(|checked| checked.origin != Origin::Implied)
    };
    let chosen = |fields: &Fields| group.iter().copied().find(|key| says(fields, key));
    let (before, after) = (chosen(old), chosen(new));
    if before == after {
        return false;
    }
    if after == Some(key) {
        let shown = |checked: &Checked| checked.value.plain();
        let from = before.and_then(|key| Some(format!("{key} = {}", shown(old.get(key)?))));
        changes.push(Change { key: path.to_string(), from, to: new.get(key).map(shown) });
    }
    true
}

fn compare(
    before: Option<&Checked>,
    after: Option<&Checked>,
    kind: &'static KeyKind,
    path: &str,
    changes: &mut Vec<Change>,
) {
    let values = (before.map(|checked| &checked.value), after.map(|checked| &checked.value));
    let below = format!("{path}.");
    match (values, kind) {
        ((Some(Typed::Table(old)), Some(Typed::Table(new))), KeyKind::Profile(section)) => {
            if old.text("name") == new.text("name") {
                compare_tables(old, new, section(), &below, changes);
            } else {
                let name = |fields: &Fields| fields.text("name").map(str::to_string);
                changes.push(Change { key: path.into(), from: name(old), to: name(new) });
            }
        }
        ((Some(Typed::Table(old)), Some(Typed::Table(new))), KeyKind::Table(section)) => {
            compare_tables(old, new, section(), &below, changes);
        }
        ((Some(Typed::Table(old)), Some(Typed::Table(new))), KeyKind::Named(section)) => {
            let entries = |fields: &Fields| -> Vec<(String, Checked)> {
                fields.fields.iter().map(|f| (f.key.to_string(), f.value.clone())).collect()
            };
            compare_names(entries(old), entries(new), section(), &below, changes);
        }
        ((Some(Typed::List(old)), Some(Typed::List(new))), KeyKind::List(section))
            if section().is_named() =>
        {
            compare_names(by_name(old), by_name(new), section(), &below, changes);
        }
        _ => compare_values(before, after, path, changes),
    }
}

/// Entries of a list as a table of names.
fn by_name(entries: &[Fields]) -> Vec<(String, Checked)> {
    entries
        .iter()
        .filter_map(|entry| {
            let value = Typed::Table(entry.clone());
            let checked = Checked { value, at: entry.at, origin: Origin::Written };
            Some((entry.text("name")?.to_string(), checked))
        })
        .collect()
}

fn compare_names(
    old: Vec<(String, Checked)>,
    new: Vec<(String, Checked)>,
    section: &'static Section,
    prefix: &str,
    changes: &mut Vec<Change>,
) {
    let find = |entries: &[(String, Checked)], wanted: &str| {
        entries.iter().find(|(name, _)| name == wanted).map(|(_, checked)| checked.clone())
    };
    let added = new.iter().filter(|(name, _)| find(&old, name).is_none());
    for (name, _) in old.iter().chain(added) {
        let path = format!("{prefix}{}", quote_key(name));
        match (find(&old, name), find(&new, name)) {
            (
                Some(Checked { value: Typed::Table(old), .. }),
                Some(Checked { value: Typed::Table(new), .. }),
            ) => compare_tables(&old, &new, section, &format!("{path}."), changes),
            (before, after) => compare_values(before.as_ref(), after.as_ref(), &path, changes),
        }
    }
}

fn compare_values(
    before: Option<&Checked>,
    after: Option<&Checked>,
    path: &str,
    changes: &mut Vec<Change>,
) {
    let values = (before.map(|checked| &checked.value), after.map(|checked| &checked.value));
    // A default that follows from another key changes with that key, and is not turned
    // by itself.
    let written = |checked: Option<&Checked>| checked.is_some_and(|c| c.origin == Origin::Written);
    if values.0 == values.1 || !(written(before) || written(after)) {
        return;
    }
    let text = |value: Option<&Typed>| value.map(Typed::plain);
    changes.push(Change { key: path.to_string(), from: text(values.0), to: text(values.1) });
}
