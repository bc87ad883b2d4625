//! The published schemas against real files: an editor must not underline what loads.

use std::fs;
use std::path::{Path, PathBuf};

use model::read::{costs_schema, load, scenario_schema};
use serde_json::{Value, json};
use tests::wrong::wrong_files;

/// The first thing that `value` has against `schema`, as far as rung's schemas go.
fn violation(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let here = |what: &str| Some(format!("{what}: {value}"));
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        if let Some(why) = violation(value, target, root) {
            return Some(why);
        }
    }
    if schema["type"].as_str().is_some_and(|wanted| !is_of_type(value, wanted)) {
        return here(&format!("not of type {}", schema["type"]));
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        return here(&format!("not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return here(&format!("not one of {}", schema["enum"]));
    }
    if let (Some(number), Some(low)) = (value.as_f64(), schema["minimum"].as_f64())
        && number < low
    {
        return here(&format!("below {low}"));
    }
    if let (Some(number), Some(high)) = (value.as_f64(), schema["maximum"].as_f64())
        && number > high
    {
        return here(&format!("above {high}"));
    }
    if let (Some(text), Some(pattern)) = (value.as_str(), schema["pattern"].as_str())
        && !matches(pattern, text)
    {
        return here(&format!("does not match {pattern}"));
    }
    in_object(value, schema, root)
        .or_else(|| in_array(value, schema, root))
        .or_else(|| in_combination(value, schema, root))
}

fn is_of_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("a type that rung's schemas do not use: {other}"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    regex_lite::Regex::new(pattern).expect("a pattern").is_match(text)
}

fn in_object(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let object = value.as_object()?;
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().expect("a name");
        if !object.contains_key(key) {
            return Some(format!("`{key}` is missing: {value}"));
        }
    }
    for (key, inner) in object {
        let by_pattern = schema["patternProperties"]
            .as_object()
            .and_then(|patterns| patterns.iter().find(|(pattern, _)| matches(pattern, key)));
        let described = schema["properties"].get(key).or(by_pattern.map(|(_, schema)| schema));
        let why = match (described, schema.get("additionalProperties")) {
            (Some(described), _) => violation(inner, described, root),
            (None, Some(Value::Bool(false))) => Some(format!("unknown key: {value}")),
            (None, Some(others)) => violation(inner, others, root),
            (None, None) => None,
        };
        if let Some(why) = why {
            return Some(format!("{key}: {why}"));
        }
    }
    None
}

fn in_array(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let items = schema.get("items")?;
    value.as_array()?.iter().find_map(|item| violation(item, items, root))
}

fn in_combination(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let holds = |schema: &Value| violation(value, schema, root).is_none();
    let all = schema["allOf"].as_array().into_iter().flatten();
    if let Some(why) = all.into_iter().find_map(|schema| violation(value, schema, root)) {
        return Some(why);
    }
    if schema["anyOf"].as_array().is_some_and(|any| !any.iter().any(holds)) {
        return Some(format!("none of {}: {value}", schema["anyOf"]));
    }
    if let Some(one) = schema["oneOf"].as_array()
        && one.iter().filter(|schema| holds(schema)).count() != 1
    {
        return Some(format!("not exactly one of {}: {value}", schema["oneOf"]));
    }
    if schema.get("not").is_some_and(holds) {
        return Some(format!("what must not be: {value}"));
    }
    let then = schema.get("if").filter(|condition| holds(condition)).and(schema.get("then"))?;
    violation(value, then, root)
}

fn to_json(item: &toml_edit::Item) -> Value {
    use toml_edit::{Item, Value as Toml};
    fn of_value(value: &Toml) -> Value {
        match value {
            Toml::String(text) => json!(text.value()),
            Toml::Integer(integer) => json!(integer.value()),
            Toml::Float(number) => json!(number.value()),
            Toml::Boolean(flag) => json!(flag.value()),
            Toml::Datetime(date) => json!(date.value().to_string()),
            Toml::Array(array) => array.iter().map(of_value).collect(),
            Toml::InlineTable(table) => {
                table.iter().map(|(key, value)| (key.to_string(), of_value(value))).collect()
            }
        }
    }
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => {
            table.iter().map(|(key, item)| (key.to_string(), to_json(item))).collect()
        }
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| to_json(&Item::Table(table.clone()))).collect()
        }
    }
}

fn parse(text: &str) -> Value {
    let document: toml_edit::Document<String> = text.parse().expect("TOML");
    to_json(document.as_item())
}

fn toml_files(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files
}

fn assert_valid(value: &Value, schema: &Value, name: &Path) {
    if let Some(why) = violation(value, schema, schema) {
        panic!("{} against its schema: {why}", name.display());
    }
}

#[test]
fn every_scenario_and_its_resolved_form_fit_the_schema() {
    let schema = scenario_schema();
    for path in toml_files("../scenarios").iter().chain([&PathBuf::from("wrong/parts/base.toml")]) {
        assert_valid(&parse(&fs::read_to_string(path).expect("a file")), &schema, path);
        let resolved = load(path, &[]).unwrap_or_else(|problems| panic!("{problems}"));
        assert_valid(&parse(&resolved.to_toml()), &schema, path);
    }
}

#[test]
fn every_cost_profile_fits_the_schema() {
    let schema = costs_schema();
    for path in toml_files("../scenarios/costs") {
        assert_valid(&parse(&fs::read_to_string(&path).expect("a file")), &schema, &path);
    }
}

#[test]
fn the_schema_sees_what_an_editor_should_underline() {
    let schema = scenario_schema();
    let cases: Vec<_> = wrong_files().into_iter().flat_map(|(_, cases)| cases).collect();
    for wrong in [
        "unknown-key",
        "unknown-table",
        "unknown-key-of-step",
        "wrong-unit",
        "no-unit",
        "wrong-type",
        "table-for-value",
        "out-of-range",
        "unknown-choice",
        "two-steps-in-one",
        "users-and-rate",
        "no-costs",
        "empty",
        "many",
    ] {
        let case = cases.iter().find(|case| case.name == wrong).expect("a wrong scenario");
        assert!(
            violation(&parse(&case.text), &schema, &schema).is_some(),
            "{wrong} fits the schema"
        );
    }
}

#[test]
fn answers_fit_their_schemas() {
    let json = |words: &str| -> Value {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        sim::cli::run(words.split_whitespace(), &mut out, &mut err);
        serde_json::from_slice(&out).expect("JSON")
    };
    let shop = "golden/cli/shop-async.toml --format json";
    for (document, words) in [
        ("report", "sim scenario --replications 2 --over-time --keep p99<1s"),
        ("explanation", "sim explain --replications 2"),
        ("ladder", "sim ladder --replications 2"),
        ("size", "sim size --set cpu.speed=0.05 --keep p90<1s"),
        ("choice", "sim size --choose service.workers=1,2 --users 2 --keep p90<5s"),
        ("sweep", "sim sweep --vary load.users=1,2 --replications 2"),
    ] {
        let schema = json(&format!("sim schema {document}"));
        let answer = json(&format!("{words} {shop}"));
        assert_valid(&answer, &schema, Path::new(document));
        // What is missing is seen.
        let mut less = answer;
        less.as_object_mut().expect("a document").remove("scenario");
        assert!(violation(&less, &schema, &schema).is_some(), "{document}");
    }
}

#[test]
fn the_manual_is_made_from_the_declarations() {
    testkit::golden("../docs/scenario.md", &model::read::manual());
}
