//! The description of the paths, as OpenAPI 3.1: schemas are those that `sim schema` prints, and that of a
//! question is read off its fields.

use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::OPERATIONS;
use super::question::{ONLY, Question};

/// What a path is for, and the name of its answer's schema.
fn about(operation: &str) -> (&'static str, &'static str, &'static str) {
    match operation {
        "explain" => ("Explanation", "Why?", "The answer of `sim explain --format json`."),
        "size" => {
            ("Size", "How much load does it take?", "The answer of `sim size --format json`.")
        }
        "ladder" => {
            ("Ladder", "What did each change buy?", "The answer of `sim ladder --format json`.")
        }
        _ => ("Report", "What would happen?", "The answer of `sim scenario --format json`."),
    }
}

/// The whole document.
pub(super) fn description() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        paths.insert(format!("/{operation}"), json!({ "post": question(operation) }));
    }
    paths.insert("/openapi.json".into(), read("description", "This document", "application/json"));
    paths.insert("/metrics".into(), read("metrics", "Numbers for Prometheus", "text/plain"));
    let mut health = read("health", "Whether the server answers", "text/plain");
    // The one path that needs no token.
    health["get"]["security"] = json!([{}]);
    health["get"]["responses"].as_object_mut().expect("responses").remove("401");
    paths.insert("/healthz".into(), health);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "sim serve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Predictions of what a web service will do, from a scenario.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        // Without tokens, on this machine alone, none is needed.
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": problems(),
            "schemas": schemas(),
        },
    })
}

/// A question for an operation.
fn question(operation: &str) -> Value {
    let (answer, summary, description) = about(operation);
    let mut responses = json!({
        "200": {
            "description": description,
            "content": { "application/json": { "schema": schema(answer) } },
        },
    });
    for (status, name, _, _) in PROBLEMS {
        responses[status] = json!({ "$ref": format!("#/components/responses/{name}") });
    }
    let example = json!({
        "scenario": { "extends": "v6.toml" },
        "set": ["service.workers=4"],
        "keep": ["p99 < 45s"],
    });
    let mut body = json!({ "schema": schema(&name_of(operation)) });
    if operation != "ladder" {
        body["example"] = example;
    }
    json!({
        "operationId": operation,
        "summary": summary,
        "requestBody": { "required": true, "content": { "application/json": body } },
        "responses": responses,
    })
}

/// A path that is only read.
fn read(id: &str, summary: &str, kind: &str) -> Value {
    let schema = if kind == "application/json" { json!({}) } else { json!({ "type": "string" }) };
    let content = json!({ kind: { "schema": schema } });
    json!({ "get": {
        "operationId": id,
        "summary": summary,
        "responses": {
            "200": { "description": summary, "content": content },
            "401": { "$ref": "#/components/responses/NoToken" },
            "403": { "$ref": "#/components/responses/Foreign" },
        },
    } })
}

/// Replies without an answer: status, name, meaning, and whether one may try again.
const PROBLEMS: [(&str, &str, &str, bool); 10] = [
    ("400", "NoQuestion", "The body is no JSON, or no question for this path.", false),
    ("401", "NoToken", "A token is needed, and none of those that are known was shown.", false),
    ("403", "Foreign", "Without tokens, requests of this machine alone are answered.", false),
    ("408", "Slow", "The body did not arrive in time.", false),
    ("413", "TooLong", "The body is too long.", false),
    ("415", "NoJson", "The body is not sent as application/json.", false),
    (
        "422",
        "Refused",
        "The scenario is wrong (every error is listed), a run does not come to its end, or the question \
         asks for more events or memory than are allowed.",
        false,
    ),
    ("429", "Busy", "As many questions wait as may wait.", true),
    ("500", "Bug", "The program failed.", false),
    ("503", "Late", "The answer takes too long, or the server ends.", true),
];

fn problems() -> Value {
    let all = PROBLEMS.iter().map(|(_, name, description, again)| {
        let content = json!({ "application/problem+json": { "schema": schema("Problem") } });
        let mut response = json!({ "description": description, "content": content });
        if *again {
            response["headers"] = json!({ "Retry-After": {
                "description": "Seconds after which it is worth while to ask again.",
                "schema": { "type": "integer", "minimum": 1 },
            } });
        }
        (name.to_string(), response)
    });
    Value::Object(all.collect())
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The name of the schema of an operation's question: `PredictQuestion`.
fn name_of(operation: &str) -> String {
    let (first, rest) = operation.split_at(1);
    format!("{}{rest}Question", first.to_uppercase())
}

fn schemas() -> Value {
    let mut all = Map::new();
    let answers = [
        ("Report", model::report::schema()),
        ("Explanation", crate::explain::schema()),
        ("Size", model::report::size_schema()),
        ("Ladder", render::ladder::schema()),
        ("Scenario", model::read::scenario_schema()),
        ("Costs", model::read::costs_schema()),
    ];
    for (name, schema) in answers {
        all.insert(name.into(), inside(schema, name));
    }
    for operation in OPERATIONS {
        let name = name_of(operation);
        all.insert(name.clone(), inside(fields(operation), &name));
    }
    all.insert("Problem".into(), problem());
    Value::Object(all)
}

/// The schema of a question without the fields that are not for this operation. A scenario as an object
/// has the keys of a file.
fn fields(operation: &str) -> Value {
    let mut schema = schema_for!(Question).to_value();
    let fields = schema["properties"].as_object_mut().expect("a question has fields");
    for (field, of) in ONLY {
        if !of.contains(&operation) {
            fields.remove(field);
        }
    }
    let description = fields["scenario"]["description"].take();
    fields["scenario"] = json!({ "anyOf": [{ "type": "string" }, self::schema("Scenario")] });
    fields["scenario"]["description"] = description;
    schema["title"] = json!(name_of(operation));
    schema
}

/// A schema as a part of the document: it refers to its own definitions by their place there.
fn inside(mut schema: Value, name: &str) -> Value {
    fn refer(value: &mut Value, place: &str) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value {
                        Value::String(text) if key == "$ref" && text.starts_with("#/$defs/") => {
                            *text = format!("{place}{}", &text[1..]);
                        }
                        value => refer(value, place),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| refer(item, place)),
            _ => {}
        }
    }
    refer(&mut schema, &format!("#/components/schemas/{name}"));
    if let Some(entries) = schema.as_object_mut() {
        entries.remove("$schema");
    }
    schema
}

/// The schema of a reply without an answer.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no answer (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "The kind, for programs: `urn:rung:scenario`." },
            "title": { "type": "string", "description": "The kind in words." },
            "status": { "type": "integer", "description": "The status of the reply." },
            "detail": { "type": "string", "description": "What happened, and what to do." },
            "errors": {
                "type": "array",
                "description": "Each error of a scenario, as the command tells it; or the limit that \
                    was passed.",
                "items": {
                    "type": "object",
                    "properties": {
                        "file": { "type": "string" },
                        "line": { "type": ["integer", "null"] },
                        "column": { "type": ["integer", "null"] },
                        "found": { "type": "string" },
                        "allowed": { "type": ["string", "integer", "null"] },
                        "advice": { "type": ["string", "null"] },
                        "pointer": {
                            "type": "string",
                            "description": "Where in the body, if the file was sent as an object \
                                (RFC 6901).",
                        },
                        "limit": { "type": "string", "enum": ["events", "memory"] },
                    },
                },
            },
        },
    })
}
