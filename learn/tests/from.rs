//! `learn from` on records whose truth is known.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use model::stream::Purpose;
use serde_json::Value;
use tempfile::TempDir;

/// CPU seconds of each of the two endpoints.
const CPU: [f64; 2] = [0.004, 0.012];
/// Seconds of the record.
const SECONDS: f64 = 300.0;
/// When it began.
const BEGIN: f64 = 1_795_890_600.0;

/// Requests at random times, whose mix changes every ten seconds: second, endpoint, number.
fn requests() -> Vec<(f64, usize, u64)> {
    let purpose = Purpose::new(5, "records");
    let uniform = |index: u64| (purpose.draw(0, index) as f64 + 1.0) / (u64::MAX as f64 + 2.0);
    let (mut time, mut index, mut all) = (0.0, 0, Vec::new());
    while time < SECONDS {
        index += 3;
        let quiet = purpose.draw(1, (time / 10.0) as u64).is_multiple_of(2);
        time -= uniform(index).ln() / if quiet { 5.0 } else { 25.0 };
        let mix = purpose.draw(2, (time / 10.0) as u64) as f64 / u64::MAX as f64;
        all.push((time, usize::from(uniform(index + 1) < mix), 1 + index % 500));
    }
    all
}

/// CPU seconds used by each whole second, and a little without requests, on a clock that is ahead.
fn cpu(ahead: f64) -> String {
    let mut text = "time,cpu_seconds_total\n".to_owned();
    let all = requests();
    for second in 0..=SECONDS as u32 {
        let before = |(time, _, _): &&(f64, usize, u64)| *time < f64::from(second);
        let used: f64 = all.iter().filter(before).map(|(_, endpoint, _)| CPU[*endpoint]).sum();
        let idle = 0.02 * f64::from(second);
        let time = BEGIN + ahead + f64::from(second);
        writeln!(text, "{time},{:.6}", 100.0 + used + idle).expect("a text");
    }
    text
}

fn path(endpoint: usize, number: u64) -> String {
    if endpoint == 0 { format!("/items/{number}") } else { "/quotes?x=1".to_owned() }
}

fn k6() -> String {
    let mut text = String::new();
    for (time, endpoint, number) in requests() {
        let method = ["GET", "POST"][endpoint];
        let end = BEGIN + time + 0.005;
        let (path, url) = (path(endpoint, number), "http://127.0.0.1:8000");
        writeln!(
            text,
            r#"{{"metric":"http_req_duration","type":"Point","data":{{"time":"{end:.6}","value":5,"tags":{{"method":"{method}","name":"{url}{path}","status":"200","url":"{url}{path}"}}}}}}"#
        )
        .expect("a text");
    }
    text
}

/// gunicorn's log with durations, one broken line in a hundred, packed.
fn log() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for (index, (time, endpoint, number)) in requests().into_iter().enumerate() {
        let method = ["GET", "POST"][endpoint];
        let path = path(endpoint, number);
        let second = (BEGIN + time) as u64 % 86_400;
        let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
        if index % 100 == 7 {
            writeln!(packed, "10.0.0.1 - - [28/Nov").expect("memory");
            continue;
        }
        writeln!(
            packed,
            "10.0.0.1 - - [28/Nov/2026:{hours:02}:{minutes:02}:{seconds:02} +0000] \"{method} {path} HTTP/1.1\" 200 2 \"-\" \"k6\" 5000"
        )
        .expect("memory");
    }
    packed.finish().expect("memory")
}

struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let file = self.path(name);
        std::fs::write(&file, bytes).expect("a file");
        file.display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs `learn from`: exit code, answer, remarks.
