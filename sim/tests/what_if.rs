//! What-ifs: the same answers as the commands give, and states that can be written as files.

use std::path::PathBuf;

use model::read::{builtin, load, load_texts};
use serde_json::{Value, json};
use sim::what_if::Subject;

const SHOP: &str = r#"
    question = "</script><b>why?</b>"
    costs.cpu.request = "1ms"
    load = { users = 20, think_time = "10ms", warmup = "1s", duration = "5s" }
    service.concurrency = "threadpool"
    upstream.partner.latency = { p50 = "20ms", p99 = "100ms" }
    [[endpoint]]
    name = "list"
    weight = 3
    steps = [{ cpu = "1ms" }]
    [[endpoint]]
    name = "GET /items/{id}"
    weight = 1
    steps = [{ block = "5ms" }, { call = "partner" }]
"#;

/// The shop as a file, and as a subject.
fn shop() -> (tempfile::TempDir, PathBuf, Subject) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, SHOP).expect("written");
    (folder, file.clone(), Subject::File(file))
}

fn ask(subject: &Subject, question: Value) -> Value {
    serde_json::from_str(&subject.ask(&question.to_string())).expect("JSON")
}

/// What `sim` prints.
fn printed(words: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    sim::cli::run(["sim"].iter().chain(words), &mut out, &mut err);
    assert!(err.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&err));
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_sharp_answer_has_the_bytes_of_the_command() {
    let (_folder, file, subject) = shop();
    let file = file.to_str().expect("a path");
    let state = json!({ "ask": "sharp", "set": ["service.threads=4"], "keep": ["p99 < 1s"] });
    let words = ["scenario", file, "--set", "service.threads=4", "--keep", "p99 < 1s"];
    let command = printed(&[&words[..], &["--format", "json"]].concat());
    assert_eq!(ask(&subject, state.clone())["document"], command);
    // Where there are no files, too.
    assert_eq!(ask(&subject.in_memory().expect("right"), state)["document"], command);

    let state = json!({ "ask": "size", "set": ["service.threads=4"], "keep": ["p99 < 200ms"] });
    let words = ["size", file, "--set", "service.threads=4", "--keep", "p99 < 200ms"];
    let found = ask(&subject, state);
    assert_eq!(found["document"], printed(&[&words[..], &["--format", "json"]].concat()));
    let sentence = found["sentence"].as_str().expect("a sentence");
    assert!(printed(&words).contains(sentence), "{sentence}");
    let set = found["set"].as_str().expect("a load that holds");
    assert!(set.starts_with("load.users="), "{set}");
}

#[test]
fn a_rough_answer_has_the_first_runs_of_the_sharp_one() {
    let (_folder, _, subject) = shop();
    let [rough, sharp] = ["rough", "sharp"].map(|what| ask(&subject, json!({ "ask": what })));
    let runs = |answer: &Value| answer["runs"]["throughput"].as_array().expect("runs").clone();
    let (few, many) = (runs(&rough), runs(&sharp));
    assert!(few.len() >= 2 && few.len() < many.len());
    assert_eq!(few[..], many[..few.len()]);
    assert_eq!((&rough["sharp"], &sharp["sharp"]), (&json!(false), &json!(true)));
    assert!(rough["limit"].is_null() && rough["document"].is_null());
    assert!(sharp["figures"].as_array().is_some_and(|all| !all.is_empty()));
}

/// A run of many events is cut, so that its answer comes soon too.
#[test]
fn a_rough_answer_to_a_long_run_is_of_short_ones() {
    let (_folder, _, subject) = shop();
    let rough = ask(&subject, json!({ "ask": "rough", "set": ["load.duration=1000h"] }));
    let basis = rough["basis"].as_str().expect("a basis");
    assert!(basis.contains("short runs of"), "{basis}");
}

#[test]
fn a_change_is_told_with_its_interval() {
    let (_folder, _, subject) = shop();
    let before = ask(&subject, json!({ "ask": "sharp" }));
    let asked = |set: &[&str]| {
        ask(&subject, json!({ "ask": "sharp", "set": set, "against": before["runs"] }))
    };
    let change = asked(&["service.threads=1"])["change"].clone();
    let share = |name: &str| change["throughput"][name].as_f64().expect("a number");
    assert!(share("low") <= share("value") && share("value") <= share("high"));
    assert!(share("high") < 0.0, "one thread answers less: {change}");
    // On the same random numbers nothing differs.
    let same = asked(&[])["change"]["throughput"].clone();
    assert_eq!((&same["low"], &same["high"]), (&json!(0.0), &json!(0.0)));
}

