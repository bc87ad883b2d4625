//! The group of keys that counts as one change of its rung.

use super::diagnostic::{Problem, Problems, brief, did_you_mean};
use crate::keys::{Fields, Section, read_field};
use crate::scenario;

/// Refuses keys of a group that no file can have.
pub(crate) fn check(root: &Fields, problems: &mut Problems) {
    let Some(table) = root.table("knob") else { return };
    let keys: Vec<String> = read_field(table, "keys", &[]).unwrap_or_default();
    for text in &keys {
        let known = toml_edit::Key::parse(text).is_ok_and(|names| {
            let names: Vec<&str> = names.iter().map(toml_edit::Key::get).collect();
            scenario::keys().kind_of(&names).is_some()
        });
        if !known {
            let mut names = Vec::new();
            collect(scenario::keys(), "", 2, &mut names);
            problems.push(
                Problem::new(
                    table.position("keys"),
                    format!("`knob.keys` has \"{}\", which is no key", brief(text)),
                )
                .allowed("keys of a scenario, as in \"database.journal_mode\"")
                .maybe_advice(did_you_mean(text, names.iter().map(String::as_str))),
            );
        }
    }
}

fn collect(section: &'static Section, prefix: &str, depth: u32, names: &mut Vec<String>) {
    for key in section.keys {
        let name = format!("{prefix}{}", key.name);
        if let Some(below) = key.kind.section().filter(|_| depth > 0) {
            collect(below, &format!("{name}."), depth - 1, names);
        }
        names.push(name);
    }
}
