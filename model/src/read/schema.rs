//! JSON schemas of both kinds of file, for editors that complete and check TOML.
//!
//! They are read off the table of keys. What a schema cannot say well, such as keys that
//! depend on other keys, is left to the checker: a schema must not refuse what the checker
//! accepts.

use serde_json::{Map, Value, json};

use crate::keys::{Fallback, Key, KeyKind, Only, Section};
use crate::{costs, scenario};

const SPAN_PATTERN: &str = r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(ns|us|µs|ms|s|m|min|h)\s*$";
const RATE_PATTERN: &str =
    r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*/\s*(s|m|min|h)\s*$";
const SIZE_PATTERN: &str = r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*$";
const SHARE_PATTERN: &str = r"^\s*([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*%\s*$";

/// JSON Schema (draft 2020-12) of a scenario file.
pub fn scenario_schema() -> Value {
    let mut schema = section(scenario::keys(), false);
    let required: Vec<&str> = required_keys(scenario::keys()).collect();
    // A file that extends another needs to say no more than what it changes.
    schema["if"] = json!({ "not": { "required": ["extends"] } });
    schema["then"] = json!({ "required": required });
    head(schema, "rung scenario", true)
}

/// JSON Schema (draft 2020-12) of a cost profile file.
pub fn costs_schema() -> Value {
    head(section(costs::keys(), true), "rung cost profile", false)
}

fn head(mut schema: Value, title: &str, with_steps: bool) -> Value {
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    let mut definitions = Map::new();
    definitions.insert("span".into(), span());
    definitions.insert("distribution".into(), distribution());
    if with_steps {
        definitions.insert("step".into(), section(scenario::step_keys(), true));
        definitions.insert("costs".into(), section(costs::keys(), true));
    }
    schema["$defs"] = Value::Object(definitions);
    schema
}

/// A table with fixed keys. `whole` tables have all that they need; others may leave it
/// to the file that they extend.
fn section(section: &'static Section, whole: bool) -> Value {
    let properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_string(), property(key))).collect();
    let mut schema = json!({
        "type": "object",
        "description": section.doc.to_string(),
        "properties": properties,
        "additionalProperties": false,
    });
    let required: Vec<&str> = required_keys(section).collect();
    if whole && !required.is_empty() {
        schema["required"] = json!(required);
    }
    let groups: Vec<Value> = section
        .one_of
        .iter()
        .flat_map(|group| if whole { exactly_one(group) } else { at_most_one(group) })
        .collect();
    if !groups.is_empty() {
        schema["allOf"] = json!(groups);
    }
    schema
}

fn required_keys(section: &'static Section) -> impl Iterator<Item = &'static str> {
    let required = |key: &&Key| matches!(key.fallback, Fallback::Required);
    section.keys.iter().filter(required).map(|key| key.name)
}

fn exactly_one(group: &[&str]) -> Vec<Value> {
    let each: Vec<Value> = group.iter().map(|key| json!({ "required": [key] })).collect();
    vec![json!({ "oneOf": each })]
}

fn at_most_one(group: &[&str]) -> Vec<Value> {
    let pairs = group
        .iter()
        .enumerate()
        .flat_map(|(index, first)| group[index + 1..].iter().map(move |second| [*first, *second]));
    pairs.map(|pair| json!({ "not": { "required": pair } })).collect()
}

fn property(key: &'static Key) -> Value {
    let value = value(key);
    let mut schema = match key.word {
        Some(word) => json!({ "anyOf": [value, { "const": word }] }),
        None => value,
    };
    schema["description"] = json!(description(key));
    if let Some(default) = default(key) {
        schema["default"] = default;
    }
    schema
}

fn description(key: &Key) -> String {
    let mut text = key.doc.to_string();
    if let KeyKind::Choice(words) | KeyKind::Choices(words) = key.kind {
        for word in words {
            text.push_str(&format!("\n- {}: {}", word.word, word.meaning));
        }
    }
    match key.only {
        Only::Always => {}
        Only::With(other) => text.push_str(&format!("\nOnly with `{other}`.")),
        Only::WithEither(one, other) => {
            text.push_str(&format!("\nOnly with `{one}` or `{other}`."));
        }
        Only::When(other, word) => text.push_str(&format!("\nOnly with `{other} = \"{word}\"`.")),
    }
    if let Fallback::Derived(how) = key.fallback {
        text.push_str(&format!("\nDefault: {how}."));
    }
    text
}

fn default(key: &Key) -> Option<Value> {
    match (&key.fallback, key.word) {
        // The defaults are written in the part of TOML that is JSON too.
        (Fallback::Value(text), _) => serde_json::from_str(text).ok(),
        (Fallback::Absent, Some(word)) => Some(json!(word)),
        _ => None,
    }
}

fn value(key: &'static Key) -> Value {
    match &key.kind {
        KeyKind::Flag => json!({ "type": "boolean" }),
        KeyKind::Integer(low, high) => {
            json!({ "type": "integer", "minimum": low, "maximum": high })
        }
        KeyKind::Number(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        KeyKind::Text | KeyKind::Trace => json!({ "type": "string" }),
        KeyKind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        KeyKind::TextMap => json!({ "type": "object", "additionalProperties": {} }),
        KeyKind::Span(_) => json!({ "$ref": "#/$defs/span" }),
        KeyKind::Rate => json!({ "type": "string", "pattern": RATE_PATTERN }),
        KeyKind::Size => json!({ "type": "string", "pattern": SIZE_PATTERN }),
        KeyKind::Share => json!({ "type": "string", "pattern": SHARE_PATTERN }),
        KeyKind::Distribution => json!({ "$ref": "#/$defs/distribution" }),
        KeyKind::Target => json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": RATE_PATTERN },
        ] }),
        KeyKind::Choice(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.word).collect();
            json!({ "enum": words })
        }
        KeyKind::Choices(words) => {
            let words: Vec<&str> = words.iter().map(|word| word.word).collect();
            json!({ "type": "array", "items": { "enum": words } })
        }
        // Tables of a scenario may be completed by the file that it extends.
        KeyKind::Table(below) => section(below(), key.about_file),
        KeyKind::Named(below) => {
            json!({ "type": "object", "additionalProperties": section(below(), false) })
        }
        KeyKind::List(below) if std::ptr::eq(below(), scenario::step_keys()) => {
            json!({ "type": "array", "items": { "$ref": "#/$defs/step" } })
        }
        KeyKind::List(below) => json!({ "type": "array", "items": entry(below()) }),
        KeyKind::Profile(_) => json!({ "anyOf": [
            { "type": "string" },
            { "$ref": "#/$defs/costs" },
        ] }),
    }
}

