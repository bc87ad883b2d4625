//! Requests of an OpenAPI document, versions 3.0 and 3.1.
//!
//! Read as plain JSON: a schema's `example`, `default`, `enum` and bounds say which values a
//! parameter may have, and the crates for these documents know version 3.0 alone.

use model::request::{Listed, Method};
use serde_json::Value;

/// Largest number of a parameter that says nothing of its bounds.
const NUMBERS: u64 = 100;

/// What a document asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What can be sent.
    pub requests: Vec<Listed>,
    /// What was left out, or made up, in whole sentences.
    pub notes: Vec<String>,
}

/// The requests of the document in `text`: those that only read, and with `writes` all others.
///
/// # Errors
/// It is no such document.
pub fn requests(text: &str, writes: bool) -> Result<Found, String> {
    let document: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let version = document["openapi"].as_str().unwrap_or_default();
    if !version.starts_with("3.") {
        return Err("it has no `openapi` of version 3; write the requests into a file for \
                    --requests"
            .into());
    }
    let mut found = Found::default();
    let mut left_out = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (name, operation) in item.as_object().into_iter().flatten() {
            let Some(method) = Method::from_name(name) else { continue };
            if !method.is_safe() && !writes {
                left_out.push(format!("{} {path}", method.as_str()));
                continue;
            }
            if matches!(method, Method::Get) || !method.is_safe() {
                found.request(&document, path, item, method, operation);
            }
        }
    }
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        found.notes.push(format!("Left out, since they may change something: {names}."));
    }
    Ok(found)
}

impl Found {
    fn request(&mut self, document: &Value, path: &str, item: &Value, method: Method, of: &Value) {
        let name = format!("{} {path}", method.as_str());
        let mut filled = path.to_string();
        let mut query = Vec::new();
        let mut headers = std::collections::BTreeMap::new();
        let own = of["parameters"].as_array().into_iter().flatten();
        for parameter in own.chain(item["parameters"].as_array().into_iter().flatten()) {
            let parameter = follow(document, parameter);
            let Some(key) = parameter["name"].as_str() else { continue };
            let place = parameter["in"].as_str().unwrap_or_default();
            let needed = parameter["required"].as_bool().unwrap_or(place == "path");
            if !needed {
                continue;
            }
            let (value, known) = value(document, parameter);
            if !known {
                self.notes.push(format!(
                    "{name}: the document does not say which values `{key}` has; {value} is sent. \
                     Give the true ones in a file for --requests."
                ));
            }
            match place {
                "path" => filled = filled.replace(&format!("{{{key}}}"), &value),
                "query" => query.push(format!("{}={value}", escaped(key))),
                "header" => drop(headers.insert(key.to_string(), value)),
                _ => {}
            }
        }
        if !query.is_empty() {
            filled = format!("{filled}?{}", query.join("&"));
        }
        let content = &follow(document, &of["requestBody"])["content"]["application/json"];
        let body = content.is_object().then(|| {
            headers.entry("content-type".into()).or_insert_with(|| "application/json".into());
            let schema = follow(document, &content["schema"]);
            let example = [&content["example"], &schema["example"]];
            let example = example.into_iter().find(|it| !it.is_null()).cloned();
            example.unwrap_or_else(|| sample(document, schema, 0)).to_string()
        });
        // One that was given above is written there too.
        if self.requests.iter().any(|request| request.title() == name) {
            return;
        }
        self.requests.push(Listed {
            name: Some(name),
            weight: 1.0,
            method,
            path: filled,
            headers,
            body,
            safe: !method.is_safe(),
        });
    }
}

/// What a `$ref` within the document stands for.
fn follow<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    // Longer chains go round in a circle.
    for _ in 0..8 {
        let Some(path) = value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) else {
            break;
        };
        value = document.pointer(path).unwrap_or(&Value::Null);
    }
    value
}

