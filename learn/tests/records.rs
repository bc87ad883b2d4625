//! Records of each format, as their documentation has them or as the real programs wrote them, and what is
//! read of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use learn::records::json_log::JsonLog;
use learn::records::k6::Run;
use learn::records::lines::{Broken, each, open};
use learn::records::log_format::LogFormat;
use learn::records::{Entry, Target, cpu, prometheus};
use learn::wait::spans::{Span, jaeger};
use testkit::golden;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records")
}

/// What is read of a log, one request a line.
fn requests(file: &str, mut entry: impl FnMut(&str) -> Result<Option<Entry>, Broken>) -> String {
    let mut text = format!("{file}\n");
    let from = open(&folder().join(file)).expect("a record");
    let account = each(from, |line| {
        if let Some(entry) = entry(line)? {
            let (kind, target) = match &entry.target {
                Target::Path(path) => ("path", path.clone()),
                Target::Route(route) => ("route", route.clone()),
                Target::Named(name, path) => ("name", format!("{name} {path}")),
            };
            let number =
                |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.6}"));
            writeln!(
                text,
                "  {} {kind} {target}: status {}, came {}, stayed {}{}{}",
                entry.method,
                entry.status.map_or("-".into(), |status| status.to_string()),
                number(entry.came()),
                number(entry.stay()),
                if entry.user.is_some() { ", of a user" } else { "" },
                if entry.elsewhere { ", answered elsewhere" } else { "" },
            )
            .expect("a text");
        }
        Ok(())
    })
    .expect("a record");
    writeln!(text, "  {} lines, {} broken {:?}", account.lines, account.broken, account.first)
        .expect("a text");
    text
}

const GUNICORN: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s"#;
const NGINX: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time"#;

#[test]
fn requests_of_each_format_are_read() {
    let mut text = String::new();
    for (file, format) in [
        ("uvicorn.log", "uvicorn"),
        ("gunicorn.log", GUNICORN),
        ("nginx.log", NGINX),
        ("nginx.log", "combined"),
        ("envoy.log", "envoy"),
    ] {
        let format = LogFormat::new(format).expect("a format");
        text += &requests(file, |line| format.entry(line));
    }
    for file in ["caddy.log", "json.log"] {
        let mut json = JsonLog::default();
        text += &requests(file, |line| json.entry(line));
    }
    let mut run = Run::default();
    text += &requests("k6.ndjson", |line| run.json(line));
    writeln!(text, "  users {:?}", run.population()).expect("a text");
    let mut run = Run::default();
    text += &requests("k6.csv", |line| run.csv(line));
    writeln!(text, "  users {:?}", run.population()).expect("a text");
    golden(folder().join("requests.txt"), &text);
}

#[test]
fn cpu_of_each_format_is_read() {
    let mut text = String::new();
    let mut show = |file: &str, cpu: cpu::Cpu| {
        writeln!(text, "{file}").expect("a text");
        for (name, counter) in &cpu.sources {
            let points: Vec<String> =
                counter.points().iter().map(|(time, sum)| format!("{time:.1} {sum:.3}")).collect();
            let resets = counter.resets;
            writeln!(text, "  {name}: {}; {resets} resets", points.join(", ")).expect("a text");
        }
        cpu.notes.iter().for_each(|note| writeln!(text, "  {note}").expect("a text"));
    };
    for file in [
        "cpu.csv",
        "percent.csv",
        "pidstat.txt",
        "pidstat-h.txt",
        "docker.txt",
        "docker.ndjson",
        "cgroup.txt",
    ] {
        show(file, cpu::read(&folder().join(file)).unwrap_or_else(|error| panic!("{error}")));
    }
    for file in ["range.json", "cadvisor.json", "scraped.txt"] {
        let metrics = prometheus::read(&[folder().join(file)]);
        let metrics = metrics.unwrap_or_else(|error| panic!("{error}"));
        show(file, metrics.cpu());
        let requests = metrics.requests();
        for one in &requests {
            let last = |counter: &cpu::Counter| counter.points().last().copied();
            let [requests, seconds] = [&one.requests, &one.seconds]
                .map(|all| all.iter().filter_map(last).collect::<Vec<_>>());
            show(
                &format!("{} {}: {requests:?} {seconds:?}", one.method, one.route),
                cpu::Cpu::default(),
            );
        }
    }
    golden(folder().join("cpu.txt"), &text);
}

#[test]
fn spans_of_each_format_are_read() {
    let mut text = String::new();
    let file = folder().join("jaeger.json");
    let document = std::fs::read_to_string(file).expect("a record");
    let (spans, account) = jaeger(&document).expect("a document of Jaeger");
    for span in spans {
        let (nanos, failed) = (span.nanos(), if span.failed { ", failed" } else { "" });
        let Span { service, kind, start, name, work, parent, .. } = span;
        let parent = parent.map_or(String::new(), |parent| format!(" below {parent:x}"));
        writeln!(text, "{service} {kind:?} {name}{parent}: {start} + {nanos} ns{failed}: {work:?}")
            .expect("a text");
    }
    writeln!(text, "{} spans, {} broken", account.lines, account.broken).expect("a text");
    golden(folder().join("spans.txt"), &text);
}

#[test]
fn formats_that_cannot_be_used_are_refused_with_a_reason() {
    for (format, reason) in [
        ("nonsense", "neither a known name"),
        ("%(h)s %(s)s", "no field for the request"),
        ("$request$status", "nothing in between"),
    ] {
        let error = LogFormat::new(format).expect_err(format).to_string();
        assert!(error.contains(reason), "{format}: {error}");
    }
}
