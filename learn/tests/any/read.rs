//! Any bytes as a record of any form. The fuzzer in `fuzz/` and the tests beside this file use it.

use learn::records::Requests;
use learn::records::cpu::{Form, samples};
use learn::records::json_log::JsonLog;
use learn::records::k6::Run;
use learn::records::lines::each;
use learn::records::log_format::{LogFormat, NAMES};
use learn::records::prometheus::Metrics;
use learn::wait::requests::requests as of_spans;
use learn::wait::spans::{jaeger, otlp_json_line, otlp_protobuf};

/// Gives `bytes` to every reader, as the first line also a format string of a server. None of them
/// panics; none takes more than all lines for broken.
pub(crate) fn read(bytes: &[u8]) {
    let mut requests = Requests::with_room(Vec::new(), 64);
    let mut formats: Vec<LogFormat> =
        NAMES.iter().map(|name| LogFormat::new(name).expect("a known format")).collect();
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    formats.extend(std::str::from_utf8(first).ok().and_then(|line| LogFormat::new(line).ok()));
    let (mut json, mut k6) = (JsonLog::default(), Run::default());
    let mut spans = Vec::new();
    let account = each(bytes, |line| {
        for format in &formats {
            format.entry(line).ok().flatten().iter().for_each(|entry| requests.add(entry));
        }
        let others = [json.entry(line), k6.json(line), k6.csv(line)];
        others.iter().flatten().flatten().for_each(|entry| requests.add(entry));
        spans.extend(otlp_json_line(line).unwrap_or_default());
        Ok(())
    });
    assert_eq!(account.expect("bytes in memory").broken, 0);
    for form in [Form::Table, Form::Pidstat, Form::Docker, Form::Cgroup] {
        let (cpu, account) = samples(form, bytes).expect("bytes in memory");
        assert!(account.broken <= account.lines);
        for counter in cpu.sources.values() {
            assert!(counter.points().is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{counter:?}");
            counter.span().and_then(|[from, to]| counter.between(from, to));
        }
    }
    let mut metrics = Metrics::default();
    for account in [metrics.text(bytes, Some(1.0)), metrics.range(bytes)].into_iter().flatten() {
        assert!(account.broken <= account.lines);
    }
    metrics.cpu();
    metrics.requests();
    if let Ok((found, account)) = jaeger(&String::from_utf8_lossy(bytes)) {
        assert!(account.broken <= account.lines);
        spans.extend(found);
    }
    spans.extend(otlp_protobuf(bytes).unwrap_or_default());
    of_spans(&spans);
    let before = requests.held.len();
    let (settled, held) = requests.settle(5);
    assert_eq!(held.len(), before);
    assert!(held.iter().all(|one| (one.class as usize) < settled.endpoints.len()));
}
