//! A scenario that extends another and changes some of its keys, as the text of a file.

use std::collections::BTreeMap;

use super::item::{Part, find, is_item, parts};
use crate::keys::{Fields, path, quote, quote_key};

/// The text of a file that extends the file at `parent` and gives each of `keys` the value that it has
/// in `changed`. None if one of them is no key of it.
pub(super) fn child(changed: &Fields, parent: &str, keys: &[String]) -> Option<String> {
    let mut lines = Vec::new();
    let mut lists: BTreeMap<String, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for key in keys {
        let parts = whole(parts(key)?);
        let value = find(changed, &parts)?.print();
        let names: Vec<&str> = parts.iter().filter_map(name).collect();
        // An endpoint is an entry of a list, which a file names by its `name`.
        match names[..] {
            ["endpoint", name, ref rest @ ..] if !rest.is_empty() => {
                let line = format!("{} = {value}", path(rest));
                let entries = lists.entry("endpoint".into()).or_default();
                match entries.iter_mut().find(|(known, _)| known == name) {
                    Some((_, lines)) if lines.contains(&line) => {}
                    Some((_, lines)) => lines.push(line),
                    None => entries.push((name.to_string(), vec![line])),
                }
            }
            ["load", "group", ..] => {
                let group = [Part::Name("load".into()), Part::Name("group".into())];
                push(&mut lines, format!("load.group = {}", find(changed, &group)?.print()));
            }
            _ => push(&mut lines, format!("{} = {value}", path(&names))),
        }
    }
    let mut text = format!("extends = {}\n", quote(parent));
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    for (list, entries) in lists {
        for (name, lines) in entries {
            text.push_str(&format!("\n[[{}]]\nname = {}\n", quote_key(&list), quote(&name)));
            lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
    }
    Some(text)
}

/// A key that leads through an item of a list stands for the whole list: a file can change no single
/// item.
fn whole(parts: Vec<Part>) -> Vec<Part> {
    match is_item(&parts) {
        true => parts.into_iter().take_while(|part| matches!(part, Part::Name(_))).collect(),
        false => parts,
    }
}

fn name(part: &Part) -> Option<&str> {
    match part {
        Part::Name(name) => Some(name),
        Part::Index(_) => None,
    }
}

fn push(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}
