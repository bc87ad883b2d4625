//! The resolved scenario as one file, every default filled in.

use std::fmt::Write;

use crate::keys::{Field, Fields, Origin, Typed, quote, quote_key};

/// The tree with each trace in a file of its own, whose name and text are given too.
pub(crate) fn to_files(root: &Fields) -> (String, Vec<(String, String)>) {
    let (mut root, mut files) = (root.clone(), Vec::new());
    for load in loads(&mut root) {
        for field in &mut load.fields {
            if let Typed::Trace(written) = &field.value.value {
                let name = match files.len() {
                    0 => "trace.csv".to_string(),
                    before => format!("trace-{}.csv", before + 1),
                };
                files.push((name.clone(), written.trace.text()));
                field.value.value = Typed::Text(name);
            }
        }
    }
    (to_toml(&root), files)
}

/// The tree as the service under a load needs it: arrivals come at any rate.
pub(crate) fn to_service_toml(root: &Fields) -> String {
    let mut root = root.clone();
    for load in loads(&mut root) {
        for field in &mut load.fields {
            if let Typed::Trace(_) = field.value.value {
                field.key = "rate".into();
                field.value.value = Typed::Rate(1.0);
                // What the trace implied.
                load.fields
                    .iter_mut()
                    .filter(|field| field.key == "duration")
                    .for_each(|field| field.value.origin = Origin::Written);
                break;
            }
        }
    }
    to_toml(&root)
}

/// The load and its groups.
fn loads(root: &mut Fields) -> Vec<&mut Fields> {
    let Some(load) = root.table_mut("load") else { return Vec::new() };
    match load.has("group") {
        true => load.list_mut("group").iter_mut().collect(),
        false => vec![load],
    }
}

/// The whole tree as TOML.
pub(crate) fn to_toml(root: &Fields) -> String {
    let mut out = String::new();
    // The group of knobs is about the difference from a parent, and this file has none.
    let shown = |field: &&Field| field.key != "knob";
    let (tables, values): (Vec<&Field>, Vec<&Field>) = root
        .fields
        .iter()
        .filter(shown)
        .partition(|field| is_block(&field.key, &field.value.value));
    values.iter().for_each(|field| line(&mut out, field));
    for field in tables {
        match &field.value.value {
            Typed::Table(fields) => {
                let deep = matches!(&*field.key, "costs" | "upstream");
                block(&mut out, &quote_key(&field.key), fields, deep);
            }
            Typed::List(entries) => {
                for entry in entries {
                    let _ = write!(out, "\n[[{}]]\n", quote_key(&field.key));
                    entry.fields.iter().for_each(|field| line(&mut out, field));
                }
            }
            _ => {}
        }
    }
    out
}

fn is_block(key: &str, value: &Typed) -> bool {
    match value {
        Typed::Table(_) => true,
        Typed::List(entries) => {
            matches!(key, "endpoint" | "learned" | "objective") && !entries.is_empty()
        }
        _ => false,
    }
}

/// A table under its own header; tables inside it too, if `deep`.
fn block(out: &mut String, path: &str, fields: &Fields, deep: bool) {
    let (tables, values): (Vec<&Field>, Vec<&Field>) = fields
        .fields
        .iter()
        .filter(|field| field.value.origin != Origin::Implied)
        .partition(|field| deep && matches!(field.value.value, Typed::Table(_)));
    if !values.is_empty() {
        let _ = write!(out, "\n[{path}]\n");
        values.iter().for_each(|field| line(out, field));
    }
    for field in tables {
        if let Typed::Table(inner) = &field.value.value {
            block(out, &format!("{path}.{}", quote_key(&field.key)), inner, true);
        }
    }
}

fn line(out: &mut String, field: &Field) {
    let key = quote_key(&field.key);
    match &field.value.value {
        Typed::Trace(written) => {
            // Each arrival on its own line, as in a file of its own.
            let _ = writeln!(out, "{key} = \"\"\"");
            for text in written.trace.text().lines().map(quote) {
                let _ = writeln!(out, "{}", &text[1..text.len() - 1]);
            }
            let _ = writeln!(out, "\"\"\"");
        }
        Typed::List(entries) if entries.len() > 1 => {
            let _ = writeln!(out, "{key} = [");
            for entry in entries {
                let _ = writeln!(out, "  {},", entry.print());
            }
            let _ = writeln!(out, "]");
        }
        value => {
            let _ = writeln!(out, "{key} = {}", value.print());
        }
    }
}
