//! The description is whole: every path answers, every reference leads somewhere.

use serde_json::Value;

use crate::server::Server;

fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(entries) => {
            found.extend(entries.get("$ref").and_then(Value::as_str));
            entries.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_path_answers_and_every_reference_leads_somewhere() {
    let server = Server::with("");
    let description = server.get("/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in found {
        let place = reference.strip_prefix('#').expect("a place in the document");
        assert!(description.pointer(place).is_some(), "{reference}");
    }
    let paths = description["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 7);
    for (path, methods) in paths {
        let status = match methods.get("get") {
            Some(_) => server.get(path).status,
            None => server.post(path, &serde_json::json!({})).status,
        };
        assert!([200, 400].contains(&status), "{path}: {status}");
    }
}

#[test]
fn a_question_has_the_fields_that_its_path_knows() {
    let server = Server::with("");
    let description = server.get("/openapi.json").json();
    let fields = |name: &str| {
        let schema = &description["components"]["schemas"][name];
        let fields = schema["properties"].as_object().expect("fields");
        fields.keys().cloned().collect::<Vec<String>>()
    };
    let has = |name: &str, field: &str| fields(name).iter().any(|known| known == field);
    assert!(has("PredictQuestion", "replications") && !has("PredictQuestion", "headroom"));
    assert!(has("SizeQuestion", "headroom") && !has("SizeQuestion", "replications"));
    assert!(has("LadderQuestion", "allow_many") && !has("LadderQuestion", "keep"));
}
