//! One summary, `summary.json`, that k6 2.2 wrote of a script of `live export k6`, in all forms
//! that k6 has; and a summary of a script by hand made from it.

use serde_json::{Map, Value, json};

/// A form of a summary: its name, and its text made from the data of handleSummary.
type Form = (&'static str, fn(&Value) -> Value);

/// All forms that k6 has.
pub(crate) const FORMS: [Form; 3] =
    [("handle", Value::clone), ("export", exported), ("machine-readable", machine_readable)];

/// The data that handleSummary is given at the end of a script of ours.
pub(crate) fn script() -> Value {
    serde_json::from_str(include_str!("summary.json")).expect("JSON")
}

/// Of another run of that script.
pub(crate) fn script_again() -> Value {
    let mut summary = script();
    summary["metrics"]["rung_good"]["values"]["count"] = json!(961);
    summary
}

/// Of a script by hand: k6's own metrics alone, no P99, errors, and a threshold that failed.
pub(crate) fn by_hand() -> Value {
    const SECONDS: f64 = 3.019121271;
    let ours = script();
    let times = |name: &str| {
        let mut metric = ours["metrics"][name].clone();
        for far in ["p(99)", "p(99.9)", "count"] {
            metric["values"].as_object_mut().expect("numbers").remove(far);
        }
        metric
    };
    let count = |count: f64| {
        let values = json!({ "count": count, "rate": count / SECONDS });
        json!({ "type": "counter", "contains": "default", "values": values })
    };
    let mut all = times("http_req_duration");
    all["thresholds"] = json!({ "p(95)<1": { "ok": false } });
    let mut quotes = count(423.0);
    quotes["thresholds"] = json!({ "count>=0": { "ok": true } });
    json!({
        "root_group": ours["root_group"],
        "state": { "testRunDurationMs": SECONDS * 1e3 },
        "metrics": {
            "http_reqs": count(889.0),
            "http_reqs{endpoint:quote}": quotes,
            "http_req_failed": {
                "type": "rate", "contains": "default",
                "values": { "rate": 43.0 / 889.0, "passes": 43, "fails": 846 },
            },
            "http_req_duration": all,
            "http_req_duration{expected_response:true}":
                times("http_req_duration{expected_response:true}"),
            "http_req_duration{endpoint:quote}": times("rung_response_time{endpoint:quote}"),
        },
    })
}

/// The metrics of the data of handleSummary.
fn metrics(summary: &Value) -> &Map<String, Value> {
    summary["metrics"].as_object().expect("metrics by name")
}

/// What `--summary-export` writes: numbers beside thresholds, of which true says that they
/// were broken; no length, and nothing that the script adds.
fn exported(summary: &Value) -> Value {
    let flat = metrics(summary).iter().map(|(name, metric)| {
        let mut flat = metric["values"].clone();
        if let Some(thresholds) = metric.get("thresholds").and_then(Value::as_object) {
            let broken = thresholds.iter().map(|(expression, outcome)| {
                (expression.clone(), Value::from(outcome["ok"] == json!(false)))
            });
            flat["thresholds"] = broken.collect();
        }
        (name.clone(), flat)
    });
    json!({ "metrics": flat.collect::<Value>(), "root_group": summary["root_group"] })
}

/// What it writes with `--new-machine-readable-summary`: a list of metrics, no thresholds, some
/// numbers under other names, and no percentiles beyond the 95th.
fn machine_readable(summary: &Value) -> Value {
    let listed = metrics(summary).iter().map(|(name, metric)| {
        let numbers = metric["values"].as_object().expect("numbers by name");
        let mut values = Map::new();
        for (name, number) in numbers {
            match (name.as_str(), metric["type"].as_str()) {
                ("p(90)", _) => values.insert("p90".into(), number.clone()),
                ("p(95)", _) => values.insert("p95".into(), number.clone()),
                ("passes", _) => values.insert("matches".into(), number.clone()),
                ("fails", _) => {
                    let total = number.as_f64().zip(numbers["passes"].as_f64());
                    values.insert("total".into(), json!(total.map(|(one, other)| one + other)))
                }
                ("p(99)" | "p(99.9)", _) | ("count", Some("trend")) => None,
                ("rate", Some("counter")) => None,
                _ => values.insert(name.clone(), number.clone()),
            };
        }
        let (kind, contains) = (&metric["type"], &metric["contains"]);
        json!({ "name": name, "type": kind, "contains": contains, "values": values })
    });
    let seconds = summary["state"]["testRunDurationMs"].as_f64().expect("a length") / 1e3;
    json!({
        "config": { "duration": seconds, "execution": "local" },
        "metadata": { "k6_version": "2.2.0" },
        "results": { "checks": {}, "metrics": listed.collect::<Value>() },
        "version": "1.0.0",
    })
}
