//! A file, the files that it extends, and the cost profiles that they name.

use std::sync::Arc;

use super::diagnostic::{Problem, Problems, brief, nearest};
use super::files::{self, Files, LONGEST_FILE, Unreadable, file, join, parent, stem};
use super::source::Sources;
use super::trace::name_traces;
use super::tree::{Entry, Node, Table, Value, parse};
use super::{learned, merge};
use crate::keys::Position;
use crate::scenario;

/// Most files in a chain.
const MOST_LEVELS: usize = 32;

/// One file of a chain, as a table of keys with its cost profile read.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) path: String,
    pub(crate) at: Position,
    pub(crate) table: Table,
}

/// A file and what it extends, root first.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) layers: Vec<Layer>,
    /// False if a file of the chain is missing: its keys are then unknown.
    pub(crate) complete: bool,
}

/// Reads `path` and its ancestors. None if `path` itself cannot be read.
pub(crate) fn read_chain(
    files: &dyn Files,
    path: &str,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Chain> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut next = Some((path.to_string(), None));
    let mut complete = true;
    while let Some((path, named_at)) = next.take() {
        let Some(mut layer) = read_layer(files, &path, named_at, sources, problems) else {
            complete = false;
            break;
        };
        read_profile(files, &mut layer, sources, problems);
        let directory = files::parent(&layer.path).to_string();
        name_traces(&mut layer.table, &[directory], files, sources, problems);
        let extends = take_extends(&mut layer);
        // One that is no path names a parent all the same.
        complete &= !layer.table.has("extends");
        layers.push(layer);
        if let Some((text, at)) = extends {
            let parent = files::named(parent(&path), &text, files);
            match refuse_chain(&layers, &parent, at) {
                Some(problem) => {
                    problems.push(problem);
                    complete = false;
                }
                None => next = Some((parent, Some((at, text)))),
            }
        }
    }
    layers.reverse();
    (!layers.is_empty()).then_some(Chain { layers, complete })
}

