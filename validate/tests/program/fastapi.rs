//! The real FastAPI, predicted and measured.

use std::ffi::OsString;

use render::Exit;
use serde_json::Value;
use validate::Calibration;

use super::lab::Lab;

/// Writers of which two meet again and again, and do not wait for each other.
const WRITERS: &str = r#"
    costs = { query.default = { engine = "50us" } }
    load = { users = 6, think_time = "1ms", duration = "1500ms" }
    service = { server = "uvicorn", concurrency = "threadpool", workers = 2 }
    database = { journal_mode = "delete", busy_timeout = "0s" }
    [[endpoint]]
    name = "order"
    weight = 1
    steps = [{ transaction = [{ write = "order" }, { write = "order" }], begin = "immediate" }]
"#;

/// The costs of FastAPI in these tests: a guess.
const PLATFORM: &str = r#"
    [about]
    method = "a guess"
    [cpu]
    request = "0.3ms"
    statement = "0.2ms"
    [query.default]
    engine = "50us"
    [driver]
    autocommit = false
    [disk]
    sync = "1ms"
"#;

/// The options that name the stack, whose environment is that of all tests; none on a machine
/// without Python.
fn on_fastapi() -> Option<String> {
    testkit::has_python().then(|| {
        let environment = format!("--environment {}/fastapi", env!("CARGO_TARGET_TMPDIR"));
        let words = format!("live setup fastapi {environment}");
        let made = live::cli::run_for(words.split_whitespace().map(OsString::from), None);
        assert_eq!(made, Exit::Success);
        environment
    })
}

#[test]
fn a_locked_database_is_counted_by_kind_on_both_sides() {
    let Some(on) = on_fastapi() else { return };
    let lab = Lab::new();
    lab.write("writers.toml", WRITERS);
    lab.write("python.toml", PLATFORM);
    let errors_of = |more: &str| {
        let ended = lab.answers(&format!(
            "run writers.toml --target fastapi {on} {more} --repeat 2 --costs python.toml \
             --format json"
        ));
        let rows =
            ended.json::<Value>()["comparisons"][0]["rows"].as_array().expect("rows").clone();
        // There is one lock: a thread that returns it late does not hold it beside the next.
        let lock = rows.iter().find(|row| {
            row["scope"]["station"] == "database lock" && row["metric"] == "utilisation"
        });
        let held = lock.and_then(|row| row["measured"]["value"].as_f64());
        assert!(held.is_some_and(|share| share > 0.5 && share <= 1.0), "{lock:?}");
        let kinds = rows.into_iter().filter(|row| row["error_kind"].is_string());
        kinds.collect::<Vec<_>>()
    };
    let errors = errors_of("");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["error_kind"], "database_busy", "{errors:?}");
    for side in ["predicted", "measured"] {
        assert!(errors[0][side]["value"].as_f64().is_some_and(|share| share > 0.01), "{errors:?}");
    }
    // With a long busy timeout every writer gets the lock.
    assert_eq!(errors_of("--set database.busy_timeout=1h"), Vec::<Value>::new());
}

#[test]
fn fastapi_is_calibrated() {
    let Some(on) = on_fastapi() else { return };
    let lab = Lab::new();
    // Probes that are too short to mean much, and one round, which says that it proves nothing.
    let words = "calibrate fastapi --only cpu.async.request --rounds 1 --warmup 100ms \
                 --duration 500ms --format json";
    let answer: Calibration = lab.end(&format!("{words} {on}")).with_code(3).json();
    assert_eq!(answer.about["written_by"], "validate calibrate fastapi");
    let [cost] = &*answer.costs else { panic!("one cost was named: {:?}", answer.costs) };
    assert_eq!((&*cost.key, cost.rounds), ("cpu.async.request", 1), "{:?}", answer.doubts);
    // The profile is one that predicts this stack.
    let ended = lab.end(&format!(
        "sweep shop.toml --target fastapi {on} --vary load.users=2,4 --predict-only \
         --set service.server=uvicorn --costs {} --format json",
        answer.file.expect("it is written"),
    ));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
