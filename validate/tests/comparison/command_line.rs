//! The program, in this process.

use std::fs;
use std::path::{Path, PathBuf};

use model::report::Report;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, validate};
use crate::sample::*;

/// Keeps a report as `live` keeps a run, in a folder of its own.
fn keep(folder: &Path, name: &str, report: &Report) -> PathBuf {
    let run = folder.join(name);
    fs::create_dir(&run).expect("a folder");
    fs::write(run.join("report.json"), render::json(report)).expect("a file");
    run
}

struct Files {
    _folder: TempDir,
    predicted: String,
    measured: String,
}

fn files(predicted: &Report, measured: &Report) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("predicted.json");
    fs::write(&file, render::json(predicted)).expect("a file");
    let run = keep(folder.path(), "shop-20260101-120000", measured);
    let name = |path: PathBuf| path.to_str().expect("UTF-8").to_string();
    Files { predicted: name(file), measured: name(run), _folder: folder }
}

#[test]
fn the_verdict_is_the_exit_code() {
    let (mut wrong, mut few) = (predicted(), measured());
    slow_down(&mut wrong, 1.2);
    thin(&mut few, 500);
    for (predicted, measured, code, told) in [
        (&predicted(), &measured(), 0, "shop: prediction and measurement agree: throughput 0.0 %"),
        (&wrong, &measured(), 1, "shop: prediction and measurement DISAGREE: throughput -16.7 %"),
        (&predicted(), &few, 3, "shop: INCONCLUSIVE: P99: 500 good answers were measured"),
    ] {
        let files = files(predicted, measured);
        let Ended(exit, out, err) = validate(&["compare", &files.predicted, &files.measured]);
        assert_eq!((exit, err.as_str()), (code, ""));
        assert!(out.starts_with(told), "{out}");
    }
}

#[test]
fn a_tolerance_can_be_chosen_and_a_wrong_one_is_explained() {
    let mut wrong = predicted();
    slow_down(&mut wrong, 1.04);
    let files = files(&wrong, &measured());
    let compare = |options: &[&str]| {
        validate(&[&["compare", &files.predicted, &files.measured], options].concat())
    };
    assert_eq!(compare(&[]).0, 0);
    assert_eq!(compare(&["--tolerance", "throughput=1%", "--tolerance", "p99=20%"]).0, 1);
    let Ended(code, out, err) = compare(&["--tolerance", "latency=1%"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("no metric is called `latency`; there are throughput, mean, p50"),
        "{err}"
    );
}

#[test]
fn json_is_a_comparison_that_the_schema_describes() {
    let files = files(&predicted(), &measured());
    let Ended(code, out, _) =
        validate(&["compare", &files.predicted, &files.measured, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["verdict"], &json["schema"]), (0, &"agree".into(), &1.into()));
    assert_eq!(json["rows"][0]["scope"], "overall");
    assert_eq!(json["rows"][0]["metric"], "throughput");
    assert_eq!(json["rows"][0]["measured"]["value"], 40.0);
    let scopes: Vec<&Value> =
        json["rows"].as_array().into_iter().flatten().map(|r| &r["scope"]).collect();
    assert!(scopes.iter().any(|scope| scope["class"] == "cart"));
    assert!(scopes.iter().any(|scope| scope["station"] == "cpu"));
    let Ended(code, schema, _) = validate(&["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(code, 0);
    let fields = schema["properties"].as_object().expect("fields");
    for field in json.as_object().expect("an object").keys() {
        assert!(fields.contains_key(field), "{field}");
    }
    assert!(validate(&["schema", "summary"]).1.contains("\"ranking\""));
}

#[test]
fn rounds_are_read_from_files_and_paired() {
    let [p, m] = [predicted(), measured()].map(|report| in_rounds(report, &[0.8, 1.0, 1.2]));
    let files = files(&p, &m);
    let Ended(code, out, _) =
        validate(&["compare", &files.predicted, &files.measured, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["verdict"]), (0, &"agree".into()));
    assert_eq!(
        (&json["rows"][0]["paired"], &json["rows"][0]["margin"]),
        (&true.into(), &0.0.into())
    );
}

#[test]
fn markdown_is_a_form_of_its_own() {
    let files = files(&predicted(), &measured());
    let Ended(code, out, _) =
        validate(&["compare", &files.predicted, &files.measured, "--format", "markdown"]);
    assert!(code == 0 && out.starts_with("**shop: prediction and measurement agree"), "{out}");
    assert!(out.contains("| throughput | 40.0/s | ±0.20 | 40.0/s | ±0.80 | 0.0 % |"), "{out}");
}

#[test]
fn reports_that_are_no_pair_are_refused() {
    let files = files(&predicted(), &measured());
    let Ended(code, out, err) = validate(&["compare", &files.measured, &files.measured]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("both reports are measured") && err.contains("live compare"), "{err}");
}

#[test]
fn every_file_that_is_no_report_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a file");
        file.to_str().expect("UTF-8").to_string()
    };
    let (broken, old) = (write("broken.json", "{"), write("old.json", "{\"schema\": 7}"));
    let Ended(code, _, err) = validate(&["compare", &broken, &old]);
    assert_eq!(code, 2);
    assert!(err.contains("broken.json:1:1: is no report: EOF"), "{err}");
    assert!(err.contains("old.json: has the form 7, and this program reads 1"), "{err}");
    let Ended(code, out, _) = validate(&["compare", "absent.json", &old, "--format", "json"]);
    assert_eq!((code, out.as_str()), (2, ""));
}

#[test]
fn the_help_names_every_command() {
    let Ended(code, help, _) = validate(&["--help"]);
    assert_eq!(code, 0);
    for word in ["compare", "schema", "completions", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(validate(&["completions", "bash"]).1.contains("validate"));
}