/// An entry of a list: one with a name may change the parent's of that name, and needs
/// no more than the name.
fn entry(below: &'static Section) -> Value {
    let mut schema = section(below, !below.is_named());
    if below.is_named() {
        schema["required"] = json!(["name"]);
    }
    schema
}

fn span() -> Value {
    json!({
        "type": "string",
        "description": "A length of time with its unit, as in \"250ms\".",
        "pattern": SPAN_PATTERN,
    })
}

fn distribution() -> Value {
    let span = json!({ "$ref": "#/$defs/span" });
    let point = |what: &str| json!({ "$ref": "#/$defs/span", "description": what });
    let table = |what: &str, properties: Value| {
        json!({
            "type": "object",
            "description": what,
            "properties": properties,
            "additionalProperties": false,
        })
    };
    json!({
        "description": "How long something takes: a time, or a table { p50, p99 }, { mean }, { low, high } or { quantiles }.",
        "anyOf": [
            span,
            table("Lognormal through both points.", json!({
                "p50": point("Half of all are shorter."),
                "p99": point("99 of 100 are shorter."),
            })),
            table("Exponential.", json!({ "mean": point("Mean.") })),
            table("Uniform.", json!({ "low": point("Shortest."), "high": point("Longest.") })),
            table("Measured quantiles, joined by straight lines.", json!({ "quantiles": {
                "type": "object",
                "description": "From p0 to p100, rising.",
                "patternProperties": { "^p[0-9.]+$": { "$ref": "#/$defs/span" } },
                "additionalProperties": false,
            } })),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
        match schema {
            Value::Object(map) => {
                if let Some(Value::Object(names)) = map.get("properties") {
                    found.extend(names.keys().map(String::as_str));
                }
                map.values().for_each(|value| properties(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| properties(value, found)),
            _ => {}
        }
    }

    fn keys(section: &'static Section, depth: u32, found: &mut Vec<&'static Key>) {
        for key in section.keys {
            found.push(key);
            if let Some(below) = key.kind.section().filter(|_| depth > 0) {
                keys(below, depth - 1, found);
            }
        }
    }

    #[test]
    fn every_key_of_the_table_is_in_the_schema_with_its_sentence() {
        for (schema, root) in
            [(scenario_schema(), scenario::keys()), (costs_schema(), costs::keys())]
        {
            let (mut names, mut wanted) = (Vec::new(), Vec::new());
            properties(&schema, &mut names);
            keys(root, 5, &mut wanted);
            for key in wanted {
                assert!(names.contains(&key.name), "{}", key.name);
                assert!(key.doc.to_string().ends_with('.'), "{}: {}", key.name, key.doc);
                let written = matches!(key.fallback, Fallback::Value(_));
                assert_eq!(written, written && default(key).is_some(), "{}", key.name);
            }
        }
    }

    #[test]
    fn every_reference_of_a_schema_leads_somewhere() {
        fn references(schema: &Value, found: &mut Vec<String>) {
            match schema {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_string));
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        for schema in [scenario_schema(), costs_schema()] {
            let mut found = Vec::new();
            references(&schema, &mut found);
            assert!(!found.is_empty());
            for reference in found {
                let pointer = reference.trim_start_matches('#');
                assert!(schema.pointer(pointer).is_some(), "{reference}");
            }
        }
    }
}
