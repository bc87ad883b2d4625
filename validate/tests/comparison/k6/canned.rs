//! Summaries that k6 2.2 wrote, of a script of `live export k6` and of a script by hand.

use serde_json::{Value, json};

use super::compared::{compare, compared, measured, measured_of, row, shop, warns, write};
use super::summaries::{FORMS, by_hand, script, script_again};
use crate::program::{Ended, validate};

/// The good answers that the script counted.
fn counted(summary: &Value) -> f64 {
    summary["metrics"]["rung_good"]["values"]["count"].as_f64().expect("a count")
}

/// Reports have nine digits.
fn is(found: Option<f64>, wanted: f64) -> bool {
    found.is_some_and(|found| (found - wanted).abs() < 1e-8 * wanted)
}

#[test]
fn a_script_of_ours_counts_the_window_alone_in_every_form() {
    // 4 s count of the 5 s that it ran.
    for (form, write) in FORMS {
        let comparison = compared(&[write(&script())]);
        assert_eq!(measured(&comparison, "throughput"), Some(counted(&script()) / 4.0), "{form}");
        assert_eq!(comparison["measured"]["duration"], 4.0, "{form}");
        assert_eq!(measured(&comparison, "error_share"), Some(0.0), "{form}");
        for (metric, time) in [("mean", 7.402768), ("p50", 1.506219), ("p95", 31.412164)] {
            assert!(is(measured(&comparison, metric), time / 1e3), "{form}: {metric}");
        }
        for (endpoint, good, p95) in [("status", 727.0, 3.477537), ("quote", 228.0, 45.456065)] {
            let measured = |metric| measured_of(&comparison, endpoint, metric);
            assert_eq!(measured("throughput"), Some(good / 4.0), "{form}: {endpoint}");
            assert!(is(measured("p95"), p95 / 1e3), "{form}: {endpoint}");
        }
    }
}

#[test]
fn numbers_missing_from_a_summary_are_not_zero() {
    for (form, write) in FORMS {
        for summary in [script(), by_hand()] {
            let comparison = compared(&[write(&summary)]);
            for metric in ["utilisation", "in_flight"] {
                let row = row(&comparison, &"overall".into(), metric);
                assert_eq!(row["measured"], Value::Null, "{form}: {row}");
                assert_eq!(row["verdict"], "not_judged", "{form}: {row}");
                assert_eq!(row["why"], "not in the measurement", "{form}: {row}");
            }
            let rows = comparison["rows"].as_array().expect("rows");
            assert!(rows.iter().all(|row| row["scope"].get("station").is_none()), "{form}");
            let untold = comparison["untold"].as_array().expect("a list");
            assert!(untold.contains(&"stations".into()), "{form}: {untold:?}");
            assert!(warns(&comparison, "k6 tells of no station"), "{form}");
            assert!(warns(&comparison, "nothing says how much runs differ"), "{form}");
            // A single run has no interval.
            let throughput = row(&comparison, &"overall".into(), "throughput");
            assert_eq!(throughput["measured"]["low"], Value::Null, "{form}");
            let has_p99 = summary == script() && form != "machine-readable";
            assert_eq!(measured(&comparison, "p99").is_some(), has_p99, "{form}");
            assert_eq!(warns(&comparison, "p(99)"), !has_p99, "{form}");
        }
    }
}

#[test]
fn k6_s_own_numbers_come_with_what_is_wrong_with_them() {
    for (form, write) in FORMS {
        let comparison = compared(&[write(&by_hand())]);
        assert!(warns(&comparison, "whole run of 3."), "{form}");
        assert!(warns(&comparison, "taken to be shop's"), "{form}");
        assert!(warns(&comparison, "not told apart by kind"), "{form}");
        assert!(is(measured(&comparison, "error_share"), 43.0 / 889.0), "{form}");
        assert!(is(measured_of(&comparison, "quote", "p50"), 23.265704 / 1e3), "{form}");
        let status = row(&comparison, &json!({ "class": "status" }), "throughput");
        assert_eq!(status["why"], "not in the measurement", "{form}");
    }
}

#[test]
fn a_failed_threshold_is_told_though_one_form_says_it_the_other_way_round() {
    for (form, write) in &FORMS[..2] {
        let comparison = compared(&[write(&by_hand())]);
        assert!(warns(&comparison, "thresholds failed: http_req_duration: p(95)<1"), "{form}");
        assert!(!warns(&comparison, "count>=0"), "{form}");
        assert!(!warns(&compared(&[write(&script())]), "thresholds failed"), "{form}");
    }
}

#[test]
fn several_runs_have_a_spread() {
    let comparison = compared(&[script(), script_again()]);
    assert_eq!(comparison["measured"]["replications"], 2);
    let row = row(&comparison, &"overall".into(), "throughput");
    assert!(row["noise"].as_f64().is_some_and(|noise| noise > 0.0), "{row}");
    let mean = (counted(&script()) + counted(&script_again())) / 2.0 / 4.0;
    assert_eq!(row["measured"]["value"], mean);
    assert!(warns(&comparison, "2 runs were measured with the same draws"), "{comparison}");
    assert!(!warns(&comparison, "nothing says how much"), "{comparison}");
    assert_eq!(row["paired"], false);
}

#[test]
fn text_and_markdown_say_what_is_not_known() {
    let (_, write) = FORMS[2];
    for format in ["text", "markdown"] {
        let Ended(_, out, _) =
            compare(&[write(&script()).to_string()], &[&shop(), "--format", format]);
        for words in ["this form has no p(99)", "k6 tells of no station", "not in the measurement"]
        {
            assert!(out.contains(words), "{format}: {words}: {out}");
        }
    }
}

#[test]
fn a_saved_report_stands_for_the_scenario_predicted_or_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let resolved = model::read::load(shop().as_ref(), &[]).expect("a scenario");
    let mut report = validate::predict(&resolved, None, 1).expect("it ends");
    let of_scenario = compared(&[script()]);
    let compare = |report: &model::report::Report| -> Value {
        let path = write(&folder, "report.json", &render::json(report));
        let Ended(_, out, err) = compare(&[script().to_string()], &[&path, "--format", "json"]);
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
    let summary = write(&folder, "summary.json", &script().to_string());
    let Ended(code, _, err) =
        validate(&["compare", "--k6", &summary, &path, "--set", "load.users=3"]);
    assert!(code == 2 && err.contains("is a report, which no --set"), "{err}");
}
