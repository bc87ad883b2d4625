//! The resolved scenario as one file, every default filled in.

use std::fmt::Write;

use crate::keys::{Field, Fields, Origin, Typed, quote_key};

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
        Typed::List(entries) => key == "endpoint" && !entries.is_empty(),
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
