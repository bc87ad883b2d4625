//! Spans by old and current names, in JSON of the collector and of Jaeger, and what exporters of
//! Python sent.

use std::fs;

use super::{Kind, Span, Unreadable, Work, jaeger, otlp_json_line, otlp_protobuf};

/// One span as a line of the collector's file exporter.
fn line(kind: u8, attributes: &[(&str, &str)]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
        .collect();
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":
        {{"stringValue":"shop"}}}}]}},"scopeSpans":[{{"scope":{{"name":"x"}},"spans":[{{
        "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"",
        "name":"a span","kind":{kind},"startTimeUnixNano":"1544712660000000000",
        "endTimeUnixNano":"1544712661000000000","attributes":[{}],"status":{{}}}}]}}]}}]}}"#,
        attributes.join(",")
    )
}

fn one(kind: u8, attributes: &[(&str, &str)]) -> Span {
    let spans = otlp_json_line(&line(kind, attributes)).expect("it is there");
    assert_eq!(spans.len(), 1);
    spans.into_iter().next().expect("it is there")
}

#[test]
fn what_every_span_has() {
    let span = one(2, &[]);
    assert_eq!(span.trace, 0x5b8efff798038103d269b633813fc60c);
    assert_eq!((span.id, span.parent), (0xeee19b7ec3c1b174, None));
    assert_eq!((span.service.as_str(), span.kind), ("shop", Kind::Server));
    assert_eq!(span.nanos(), 1_000_000_000);
    assert!(!span.failed);
}

#[test]
fn a_request_by_both_names() {
    let wanted = Work::Request {
        method: "GET".into(),
        route: Some("/items/{id}".into()),
        path: Some("/items/7".into()),
        status: Some(200),
    };
    let route = ("http.route", "/items/{id}");
    let current = [
        ("http.request.method", "GET"),
        ("url.path", "/items/7"),
        ("http.response.status_code", "200"),
        route,
    ];
    let older = [
        ("http.method", "GET"),
        ("http.target", "/items/7?x=1"),
        ("http.status_code", "200"),
        route,
    ];
    assert_eq!(one(2, &current).work, wanted);
    assert_eq!(one(2, &older).work, wanted);
}

#[test]
fn a_call_by_all_names() {
    let call = |attributes: &[(&str, &str)]| match one(3, attributes).work {
        Work::Call { peer, method, path } => format!("{method} {peer} {path}"),
        other => panic!("{other:?}"),
    };
    let method = ("http.method", "get");
    let url = ("http.url", "http://u:p@partner:9000/quote/3?x=1#y");
    assert_eq!(call(&[method, url]), "GET partner:9000 /quote/3");
    assert_eq!(call(&[method, ("http.url", "https://partner:443")]), "GET partner /");
    assert_eq!(call(&[method, ("http.host", "partner")]), "GET partner /");
    assert_eq!(
        call(&[method, url, ("net.peer.name", "p"), ("net.peer.port", "81")]),
        "GET p:81 /quote/3"
    );
    let current = [
        ("http.request.method", "POST"),
        ("server.address", "partner"),
        ("server.port", "443"),
        ("url.full", "https://partner/quote"),
    ];
    assert_eq!(call(&current), "POST partner /quote");
    assert_eq!(call(&[("peer.service", "prices"), method, url]), "GET prices /quote/3");
    let rpc = [("rpc.system", "grpc"), ("rpc.service", "Prices"), ("rpc.method", "Get")];
    assert_eq!(call(&rpc), " Prices Get");
}

#[test]
fn a_query_by_both_names() {
    let wanted = Work::Query {
        system: "postgresql".into(),
        statement: Some("SELECT 1".into()),
        operation: Some("SELECT".into()),
        table: None,
    };
    let current = [
        ("db.system.name", "postgresql"),
        ("db.query.text", "SELECT 1"),
        ("db.operation.name", "SELECT"),
    ];
    let older =
        [("db.system", "postgresql"), ("db.statement", "SELECT 1"), ("db.operation", "SELECT")];
    assert_eq!(one(3, &current).work, wanted);
    assert_eq!(one(3, &older).work, wanted);
    assert_eq!(one(3, &[("db.system", "postgresql")]).work, Work::Other, "it only connects");
}

#[test]
fn what_is_no_trace_is_refused() {
    for text in
        ["", "{", "7", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"}]}]}]}"#]
    {
        assert!(matches!(otlp_json_line(text), Err(Unreadable::Json { .. })), "{text}");
        assert!(matches!(jaeger(text), Err(Unreadable::Json { .. })), "{text}");
    }
    assert!(otlp_protobuf(b"\xff\xff").is_err());
    assert_eq!(otlp_json_line(r#"{"resourceMetrics":[]}"#).expect("it is there"), []);
    let nameless = line(2, &[]).replace("eee19b7ec3c1b174", "");
    assert_eq!(
        otlp_json_line(&nameless).expect("it is there"),
        [],
        "a span without a number has no place"
    );
}

#[test]
fn jaeger_says_the_same() {
    let text = r#"{"data":[{"traceID":"5b8efff798038103d269b633813fc60c","spans":[
      {"traceID":"5b8efff798038103d269b633813fc60c","spanID":"a1","operationName":"GET /items/{id}",
       "references":[],"startTime":1544712660000000,"duration":1500,"processID":"p1","tags":[
        {"key":"span.kind","type":"string","value":"server"},
        {"key":"http.method","type":"string","value":"GET"},
        {"key":"http.status_code","type":"int64","value":503},
        {"key":"error","type":"bool","value":true}]},
      {"traceID":"5b8efff798038103d269b633813fc60c","spanID":"a2","operationName":"SELECT shop",
       "references":[{"refType":"CHILD_OF","traceID":"5b8e","spanID":"a1"}],
       "startTime":1544712660000100,"duration":900,"processID":"p1","tags":[
        {"key":"span.kind","value":"client"},{"key":"db.system","value":"sqlite"},
        {"key":"db.statement","value":"SELECT 1"}]}],
      "processes":{"p1":{"serviceName":"shop","tags":[]}}}]}"#;
    let (spans, account) = jaeger(text).expect("it is there");
    assert_eq!((account.lines, account.broken), (2, 0));
    let [request, query] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((request.kind, request.failed, request.nanos()), (Kind::Server, true, 1_500_000));
    assert!(matches!(request.work, Work::Request { status: Some(503), .. }));
    assert_eq!((query.parent, query.service.as_str()), (Some(0xa1), "shop"));
    assert!(matches!(query.work, Work::Query { .. }));
}

/// A line for each span: what the golden files hold.
fn text(spans: &[Span]) -> String {
    let begin = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let line = |span: &Span| {
        let [from, to] = [span.start, span.end].map(|at| (at - begin) / 1000);
        format!("{:?} {from} to {to} us, {}: {:?}\n", span.kind, span.name, span.work)
    };
    spans.iter().map(line).collect()
}

/// `learn/tests/otlp/`: bodies that the exporter for Python sent of one FastAPI app, with the
/// older names and with the current ones, and the same in JSON.
#[test]
fn what_exporters_send() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/otlp");
    for names in ["older", "current"] {
        let body = fs::read(format!("{folder}/{names}.pb")).expect("it is there");
        let spans = otlp_protobuf(&body).expect("it is there");
        testkit::golden(format!("{folder}/{names}.txt"), &text(&spans));
        let json = fs::read_to_string(format!("{folder}/{names}.json")).expect("it is there");
        assert_eq!(otlp_json_line(&json).expect("it is there"), spans, "{names}");
    }
}