fn read_layer(
    files: &dyn Files,
    path: &str,
    named: Option<(Position, Arc<str>)>,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Layer> {
    let text = match files.read(path, LONGEST_FILE) {
        Ok(text) => text,
        Err(why) => {
            let problem = match named {
                Some((at, text)) => {
                    let found = format!("`extends` is \"{}\": {why}", brief(&text));
                    unreadable(files, path, &text, Problem::new(at, found), &why, A_FILE)
                }
                None => {
                    let at = sources.add(path, None);
                    asked_for(files, path, Problem::new(at, format!("cannot be read: {why}")), &why)
                }
            };
            problems.push(problem);
            return None;
        }
    };
    let at = sources.add(path, Some(text.clone()));
    let node = parse(&text, at, problems)?;
    let Value::Table(table) = node.value else { return None };
    Some(Layer { path: path.to_string(), at, table })
}

/// What to do about a file that the user asked for and that cannot be read.
fn asked_for(files: &dyn Files, path: &str, problem: Problem, why: &Unreadable) -> Problem {
    if *why != Unreadable::Missing {
        return problem.allowed("a TOML file of at most 1MiB");
    }
    let problem = problem.allowed(
        "a scenario's path as it stands, its name in `scenarios/`, or a built-in scenario",
    );
    let near = |folder: &str, shown: &str| {
        let names = files.names(folder);
        // The ending may have been left out.
        let name = nearest(stem(path), names.iter().map(|name| stem(name)))?;
        Some(join(shown, &format!("{name}.toml")))
    };
    match near(parent(path), parent(path)).or_else(|| near("scenarios", "")) {
        Some(name) => problem.advice(format!("did you mean `{name}`?")),
        None => problem.advice(
            "give the path of a file as seen from this folder, or one of those that \
             `sim scenarios` lists",
        ),
    }
}

/// What a scenario or a profile may be.
const A_FILE: &str = "a TOML file of at most 1MiB";

/// What to do about a file that another names; `text` is its path as written, `allowed` what it
/// may be.
pub(crate) fn unreadable(
    files: &dyn Files,
    path: &str,
    text: &str,
    problem: Problem,
    why: &Unreadable,
    allowed: &str,
) -> Problem {
    if *why != Unreadable::Missing {
        return problem.allowed(allowed);
    }
    let problem = problem.allowed("the path of a file, relative to the file that names it");
    // The name may be that of a built-in file.
    let built_in = files.names(&join("scenarios", parent(text)));
    let names = [files.names(parent(path)), built_in].concat();
    let near = nearest(file(path), names.iter().map(String::as_str));
    match near {
        Some(name) => problem.advice(format!("did you mean `{}`?", join(parent(text), name))),
        None => problem,
    }
}

/// Takes `extends` out of the table, if it is a text; the checker refuses anything else.
fn take_extends(layer: &mut Layer) -> Option<(Arc<str>, Position)> {
    let entry = layer.table.get("extends")?;
    let Value::Text(text) = &entry.node.value else { return None };
    let found = (text.clone(), entry.node.at);
    layer.table.remove("extends");
    Some(found)
}

fn refuse_chain(layers: &[Layer], parent: &str, at: Position) -> Option<Problem> {
    if let Some(first) = layers.iter().position(|layer| layer.path == parent) {
        let mut names: Vec<&str> = layers[first..].iter().map(|layer| &*layer.path).collect();
        names.push(parent);
        return Some(
            Problem::new(at, format!("`extends` goes round in a circle: {}", names.join(" -> ")))
                .allowed("a chain of files that ends")
                .advice("let one of these files stand on its own"),
        );
    }
    (layers.len() >= MOST_LEVELS).then(|| {
        Problem::new(at, format!("`extends` goes through more than {MOST_LEVELS} files"))
            .allowed(format!("a chain of at most {MOST_LEVELS} files"))
    })
}

/// Puts the cost profile in the place of its path.
fn read_profile(
    files: &dyn Files,
    layer: &mut Layer,
    sources: &mut Sources,
    problems: &mut Problems,
) {
    let directory = parent(&layer.path).to_string();
    if let Some(entry) = layer.table.get_mut("costs") {
        name_profile(&mut entry.node, &[directory], files, sources, problems);
    }
}

/// If `node` is the path of a profile, as seen from one of `directories`, reads it.
pub(crate) fn name_profile(
    node: &mut Node,
    directories: &[String],
    files: &dyn Files,
    sources: &mut Sources,
    problems: &mut Problems,
) {
    let Value::Text(text) = &node.value else { return };
    let named = |directory: &String| files::named(directory, text, files);
    let paths: Vec<String> = directories.iter().map(named).collect();
    let path = paths.iter().find(|path| files.exists(path)).or(paths.last());
    let Some(path) = path else { return };
    node.value = match files.read(path, LONGEST_FILE) {
        Ok(content) => {
            let at = sources.add(path, Some(content.clone()));
            match parse(&content, at, problems).map(|node| node.value) {
                Some(Value::Table(table)) => Value::Table(with_name(table, stem(path), node.at)),
                _ => Value::Broken,
            }
        }
        Err(why) => {
            let found = format!("`costs` is \"{}\": {why}", brief(text));
            let problem = Problem::new(node.at, found);
            problems.push(unreadable(files, path, text, problem, &why, A_FILE));
            Value::Broken
        }
    };
}

/// A profile is called after its file, and takes the place of any profile of a parent.
pub(crate) fn with_name(mut table: Table, name: &str, at: Position) -> Table {
    if !table.has("name") {
        let node = Node { value: Value::Text(name.into()), at };
        table.entries.insert(0, Entry { key: "name".into(), at, node });
    }
    table.replaces = true;
    table
}

/// The keys of `layers`, later ones over earlier ones.
pub(crate) fn merge_layers(layers: &[Layer]) -> Table {
    let mut merged = Table::default();
    for layer in layers {
        merged
            .entries
            .retain(|entry| scenario::keys().key(&entry.key).is_none_or(|key| key.inherited));
        learned::keep(&mut merged, |merged| {
            merge::merge_tables(merged, layer.table.clone(), scenario::keys());
        });
    }
    merged
}
