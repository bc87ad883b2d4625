//! k6's stream of samples against a scenario of a service of the user's own.

use serde_json::{Value, json};

use super::compared::{compare, measured, measured_of, shop, warns};
use crate::program::Ended;

/// A stream of 20 s in which `name` was asked ten times a second and answered in 100 ms.
fn stream(name: &str) -> String {
    let point = |metric: &str, at: u32, value: f64| {
        let time = format!("2026-11-28T10:00:{:02}.{}00Z", at / 10, at % 10);
        let tags = json!({ "name": name, "method": "GET", "expected_response": "true" });
        json!({ "type": "Point", "metric": metric,
                "data": { "time": time, "value": value, "tags": tags } })
    };
    let request = |at: u32| {
        let all = [("http_reqs", 1.0), ("http_req_failed", 0.0), ("http_req_duration", 100.0)];
        all.map(|(metric, value)| point(metric, at, value).to_string()).join("\n")
    };
    (0..=200).map(request).collect::<Vec<_>>().join("\n")
}

#[test]
fn samples_are_a_measurement_and_the_costs_are_the_scenarios_own() {
    let endpoint = {
        let resolved = model::read::load(shop().as_ref(), &[]).expect("a scenario");
        resolved.scenario.endpoints[0].name.clone()
    };
    let Ended(code, out, err) =
        compare(&[stream(&endpoint)], &[&shop(), "--own", "--format", "json"]);
    assert!([0, 1, 3].contains(&code), "{code}: {err}");
    assert!(!err.contains("predicted with"), "no profile of a stack is looked for: {err}");
    let comparison: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(measured(&comparison, "throughput"), Some(201.0 / 20.0));
    assert_eq!(measured(&comparison, "p50"), Some(0.1));
    assert_eq!(measured_of(&comparison, &endpoint, "throughput"), Some(201.0 / 20.0));
    assert!(warns(&comparison, "whole run of 20.0 s"), "{comparison}");
}
