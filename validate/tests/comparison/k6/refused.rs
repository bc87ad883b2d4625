//! Files that are no summary, or not of this scenario.

use serde_json::{Value, json};

use super::compared::{compare, compared, shop, warns};
use super::summaries::{by_hand, script};
use crate::program::{Ended, validate};

/// The error for `text` as a summary.
fn refused(text: &str) -> String {
    let Ended(code, out, err) = compare(&[text.to_string()], &[&shop()]);
    assert_eq!((code, out.as_str()), (2, ""), "{text}: {err}");
    assert!(err.contains("summary-1.json"), "{err}");
    err
}

/// The summary of our script with a change.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut summary = script();
    change(&mut summary);
    summary
}

#[test]
fn files_that_are_no_summary_are_named() {
    let stream = "{\"type\":\"Metric\",\"data\":{},\"metric\":\"http_reqs\"}\n\
                  {\"metric\":\"http_reqs\",\"type\":\"Point\",\"data\":{\"value\":1}}\n";
    let report = json!({ "schema": 1, "kind": "measured" }).to_string();
    for (text, words) in [
        ("", "is no JSON"),
        ("{\n  \"metrics\": {,\n", ":2:"),
        ("[1, 2]", "no k6 summary"),
        ("{}", "no k6 summary"),
        ("{\"metrics\": 3}", "no k6 summary"),
        ("{\"results\": {\"metrics\": {}}}", "no k6 summary"),
        (stream, "--out json"),
        (&*report, "without --k6"),
        ("{\"metrics\":{},\"root_group\":{}}", "does not say how long"),
        ("{\"metrics\":{},\"state\":{\"testRunDurationMs\":5}}", "no HTTP request"),
        ("{\"metrics\":{},\"state\":{\"testRunDurationMs\":-5}}", "does not say how long"),
    ] {
        let err = refused(text);
        assert!(err.contains(words), "{text}: {err}");
    }
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    for (pointer, value, words) in [
        ("/metrics/http_reqs/values/count", json!(-1), "`http_reqs` has -1"),
        ("/metrics/http_req_failed/values/passes", json!(1e9), "more failed requests"),
        ("/rung/seed", json!(7), "`rung.seed`"),
        ("/rung/seed", json!("seven"), "`rung.seed`"),
        ("/rung/duration", json!(0), "`rung.duration`"),
        ("/rung/warmup", json!(-1), "`rung.warmup`"),
        ("/rung", json!([]), "`rung.scenario`"),
        ("/state/testRunDurationMs", json!(900), "within its warm-up"),
    ] {
        let summary =
            changed(|json| *json.pointer_mut(pointer).expect("it is there") = value.clone());
        let err = refused(&summary.to_string());
        assert!(err.contains(words), "{pointer}: {err}");
    }
}

#[test]
fn another_scenario_and_another_seed_are_refused() {
    let err = refused(&changed(|json| json["rung"]["scenario"] = json!("bank")).to_string());
    assert!(err.contains("the prediction is of scenario `shop`"), "{err}");
    let err = refused(&changed(|json| json["rung"]["seed"] = json!("8")).to_string());
    assert!(err.contains("seed 7, the measurement from seed 8"), "{err}");
}

#[test]
fn runs_of_different_scripts_are_not_put_together() {
    let summaries = [script(), by_hand()].map(|summary| summary.to_string());
    let Ended(code, _, err) = compare(&summaries, &[&shop()]);
    assert!(code == 2 && err.contains("summary-2.json") && err.contains("another script"), "{err}");
}

#[test]
fn a_run_that_was_ended_early_counts_as_far_as_it_came() {
    let summary = changed(|json| json["state"]["testRunDurationMs"] = json!(3000));
    let comparison = compared(&[summary]);
    assert_eq!(comparison["measured"]["duration"], 2.0);
    assert!(warns(&comparison, "2.0 s of its 4 s count"), "{comparison}");
}

#[test]
fn every_file_that_cannot_be_read_is_told() {
    let shop = shop();
    let Ended(code, _, err) =
        validate(&["compare", "--k6", "none-1.json", "--k6", "none-2.json", &shop]);
    assert!(code == 2 && err.contains("none-1.json") && err.contains("none-2.json"), "{err}");
    let Ended(code, _, err) = validate(&["compare", &shop]);
    assert!(code == 2 && err.contains("MEASURED"), "{err}");
    let Ended(code, _, err) = validate(&["compare", &shop, &shop, "--set", "load.users=3"]);
    assert!(code == 2 && err.contains("--k6"), "{err}");
    assert!(err.contains("is a report, which no --set"), "{err}");
}
