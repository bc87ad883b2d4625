//! Runs that come to their end.

use serde_json::Value;
use testkit::Ended;

use super::lab::Lab;

/// The comparisons of a validation.
fn comparisons(ended: &Ended) -> Vec<Value> {
    ended.json::<Value>()["comparisons"].as_array().expect("comparisons").clone()
}

/// Both sides of `comparison` fit together: the same requests, as long, as often.
fn is_a_pair(comparison: &Value) {
    let (predicted, measured) = (&comparison["predicted"], &comparison["measured"]);
    for key in ["digest", "replications", "duration"] {
        assert_eq!(predicted[key], measured[key], "{key}: {comparison}");
    }
    for side in [predicted, measured] {
        assert!(side["samples"].as_u64() > Some(0), "{comparison}");
    }
    let warnings = comparison["warnings"].as_array().expect("a list");
    let differs = |told: &Value| told.as_str().is_some_and(|told| told.contains("differ"));
    assert!(!warnings.iter().any(differs), "{warnings:?}");
}

#[test]
fn a_scenario_is_predicted_measured_and_compared() {
    let lab = Lab::new();
    let ended = lab.measures("run shop.toml --format json");
    let comparisons = comparisons(&ended);
    assert_eq!(comparisons.len(), 1);
    is_a_pair(&comparisons[0]);
    assert_eq!((&comparisons[0]["name"], &comparisons[0]["seed"]), (&"shop".into(), &1.into()));
    assert_eq!(comparisons[0]["measured"]["replications"], 2);
    assert_eq!(ended.json::<Value>()["summary"]["compared"], 1);
    assert!(ended.err.contains("kept in runs/shop-"), "{ended:?}");
    lab.only_runs_are_left(1);
}

#[test]
fn the_verdict_is_the_exit_code_and_the_first_word() {
    let lab = Lab::new();
    let ended = lab.measures("run shop.toml");
    let word = match ended.code {
        Some(0) => "shop: prediction and measurement agree: ",
        Some(1) => "shop: prediction and measurement DISAGREE: ",
        _ => "shop: INCONCLUSIVE: ",
    };
    assert!(ended.out.starts_with(word), "{ended:?}");
    assert!(!ended.err.contains("measuring"), "no progress without a terminal: {ended:?}");
    lab.only_runs_are_left(1);
}

/// How many rounds were measured.
fn rounds(comparison: &Value) -> Option<u64> {
    comparison["measured"]["replications"].as_u64()
}

/// A sound measurement that decides nothing has as many rounds as there can be, and says so.
fn undecided_only_after_all_rounds(comparison: &Value) {
    let sound = comparison["doubts"] == Value::Array(Vec::new());
    if sound && comparison["verdict"] == "inconclusive" {
        assert_eq!(rounds(comparison), Some(10), "{comparison}");
        let told = comparison["warnings"].to_string();
        assert!(told.contains("the most rounds there can be, 10, were measured"), "{told}");
    }
}

/// The tolerance can never be met, so that there are as many rounds as there can be.
#[test]
fn rounds_go_on_until_all_is_decided_or_there_are_enough() {
    let lab = Lab::new();
    lab.write("bank.toml", "extends = \"shop.toml\"\nload.users = 3\n");
    let exact = "--tolerance throughput=0.000001% --tolerance p50=0.000001%";
    let wide: String = ["throughput", "mean", "p50", "p95", "p99", "utilisation", "error_share"]
        .map(|metric| format!(" --tolerance {metric}=100%"))
        .concat();
    let ended = lab.measures(&format!("run shop.toml --budget 10h {exact} --format json"));
    let comparison = &comparisons(&ended)[0];
    is_a_pair(comparison);
    undecided_only_after_all_rounds(comparison);
    assert!(rounds(comparison) > Some(2), "{comparison}");
    // A tolerance that allows everything may be decided after two rounds. On a machine that is disturbed
    // it takes more, and may take all.
    let ended = lab.measures(&format!("run shop.toml bank.toml --budget 10h {wide} --format json"));
    for comparison in comparisons(&ended) {
        is_a_pair(&comparison);
        undecided_only_after_all_rounds(&comparison);
        assert!(rounds(&comparison) >= Some(2), "{comparison}");
    }
    lab.only_runs_are_left(3);
}

#[test]
fn a_budget_that_does_not_allow_the_first_rounds_is_refused() {
    let lab = Lab::new();
    let refused = |words: &str, told: &[&str]| {
        lab.end(&format!("run shop.toml --costs platform.toml {words}")).refused(told);
    };
    refused("--budget 2s", &["the first 3 rounds", "--budget allows 2 s", "lower --repeat"]);
    refused("--budget 1h --repeat 1", &["one round says nothing of the noise"]);
    refused("--budget soon", &["--budget", "a time with its unit"]);
    refused("--budget 0s", &["--budget allows 0 s"]);
    lab.end("run shop.toml --budget 1h --calibrate").refused(&["--budget", "--calibrate"]);
    assert_eq!(lab.names("runs"), [""; 0]);
}

#[test]
fn scenarios_of_one_name_are_told_apart_by_their_files() {
    let lab = Lab::new();
    lab.write("other/shop.toml", "extends = \"../shop.toml\"\nload.users = 3\n");
    let ended = lab.measures("run shop.toml other/shop.toml --format json --seed 7");
    let comparisons = comparisons(&ended);
    comparisons.iter().for_each(is_a_pair);
    let names: Vec<&Value> = comparisons.iter().map(|comparison| &comparison["name"]).collect();
    assert_eq!(names, ["shop (shop.toml)", "shop (other/shop.toml)"]);
    assert!(comparisons.iter().all(|comparison| comparison["seed"] == 7));
    assert_ne!(comparisons[0]["measured"]["digest"], comparisons[1]["measured"]["digest"]);
    lab.only_runs_are_left(2);
    let markdown = lab.measures("run shop.toml other/shop.toml --format markdown");
    assert!(markdown.out.starts_with("| scenario | verdict | predicted |"), "{markdown:?}");
}