#[test]
fn the_best_change_can_be_taken() {
    let (_folder, _, subject) = shop();
    let found = ask(&subject, json!({ "ask": "sharp", "set": ["service.threads=1"] }));
    let set = found["limit"]["set"].as_array().expect("changes");
    assert!(!set.is_empty(), "{}", found["limit"]);
    let sets: Vec<Value> = [json!("service.threads=1")].into_iter().chain(set.clone()).collect();
    let taken = ask(&subject, json!({ "ask": "rough", "set": sets }));
    assert!(taken["facts"][0]["number"].as_f64() > found["facts"][0]["number"].as_f64());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let (_folder, file, subject) = shop();
    let refused =
        ask(&subject, json!({ "ask": "rough", "set": ["service.workers=0", "load.user=3"] }));
    let problems = refused["problems"].as_array().expect("problems");
    assert_eq!((&refused["answer"], problems.len()), (&json!("refused"), 2));
    assert_eq!(problems[0]["file"], "--set load.user=3");
    std::fs::write(&file, format!("{SHOP}\nwokers = 3\n")).expect("written");
    let refused = ask(&subject, json!({ "ask": "keys" }));
    assert_eq!(refused["problems"][0]["line"], 16, "{refused}");
    let failed = ask(&subject, json!({ "ask": "what" }));
    assert_eq!(failed["answer"], "failed");
}

/// Each key that is offered can be set, and means itself.
#[test]
fn a_key_that_is_set_to_its_value_changes_nothing() {
    let names = ["v1.toml", "v6.toml", "p5.toml", "retry-storm.toml", "theory/two-loads.toml"];
    let mut keys = 0;
    for (name, _) in builtin().filter(|(name, _)| names.contains(name)) {
        let path = PathBuf::from(name);
        let as_is = load(&path, &[]).unwrap_or_else(|problems| panic!("{problems}"));
        for control in as_is.controls() {
            let Some(value) = control.value else { continue };
            keys += 1;
            let set = format!("{}={value}", control.key);
            let mut again = load(&path, std::slice::from_ref(&set))
                .unwrap_or_else(|problems| panic!("{name}: {problems}"));
            again.scenario.learned.clone_from(&as_is.scenario.learned);
            // Whose value it is has changed, and the value has not.
            for (one, other) in again.scenario.upstreams.iter_mut().zip(&as_is.scenario.upstreams) {
                one.of_profile = other.of_profile;
            }
            assert!(again.scenario == as_is.scenario, "{name}: {set}");
        }
    }
    assert!(keys > 300, "{keys} keys");
}

#[test]
fn a_state_is_a_file_that_extends_the_scenario() {
    let (folder, file, subject) = shop();
    let sets = [
        "service.workers=2",
        "upstream.partner.latency.p99=200ms",
        "endpoint.list.weight=5",
        "endpoint.\"GET /items/{id}\".steps[0].block=9ms",
        "load.users=7",
        "load.users=8",
        "costs.cpu.request=2ms",
        "load.timeout=never",
    ];
    let state = json!({ "ask": "child", "set": sets, "keep": ["p99 < 3s", "errors < 1%"] });
    let text = ask(&subject, state)["text"].as_str().expect("a text").to_string();
    assert!(text.starts_with("extends = \"shop.toml\"\n"), "{text}");
    assert_eq!(text.matches("load.users = 8\n").count(), 1, "{text}");
    let child = folder.path().join("child.toml");
    std::fs::write(&child, &text).expect("written");
    let read = load(&child, &[]).unwrap_or_else(|problems| panic!("{problems}\n{text}")).scenario;
    let sets = sets.map(String::from);
    let keep = ["p99 < 3s".to_string(), "errors < 1%".to_string()];
    let wanted = subject.load(&sets, &keep).expect("right").scenario;
    assert_eq!((read.load, read.endpoints), (wanted.load, wanted.endpoints));
    assert_eq!((read.service, read.upstreams), (wanted.service, wanted.upstreams));
    assert_eq!((read.costs, read.objectives), (wanted.costs, wanted.objectives));

    // In memory, and of a scenario that is built in.
    let name = file.to_str().expect("a path");
    assert!(load_texts("x", &[("x", &text.replace("shop.toml", name)), (name, SHOP)], &[]).is_ok());
    let built_in = Subject::File("v5".into());
    let child = ask(&built_in, json!({ "ask": "child", "set": ["load.users=3"] }));
    assert_eq!(child["text"], "extends = \"v5.toml\"\nload.users = 3\n");
}
