//! The group of keys that counts as one change of its rung.

use crate::keys::{Fields, names, read_field};
use crate::read::diagnostic::{Problem, Problems, brief, did_you_mean};
use crate::scenario;

/// Refuses keys of a group that no file can have.
pub(super) fn check(root: &Fields, problems: &mut Problems) {
    let Some(table) = root.table("knob") else { return };
    let keys: Vec<String> = read_field(table, "keys", &[]).unwrap_or_default();
    for text in &keys {
        let known = names(text).and_then(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            scenario::keys().kind_of(&names)
        });
        if known.is_none() {
            let paths = scenario::keys().paths();
            problems.push(
                Problem::new(
                    table.position("keys"),
                    format!("`knob.keys` has \"{}\", which is no key", brief(text)),
                )
                .allowed("keys of a scenario, as in \"database.journal_mode\"")
                .maybe_advice(did_you_mean(text, paths.iter().map(String::as_str))),
            );
        }
    }
}
