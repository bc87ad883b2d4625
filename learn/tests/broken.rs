//! Broken lines of each format: one in twenty is left out, counted and named; more, and the file is
//! refused with the line of the first.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Lines of a record, in which one in twenty may be broken.
const LINES: usize = 200;
const FEW: usize = LINES / 20;
/// When records begin.
const BEGIN: u64 = 1_795_890_600;

/// A format: how it is named on the command line, the line of names that it begins with, a good
/// line by its number, and a broken one.
struct Format {
    option: &'static str,
    with: &'static [&'static str],
    head: &'static str,
    good: fn(usize) -> String,
    broken: &'static str,
}

fn formats() -> Vec<Format> {
    vec![
        Format {
            option: "--k6",
            with: &[],
            head: "",
            good: |line| {
                format!(
                    r#"{{"metric":"http_req_duration","type":"Point","data":{{"time":"2026-11-28T18:{:02}:{:02}.5Z","value":5,"tags":{{"method":"GET","name":"http://a/items/1","status":"200","url":"http://a/items/1"}}}}}}"#,
                    line / 60,
                    line % 60
                )
            },
            broken: r#"{"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-28T18:30:"#,
        },
        Format {
            option: "--k6",
            with: &[],
            head: "metric_name,timestamp,metric_value,method,name,status,url",
            good: |line| {
                format!("http_req_duration,{},47.5,GET,http://a/i,200,http://a/i", at(line))
            },
            broken: "http_req_duration,soon,47.5,GET,http://a/i,200,http://a/i",
        },
        Format {
            option: "--access-log",
            with: &["--log-format", "uvicorn"],
            head: "",
            good: |line| format!("INFO:     127.0.0.1:{line} - \"GET /items/1 HTTP/1.1\" 200 OK"),
            broken: "INFO:     127.0.0.1:35490 - \"GET /items/1 HTTP/1.1\" OK",
        },
        Format {
            option: "--access-log",
            with: &["--log-format", r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(D)s"#],
            head: "",
            good: |line| common(line, "12345"),
            broken: "127.0.0.1 - - [28/Nov/2026:18:30:19 +0000] \"GET /items/1 HTTP/1.1\" 200 2 soon",
        },
        Format {
            option: "--access-log",
            with: &[
                "--log-format",
                r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time"#,
            ],
            head: "",
            good: |line| common(line, "0.012"),
            broken: "127.0.0.1 - - [28/Nov/2026:18:30:19 +0000] \"GET /items",
        },
        Format {
            option: "--access-log",
            with: &["--log-format", "envoy"],
            head: "",
            good: |line| {
                format!(
                    r#"[2026-11-28T18:{:02}:{:02}.310Z] "GET /items/1 HTTP/2" 200 - via_upstream - "-" 154 0 226 100 "10.0.35.28" "k6" "a1" "shop" "tcp://10.0.2.1:80""#,
                    line / 60,
                    line % 60
                )
            },
            broken: r#"[2026-11-28T18:30:19.310Z] "GET /items/1 HTTP/2" none - via_upstream - "-" 154 0 226 100 "10.0.35.28" "k6" "a1" "shop" "tcp://10.0.2.1:80""#,
        },
        Format {
            option: "--access-log",
            with: &["--log-format", "caddy"],
            head: "",
            good: |line| {
                format!(
                    r#"{{"ts":{}.5,"logger":"http.log.access.log0","request":{{"method":"GET","uri":"/items/1"}},"duration":0.01,"status":200}}"#,
                    at(line)
                )
            },
            broken: r#"{"ts":1795890619.5,"logger":"http.log.access.log0","request":{"method":"GET","uri":"/it"#,
        },
        Format {
            option: "--access-log",
            with: &["--log-format", "json"],
            head: "",
            good: |line| {
                format!(
                    r#"{{"timestamp":{},"method":"GET","path":"/items/1","status":200,"duration_ms":12}}"#,
                    at(line)
                )
            },
            broken: r#"{"timestamp":1795890619,"method":"GET","path":"/items/1","status":200,"duration_ms":"soon"}"#,
        },
        Format {
            option: "--otlp",
            with: &[],
            head: "",
            good: |line| {
                format!(
                    r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"5b8efff798038103d269b633813f{line:04x}","spanId":"eee19b7ec3c1{line:04x}","name":"GET /items","kind":2,"startTimeUnixNano":"{0}000000000","endTimeUnixNano":"{0}010000000","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},{{"key":"http.route","value":{{"stringValue":"/items"}}}}]}}]}}]}}]}}"#,
                    at(line)
                )
            },
            broken: r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff7980"#,
        },
        Format {
            option: "--prometheus",
            with: &[],
            head: "",
            good: |line| {
                format!("http_requests_total{{handler=\"/items\"}} {line} {}000", at(line))
            },
            broken: "http_requests_total{handler=\"/items\" 7",
        },
        Format {
            option: "--cpu",
            with: &[],
            head: "time,cpu_seconds_total",
            good: |line| format!("{},{}.5", at(line), line),
            broken: "1795890619,a lot",
        },
        Format {
            option: "--cpu",
            with: &[],
            head: "# Time        UID       PID    %usr %system  %guest   %wait    %CPU   CPU  Command",
            good: |line| {
                format!("{}  0  21358  40.00  2.00  0.00  1.00  42.00  1  uvicorn", at(line))
            },
            broken: "1795890619  0  21358  40.00  2.00",
        },
        Format {
            option: "--cpu",
            with: &[],
            head: "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT",
            good: |line| format!("{} 0f3c1c5b2a1d   api   42.50%   51.2MiB / 7.7GiB", at(line)),
            broken: "1795890619 0f3c1c5b2a1d   api   --   51.2MiB / 7.7GiB",
        },
        Format {
            option: "--cpu",
            with: &[],
            head: "",
            good: |line| format!("{}.0 usage_usec {}000", at(line), line),
            broken: "1795890619.0 usage_usec some",
        },
    ]
}

fn at(line: usize) -> u64 {
    BEGIN + line as u64
}

fn common(line: usize, duration: &str) -> String {
    let (minute, second) = (line / 60, line % 60);
    format!(
        "127.0.0.1 - - [28/Nov/2026:18:{minute:02}:{second:02} +0000] \"GET /items/1 HTTP/1.1\" 200 2 {duration}"
    )
}

/// A record with so many broken lines, of which the first is the third.
fn record(format: &Format, broken: usize) -> String {
    let head = usize::from(!format.head.is_empty());
    let mut lines: Vec<String> = (0..LINES - head).map(format.good).collect();
    for index in 0..broken {
        lines[2 - head + 15 * index] = format.broken.to_owned();
    }
    if head > 0 {
        lines.insert(0, format.head.to_owned());
    }
    lines.join("\n") + "\n"
}

struct Lab(TempDir);

impl Lab {
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let file: PathBuf = self.0.path().join(name);
        fs::write(&file, bytes).expect("a file");
        file.display().to_string()
    }

    /// What `learn from` says of a record: exit code, answer, remarks. A record of CPU stands beside
    /// one of requests.
    fn from(&self, option: &str, file: &str, with: &[&str]) -> (u8, String, String) {
        let requests: String = (0..LINES).map(|line| common(line, "0.012") + "\n").collect();
        let requests = self.put("requests.log", requests);
        let mut args = vec!["learn", "from", option, file];
        args.extend(with);
        if option == "--cpu" {
            args.extend([
                "--access-log",
                &requests,
                "--log-format",
                "%h %l %u %t \"%r\" %s %b %{s}T",
            ]);
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = learn::cli::run(args, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (exit.code(), text(out), text(err))
    }
}

#[test]
fn one_line_in_twenty_may_be_broken_in_every_format() {
    let lab = Lab(tempfile::tempdir().expect("a folder"));
    for format in formats() {
        let Format { option, with, .. } = format;
        let few = lab.put("record", record(&format, FEW));
        let (code, out, err) = lab.from(option, &few, with);
        let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 0, "{option} {with:?} {}: {err}", format.broken);
        let wanted = format!("{FEW} of {LINES} lines are broken and were left out: line 3: ");
        assert!(out.contains(&wanted), "{option} {with:?}: {out}");
        let many = lab.put("record", record(&format, FEW + 1));
        let (code, _, err) = lab.from(option, &many, with);
        let wanted = format!("record:3:1: {} of {LINES} lines are broken: line 3: ", FEW + 1);
        assert!(code == 2 && err.contains(&wanted), "{option} {with:?} {code}: {err}");
    }
}

#[test]
fn one_part_in_twenty_of_a_document_may_be_broken() {
    let lab = Lab(tempfile::tempdir().expect("a folder"));
    type Part = fn(usize) -> String;
    type Document = (&'static str, &'static str, Part, &'static str, &'static str, &'static str);
    let documents: [Document; 2] = [
        (
            "--prometheus",
            r#"{"status":"success","data":{"result":["#,
            |index| {
                format!(
                    r#"{{"metric":{{"__name__":"http_requests_total","handler":"/{index}"}},"values":[[1795890600,"1"],[1795890700,"9"]]}}"#
                )
            },
            r#"{"metric":{"__name__":"http_requests_total"},"values":[["now","1"]]}"#,
            "]}}",
            "series",
        ),
        (
            "--jaeger",
            r#"{"data":[{"traceID":"a1","processes":{},"spans":["#,
            |index| {
                format!(
                    r#"{{"traceID":"a1","spanID":"{:x}","operationName":"GET /items","startTime":{}000000,"duration":9,"tags":[{{"key":"span.kind","value":"server"}},{{"key":"http.method","value":"GET"}},{{"key":"http.route","value":"/items"}}]}}"#,
                    index + 1,
                    at(index)
                )
            },
            r#"{"traceID":"a1","spanID":"b1","operationName":"GET /items","startTime":"now"}"#,
            "]}]}",
            "span",
        ),
    ];
    for (option, begin, good, broken, end, unit) in documents {
        let document = |broken_ones: usize| {
            let part = |index: usize| {
                if (2..2 + broken_ones).contains(&index) { broken.to_owned() } else { good(index) }
            };
            let parts: Vec<String> = (0..LINES).map(part).collect();
            lab.put("record.json", format!("{begin}{}{end}", parts.join(",\n")))
        };
        let (code, out, err) = lab.from(option, &document(FEW), &[]);
        let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = format!("are broken and were left out: {unit} 3: no {unit}: ");
        assert!(code == 0 && out.contains(&wanted), "{option} {code}: {out}{err}");
        let (code, _, err) = lab.from(option, &document(FEW + 1), &[]);
        let wanted = format!("{} of {LINES} ", FEW + 1);
        assert!(
            code == 2 && err.contains(&wanted) && err.contains(&format!("{unit} 3: ")),
            "{err}"
        );
        // A document that breaks off is refused.
        let whole = fs::read(document(0)).expect("a file of ours");
        let half = lab.put("record.json", &whole[..whole.len() / 2]);
        let (code, _, err) = lab.from(option, &half, &[]);
        assert!(code == 2 && err.contains("record.json"), "{option}: {err}");
    }
}

#[test]
fn every_record_says_the_same_when_it_is_packed() {
    use std::io::{Read as _, Write as _};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records");
    let lab = Lab(tempfile::tempdir().expect("a folder"));
    for entry in fs::read_dir(folder).expect("a folder of ours") {
        let path = entry.expect("a file of ours").path();
        let plain = fs::read(&path).expect("a file of ours");
        let mut packed = Vec::new();
        // Two members, one after the other, as log rotation may leave them.
        let (first, second) = plain.split_at(plain.len() / 2);
        for part in [first, second] {
            let mut gzip =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(part).expect("memory");
            packed.extend(gzip.finish().expect("memory"));
        }
        let file = lab.put("packed", packed);
        let mut read = Vec::new();
        let mut open = learn::records::lines::open(Path::new(&file)).expect("a file of ours");
        open.read_to_end(&mut read).expect("gzip");
        assert_eq!(read, plain, "{}", path.display());
    }
}