fn from(args: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = ["learn", "from"].into_iter().chain(args.iter().copied());
    let exit = learn::cli::run(all, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (exit.code(), text(out), text(err))
}

fn answer(args: &[&str]) -> Value {
    let (code, out, err) = from(&[args, &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).expect("JSON")
}

/// The cost of each endpoint is found, within a share of the truth.
fn costs_are_right(answer: &Value, share: f64) {
    let endpoints = answer["endpoints"].as_array().expect("endpoints");
    for (name, truth) in ["GET /items/{id}", "POST /quotes"].into_iter().zip(CPU) {
        let own =
            endpoints.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{answer}"));
        let value = own["cpu"][0].as_f64().unwrap_or_else(|| panic!("{answer:#}"));
        assert!((value / truth - 1.0).abs() < share, "{name}: {value} for {truth}\n{answer:#}");
    }
}

fn notes(answer: &Value) -> String {
    answer["notes"].to_string()
}

#[test]
fn a_k6_run_and_cpu_give_a_scenario_that_loads() {
    let files = Files::new();
    let (k6, cpu) = (files.put("run.ndjson", k6()), files.put("cpu.csv", cpu(0.0)));
    let out = files.path("mine.toml").display().to_string();
    let answer = answer(&["--k6", &k6, "--cpu", &cpu, "--cores", "1", "-o", &out]);
    costs_are_right(&answer, 0.1);
    let background = answer["background"].as_f64().expect("a background");
    assert!((background - 0.02).abs() < 0.02, "{background}");
    assert!(!notes(&answer).contains("clock of CPU"), "{}", notes(&answer));
    let rate = answer["rate"][0].as_f64().expect("a rate");
    assert!((rate - requests().len() as f64 / SECONDS).abs() < 0.3, "{rate}");
    let text = std::fs::read_to_string(Path::new(&out)).expect("the scenario");
    let resolved = model::read::load_text("mine.toml", &text, &[])
        .unwrap_or_else(|bad| panic!("{bad}\n{text}"));
    assert_eq!(resolved.scenario.endpoints.len(), 2);
    let again = from(&["--k6", &k6, "--cpu", &cpu, "-o", &out]);
    assert!(again.0 == 2 && again.2.contains("there already"), "{}", again.2);
}

#[test]
fn a_clock_that_is_wrong_by_seconds_or_by_hours_is_set_right() {
    let files = Files::new();
    let k6 = files.put("run.ndjson", k6());
    for (ahead, words) in [(-7.0, "behind"), (9.0, "ahead of"), (7200.0, "zone")] {
        let cpu = files.put("cpu.csv", cpu(ahead));
        let answer = answer(&["--k6", &k6, "--cpu", &cpu, "--cores", "1"]);
        assert!(notes(&answer).contains(words), "{ahead}: {}", notes(&answer));
        costs_are_right(&answer, 0.15);
    }
}

#[test]
fn a_packed_log_with_some_broken_lines_is_used_and_says_so() {
    let files = Files::new();
    let (log, cpu) = (files.put("access.log.gz", log()), files.put("cpu.csv", cpu(0.0)));
    let format = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s"#;
    let args = ["--access-log", &log, "--log-format", format, "--cpu", &cpu, "--cores", "1"];
    let answer = answer(&args);
    costs_are_right(&answer, 0.15);
    let notes = notes(&answer);
    assert!(notes.contains("lines are broken") && notes.contains("line 8: "), "{notes}");
    assert!(notes.contains("whole seconds"), "{notes}");
}

#[test]
fn a_log_of_another_format_is_refused_by_line() {
    let files = Files::new();
    let log = files.put("access.log", "one\ntwo\n10.0.0.1 three\n");
    let (code, _, err) = from(&["--access-log", &log, "--log-format", "combined"]);
    assert!(code == 2 && err.contains("access.log:1:1: 3 of 3 lines are broken"), "{err}");
    let (code, _, err) = from(&["--access-log", &log]);
    assert!(code == 2 && err.contains("--log-format"), "{err}");
    let (code, _, err) = from(&["--cpu", &files.put("cpu.csv", cpu(0.0))]);
    assert!(code == 2 && err.contains("no record tells of requests"), "{err}");
}

#[test]
fn metrics_alone_give_costs_by_route() {
    let files = Files::new();
    let all = requests();
    let mut names = Vec::new();
    for second in (0..=SECONDS as u32).step_by(5) {
        let count = |endpoint: usize| {
            let own = |one: &&(f64, usize, u64)| one.1 == endpoint && one.0 < f64::from(second);
            all.iter().filter(own).count() as f64
        };
        let used = CPU[0] * count(0) + CPU[1] * count(1) + 0.02 * f64::from(second);
        let mut text = format!("process_cpu_seconds_total {used:.6}\n");
        for (endpoint, labels) in
            [r#"handler="/items/{id}",method="GET""#, r#"handler="/quotes",method="POST""#]
                .iter()
                .enumerate()
        {
            let count = count(endpoint);
            writeln!(text, "http_request_duration_seconds_count{{{labels}}} {count}")
                .expect("a text");
            writeln!(text, "http_request_duration_seconds_sum{{{labels}}} {}", 0.005 * count)
                .expect("a text");
        }
        names.push(files.put(&format!("metrics.{}.txt", BEGIN as u64 + u64::from(second)), text));
    }
    let mut args = vec!["--cores", "1"];
    for name in &names {
        args.extend(["--prometheus", name]);
    }
    costs_are_right(&answer(&args), 0.1);
}

#[test]
fn uvicorns_log_tells_the_mix_alone() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/records/uvicorn.log");
    let answer = answer(&["--access-log", log]);
    let names: Vec<&str> = answer["endpoints"]
        .as_array()
        .expect("all")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["GET /items/{id}", "(not found)", "GET /users/alice", "POST /quotes"]);
    assert!(notes(&answer).contains("have no time"), "{answer:#}");
}