#[test]
fn a_ladder_compares_rungs_and_their_steps() {
    let lab = Lab::new();
    lab.write("more.toml", "extends = \"shop.toml\"\nload.users = 12\n");
    let ended = lab.measures("ladder more.toml --format json");
    let climb: Value = ended.json();
    assert_eq!(climb["scenario"], "more");
    let rungs = climb["rungs"].as_array().expect("rungs");
    let names: Vec<&Value> = rungs.iter().map(|rung| &rung["comparison"]["name"]).collect();
    assert_eq!(names, ["shop", "more"]);
    rungs.iter().for_each(|rung| is_a_pair(&rung["comparison"]));
    assert_eq!(rungs[0]["turned"], Value::Null);
    assert_eq!(rungs[1]["turned"], "load.users: 6 -> 12");
    let steps = climb["steps"].as_array().expect("steps");
    assert_eq!((steps.len(), &steps[0]["from"], &steps[0]["to"]), (1, &names[0].clone(), names[1]));
    assert!(steps[0]["predicted_gain"].as_f64().is_some_and(|gain| gain > 0.5), "{steps:?}");
    lab.only_runs_are_left(2);
}

#[test]
fn a_sweep_measures_every_value() {
    let lab = Lab::new();
    let ended = lab.measures("sweep shop.toml --vary load.users=2,4,8 --format json");
    let sweep: Value = ended.json();
    assert_eq!((&sweep["scenario"], &sweep["key"]), (&"shop".into(), &"load.users".into()));
    let points = sweep["points"].as_array().expect("points");
    let values: Vec<&Value> = points.iter().map(|point| &point["value"]).collect();
    assert_eq!(values, ["2", "4", "8"]);
    for point in points {
        is_a_pair(&point["comparison"]);
        let predicted = &point["comparison"]["rows"][0]["predicted"]["value"];
        assert_eq!(&point["predicted"]["throughput"]["value"], predicted);
    }
    assert_eq!(sweep["predicted_knee"], "behind");
    assert!(lab.names("runs")[0].starts_with("shop-users-2-"), "{:?}", lab.names("runs"));
    lab.only_runs_are_left(3);
}

#[test]
fn a_curve_that_is_only_predicted_is_not_cut() {
    let lab = Lab::new();
    lab.write(
        "long.toml",
        "extends = \"shop.toml\"\nload = { warmup = \"30s\", duration = \"60s\" }\n",
    );
    // What is only predicted takes no time that would have to be saved.
    let words = "sweep long.toml --predict-only --vary load.users=2,400 --costs platform.toml";
    let knee = |options: &str| lab.end(&format!("{words} {options} --format json"));
    let (whole, chosen) = (knee(""), knee("--warmup 30s --duration 60s"));
    assert_eq!((whole.code, &whole.out), (Some(0), &chosen.out));
    assert_ne!(whole.out, knee("--warmup 8s --duration 10s").out);
    // A key that is varied is left as it is.
    let lengths = "sweep long.toml --predict-only --vary load.duration=20s,30s \
                   --costs platform.toml --format json";
    let lengths: Value = lab.end(lengths).json();
    let rate = |at: usize| lengths["points"][at]["predicted"]["throughput"].clone();
    assert_ne!(rate(0), rate(1));
    lab.only_runs_are_left(0);
}

/// Two calls at a time, of 50 ms: the limit does not depend on the machine's speed.
const NARROW: &str =
    "--set upstream.partner.max_in_flight=2 --set load.duration=1s --keep p90<300ms";

#[test]
fn the_highest_load_is_measured_and_so_are_loads_around_it() {
    let lab = Lab::new();
    let ended = lab.measures(&format!("size shop.toml {NARROW} --format json"));
    let proof: Value = ended.json();
    let holds = proof["size"]["holds"]["value"].as_f64().expect("a number of users");
    let loads = proof["loads"].as_array().expect("loads");
    let tried: Vec<f64> = loads.iter().filter_map(|one| one["load"].as_f64()).collect();
    assert_eq!(tried, [0.9, 1.0, 1.1].map(|share| (holds * share).round()), "{proof}");
    for one in loads {
        for side in ["predicted", "measured"] {
            let judged = &one[side][0];
            assert_eq!(judged["objective"], "p90 < 300ms", "{one}");
            assert!(judged["value"].as_f64().is_some_and(|value| value > 0.0), "{one}");
        }
    }
    // Twice the time of a call, and a queue of as many as there are users.
    assert_eq!(loads[0]["predicted"][0]["state"], "kept", "{proof}");
    assert_eq!(loads[2]["predicted"][0]["state"], "broken", "{proof}");
    let code = match proof["verdict"].as_str() {
        Some("agree") => 0,
        Some("disagree") => 1,
        _ => 3,
    };
    assert_eq!(ended.code, Some(code), "{proof}");
    lab.only_runs_are_left(3);
}

/// That a measurement breaks an objective of the file is an answer, not a failure.
#[test]
fn a_broken_objective_does_not_end_a_comparison() {
    let lab = Lab::new();
    lab.write("strict.toml", "extends = \"shop.toml\"\n[[objective]]\nkeep = \"p50 < 1ms\"\n");
    let ended = lab.measures("run strict.toml --format json");
    is_a_pair(&comparisons(&ended)[0]);
    lab.only_runs_are_left(1);
}
