//! Every key of every built-in scenario in a wrong place: what the reader says about it.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, Table};

use super::{Diagnostics, builtin, load_texts};
use crate::scenario;

/// Places that a key is moved to.
const PLACES: [&str; 5] = ["", "load", "service", "cpu", "database"];

/// Paths of the keys that hold a value, `endpoint` with its first entry.
fn keys(table: &Table, path: &[String], all: &mut Vec<Vec<String>>) {
    for (key, item) in table {
        let path = [path, &[key.to_string()]].concat();
        match item {
            Item::Table(below) => keys(below, &path, all),
            Item::ArrayOfTables(tables) => {
                if let Some(first) = tables.get(0) {
                    keys(first, &path, all);
                }
            }
            _ => all.push(path),
        }
    }
}

fn table<'d>(table: &'d mut Table, path: &[String]) -> Option<&'d mut Table> {
    path.iter().try_fold(table, |table, name| match table.get_mut(name)? {
        Item::Table(below) => Some(below),
        Item::ArrayOfTables(tables) => tables.get_mut(0),
        _ => None,
    })
}

/// The problems of the built-in `file` after its key `path` has been moved to `place`. None if `place`
/// has a key of that name too, or is not written as a table.
fn moved(file: &str, text: &str, path: &[String], place: &str) -> Option<Diagnostics> {
    let (name, above) = path.split_last()?;
    let wrong: Vec<&str> = [place, name].into_iter().filter(|name| !name.is_empty()).collect();
    if scenario::keys().kind_of(&wrong).is_some() || above.join(".") == place {
        return None;
    }
    let mut document: DocumentMut = text.parse().ok()?;
    let item = table(document.as_table_mut(), above)?.remove(name)?;
    if place.is_empty() {
        document.as_table_mut().insert(name, item);
    } else {
        let place = document.as_table_mut().entry(place).or_insert(Item::Table(Table::new()));
        place.as_table_mut()?.insert(name, item);
    }
    let texts: Vec<(String, String)> = builtin()
        .map(|(path, text)| (format!("scenarios/{path}"), text.to_string()))
        .chain([(format!("scenarios/{file}"), document.to_string())])
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (&**path, &**text)).collect();
    load_texts(&format!("scenarios/{file}"), &texts, &[]).err()
}

#[test]
fn a_key_in_a_wrong_place_is_named_with_its_line_and_a_way_out() {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for (file, text) in builtin().filter(|(file, _)| !file.starts_with("costs/")) {
        let document: DocumentMut = text.parse().expect("a built-in scenario");
        let mut all = Vec::new();
        keys(document.as_table(), &[], &mut all);
        for path in all {
            for place in PLACES {
                // One of each kind is enough: files are much alike.
                let name = path.last().expect("a name");
                if !seen.insert((name.clone(), place)) {
                    continue;
                }
                let Some(refused) = moved(file, text, &path, place) else { continue };
                count += 1;
                let about = refused.diagnostics.iter().find(|problem| {
                    problem.found.starts_with("unknown key")
                        && problem.found.ends_with(&format!("{name}`"))
                        && problem.line.is_some()
                });
                let about = about.unwrap_or_else(|| panic!("{path:?} to {place}:\n{refused}"));
                assert!(about.advice.is_some(), "{path:?} to `{place}`:\n{refused}");
            }
        }
    }
    assert!(count > 100, "{count}");
}
