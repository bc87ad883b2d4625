//! Summaries that k6 2.2 wrote, of a script of `live export k6` and of a script by hand.

use serde_json::Value;

use super::told::*;
use super::{Told, validate};

const SCRIPT: [&str; 3] =
    ["script-handle.json", "script-export.json", "script-machine-readable.json"];
const HAND: [&str; 3] = ["hand-handle.json", "hand-export.json", "hand-machine-readable.json"];

/// `good` of the script's counters, from its file.
fn counted(name: &str) -> f64 {
    let text = std::fs::read_to_string(file(name)).expect("a file");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    json["metrics"]["rung_good"]["values"]["count"].as_f64().expect("a count")
}

#[test]
fn a_script_of_ours_counts_the_window_alone_in_every_form() {
    // 4 s count of the 5 s that it ran.
    for name in &SCRIPT {
        let comparison = compared(&[name]);
        let throughput = measured(&comparison, "throughput").expect("a number");
        assert!((150.0..400.0).contains(&throughput), "{name}: {throughput}");
        assert_eq!(comparison["measured"]["duration"], 4.0, "{name}");
        assert_eq!(measured(&comparison, "error_share"), Some(0.0), "{name}");
        for metric in ["mean", "p50", "p90", "p95"] {
            let time = measured(&comparison, metric).expect("a time");
            assert!((0.0005..1.0).contains(&time), "{name}: {metric} {time}");
        }
        for endpoint in ["status", "quote"] {
            let scope = serde_json::json!({ "class": endpoint });
            for metric in ["throughput", "mean", "p50", "p95"] {
                let value = &row(&comparison, &scope, metric)["measured"]["value"];
                assert!(value.as_f64().is_some_and(|value| value > 0.0), "{endpoint} {metric}");
            }
        }
    }
    let comparison = compared(&SCRIPT[..1]);
    assert_eq!(measured(&comparison, "throughput"), Some(counted(SCRIPT[0]) / 4.0));
}

#[test]
fn what_a_summary_does_not_tell_is_no_zero() {
    for name in SCRIPT.iter().chain(&HAND) {
        let comparison = compared(&[name]);
        for metric in ["utilisation", "in_flight"] {
            let row = row(&comparison, &"overall".into(), metric);
            assert_eq!(row["measured"], Value::Null, "{name}: {row}");
            assert_eq!(row["verdict"], "not_judged", "{name}: {row}");
            assert_eq!(row["why"], "not in the measurement", "{name}: {row}");
        }
        let rows = comparison["rows"].as_array().expect("rows");
        assert!(rows.iter().all(|row| row["scope"].get("station").is_none()), "{name}");
        let untold = comparison["untold"].as_array().expect("a list");
        assert!(untold.contains(&"stations".into()), "{name}: {untold:?}");
        assert!(warns(&comparison, "k6 tells of no station"), "{name}");
        assert!(warns(&comparison, "nothing says how much runs differ"), "{name}");
        // A single run has no interval.
        let throughput = row(&comparison, &"overall".into(), "throughput");
        assert_eq!(throughput["measured"]["low"], Value::Null, "{name}");
    }
    for name in ["script-machine-readable.json", HAND[0], HAND[1], HAND[2]] {
        let comparison = compared(&[name]);
        assert_eq!(measured(&comparison, "p99"), None, "{name}");
        assert!(warns(&comparison, "p(99)"), "{name}");
    }
    assert!(measured(&compared(&SCRIPT[..1]), "p99").is_some());
}

#[test]
fn k6_s_own_numbers_come_with_what_is_wrong_with_them() {
    for name in &HAND {
        let comparison = compared(&[name]);
        assert!(warns(&comparison, "whole run of 3."), "{name}");
        assert!(warns(&comparison, "taken to be shop's"), "{name}");
        assert!(warns(&comparison, "not told apart by kind"), "{name}");
        let share = measured(&comparison, "error_share").expect("a share");
        assert!(share > 0.0 && share < 0.1, "{name}: {share}");
        let quote = serde_json::json!({ "class": "quote" });
        let time = &row(&comparison, &quote, "p50")["measured"]["value"];
        assert!(time.as_f64().is_some_and(|time| time > 0.01), "{name}: {time}");
        let status = serde_json::json!({ "class": "status" });
        let row = row(&comparison, &status, "throughput");
        assert_eq!(row["why"], "not in the measurement", "{name}");
    }
}

#[test]
fn a_threshold_that_failed_is_told_though_one_form_says_it_the_other_way_round() {
    for name in &HAND[..2] {
        let comparison = compared(&[name]);
        assert!(warns(&comparison, "thresholds failed: http_req_duration: p(95)<1"), "{name}");
        assert!(!warns(&comparison, "count>=0"), "{name}");
    }
    assert!(!warns(&compared(&SCRIPT[..1]), "thresholds failed"));
    assert!(!warns(&compared(&SCRIPT[1..2]), "thresholds failed"));
}

#[test]
fn several_runs_have_a_spread() {
    let comparison = compared(&["script-handle.json", "script-handle-2.json"]);
    assert_eq!(comparison["measured"]["replications"], 2);
    let row = row(&comparison, &"overall".into(), "throughput");
    assert!(row["noise"].as_f64().is_some_and(|noise| noise > 0.0), "{row}");
    let mean = (counted("script-handle.json") + counted("script-handle-2.json")) / 2.0 / 4.0;
    assert_eq!(row["measured"]["value"], mean);
    assert!(warns(&comparison, "2 runs were measured with the same draws"), "{comparison}");
    assert!(!warns(&comparison, "nothing says how much"), "{comparison}");
    assert_eq!(row["paired"], false);
}

#[test]
fn text_and_markdown_say_what_is_not_known() {
    let (summary, shop) = (file("script-machine-readable.json"), file("shop.toml"));
    for format in ["text", "markdown"] {
        let Told(_, out, _) = validate(&["compare", "--k6", &summary, &shop, "--format", format]);
        for words in ["this form has no p(99)", "k6 tells of no station", "not in the measurement"]
        {
            assert!(out.contains(words), "{format}: {words}: {out}");
        }
    }
}

#[test]
fn a_saved_report_stands_for_the_scenario_predicted_or_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let resolved = model::read::load(file("shop.toml").as_ref(), &[]).expect("a scenario");
    let mut report = validate::predict::predict(&resolved, None, 1).expect("it ends");
    let summary = file("script-handle.json");
    let of_scenario = compared(&["script-handle.json"]);
    let compare = |report: &model::report::Report| -> Value {
        let path = write(folder.path(), "report.json", &render::json(report));
        let path = path.display().to_string();
        let Told(_, out, err) = validate(&["compare", "--k6", &summary, &path, "--format", "json"]);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"))
    };
    let found = compare(&report);
    assert_eq!(found["rows"], of_scenario["rows"]);
    report.kind = model::report::Kind::Measured;
    let found = compare(&report);
    assert_eq!(found["rows"], of_scenario["rows"]);
    assert!(warns(&found, "what stands as predicted was measured too"));
    // Nothing can be changed in a report.
    let path = folder.path().join("report.json").display().to_string();
    let Told(code, _, err) =
        validate(&["compare", "--k6", &summary, &path, "--set", "load.users=3"]);
    assert!(code == 2 && err.contains("is a report, which no --set"), "{err}");
}