/// The text of a parameter, and whether the document says which values it may have.
fn value(document: &Value, parameter: &Value) -> (String, bool) {
    let schema = follow(document, &parameter["schema"]);
    let examples = parameter["examples"].as_object().and_then(|all| all.values().next());
    let candidates = [
        &parameter["example"],
        examples.map_or(&Value::Null, |example| &example["value"]),
        &schema["example"],
        &schema["examples"][0],
        &schema["default"],
        &schema["const"],
    ];
    let words = schema["enum"].as_array().map(|words| words.iter().map(plain).collect::<Vec<_>>());
    match words.as_deref() {
        Some([word]) => return (word.clone(), true),
        Some(words) if !words.is_empty() => return (format!("{{{}}}", words.join("|")), true),
        _ => {}
    }
    if let Some(given) = candidates.into_iter().find(|value| !value.is_null()) {
        return (plain(given), true);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match (kind, schema["format"].as_str()) {
        (Some("integer" | "number"), _) => {
            let bound = |names: [&str; 2], step: i64| {
                let exclusive = schema[names[1]].as_i64().map(|bound| bound + step);
                schema[names[0]].as_i64().or(exclusive)
            };
            let low = bound(["minimum", "exclusiveMinimum"], 1).unwrap_or(1).max(0) as u64;
            let most = bound(["maximum", "exclusiveMaximum"], -1);
            let high = most.map_or(low.max(NUMBERS), |most| most.max(0) as u64).max(low);
            (format!("{{{low}..{high}}}"), most.is_some())
        }
        (_, Some("uuid")) => ("{uuid}".into(), false),
        (Some("boolean"), _) => ("{true|false}".into(), true),
        _ => ("1".into(), false),
    }
}

/// A value of a schema, for a body.
fn sample(document: &Value, schema: &Value, depth: u32) -> Value {
    let schema = follow(document, schema);
    let given =
        [&schema["example"], &schema["examples"][0], &schema["default"], &schema["enum"][0]];
    if let Some(given) = given.into_iter().find(|value| !value.is_null()) {
        return given.clone();
    }
    let branch = ["anyOf", "oneOf", "allOf"].iter().find(|key| schema[**key].is_array());
    if let Some(branch) = branch {
        return sample(document, &schema[*branch][0], depth + 1);
    }
    match schema["type"].as_str() {
        Some("object") if depth < 8 => {
            let needed = schema["required"].as_array().into_iter().flatten();
            let pairs = needed.filter_map(Value::as_str).map(|key| {
                (key.to_string(), sample(document, &schema["properties"][key], depth + 1))
            });
            Value::Object(pairs.collect())
        }
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).into(),
        Some("boolean") => true.into(),
        Some("array") => Value::Array(Vec::new()),
        Some("null") | None => Value::Null,
        _ => "text".into(),
    }
}

fn plain(value: &Value) -> String {
    escaped(&value.as_str().map_or_else(|| value.to_string(), String::from))
}

/// `text` as it may stand in a path, a query and a template.
fn escaped(text: &str) -> String {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let sign =
        |byte: u8| if known(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As FastAPI writes it.
    const DOCUMENT: &str = r##"{
        "openapi": "3.1.0",
        "paths": {
            "/items/{item_id}": {
                "get": { "parameters": [
                    { "name": "item_id", "in": "path", "required": true,
                      "schema": { "type": "integer", "maximum": 5000, "exclusiveMinimum": 0 } },
                    { "name": "q", "in": "query", "required": false, "schema": { "type": "string" } },
                    { "name": "sort", "in": "query", "required": true,
                      "schema": { "$ref": "#/components/schemas/Sort" } } ] },
                "delete": {}
            },
            "/users/{slug}": { "get": { "parameters": [
                { "name": "slug", "in": "path", "required": true, "schema": { "type": "string" } } ] } },
            "/orders": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Order" } } } } } }
        },
        "components": { "schemas": {
            "Sort": { "enum": ["up", "down"], "type": "string" },
            "Order": { "type": "object", "required": ["item", "count"], "properties": {
                "item": { "type": "integer", "minimum": 3 }, "count": { "type": "integer" },
                "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] } } }
        } }
    }"##;

    #[test]
    fn what_only_reads_is_asked_with_values_that_the_document_allows() {
        let found = requests(DOCUMENT, false).expect("a document");
        let paths: Vec<&str> = found.requests.iter().map(|request| &*request.path).collect();
        assert_eq!(paths, ["/items/{1..5000}?sort={up|down}", "/users/1"]);
        assert_eq!(found.requests[0].title(), "GET /items/{item_id}");
        assert!(found.notes[0].contains("`slug`"), "{:?}", found.notes);
        assert!(found.notes[1].contains("DELETE /items/{item_id}, POST /orders"));
    }

    #[test]
    fn writes_are_asked_where_they_may_be() {
        let found = requests(DOCUMENT, true).expect("a document");
        let order = found.requests.iter().find(|request| request.path == "/orders").expect("it");
        assert_eq!(order.body.as_deref(), Some(r#"{"count":1,"item":3}"#));
        assert!(order.safe && order.headers["content-type"] == "application/json");
    }

    #[test]
    fn other_documents_are_refused() {
        assert!(requests("{", false).is_err());
        assert!(requests(r#"{"swagger": "2.0"}"#, false).is_err());
    }
}
