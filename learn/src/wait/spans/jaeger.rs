//! Spans of Jaeger's JSON: what its page and `/api/traces` give.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::Attributes;
use super::{Kind, Span, Unreadable};
use crate::records::lines::{Account, Broken, Unit};

#[derive(Deserialize)]
struct Answer {
    data: Vec<Trace>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    #[serde(default)]
    spans: Vec<Value>,
    #[serde(default)]
    processes: BTreeMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
}

/// Times are microseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    #[serde(rename = "traceID")]
    trace: String,
    #[serde(rename = "spanID")]
    span: String,
    #[serde(default, rename = "parentSpanID")]
    parent: Option<String>,
    operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, rename = "processID")]
    process: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "spanID")]
    span: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

/// The spans of a document of Jaeger, and an account of those that are broken.
///
/// # Errors
/// It is another document.
pub fn jaeger(text: &str) -> Result<(Vec<Span>, Account), Unreadable> {
    let expected = "a document of Jaeger in JSON, as /api/traces answers";
    let answer: Answer =
        serde_json::from_str(text).map_err(|found| Unreadable::Json { expected, found })?;
    let mut account = Account { unit: Unit::Span, ..Account::default() };
    let mut spans = Vec::new();
    for trace in answer.data {
        for span in trace.spans {
            let begin = span.get("operationName").map(Value::to_string).unwrap_or_default();
            let taken = recorded(span, &trace.processes).map(|span| spans.extend(span));
            account.count(account.lines + 1, &begin, taken);
        }
    }
    Ok((spans, account))
}

/// None for a span without a number.
fn recorded(span: Value, processes: &BTreeMap<String, Process>) -> Result<Option<Span>, Broken> {
    let span: Recorded =
        serde_json::from_value(span).map_err(|error| Broken::new(format!("no span: {error}")))?;
    let service = processes.get(&span.process).map(|found| found.service_name.clone());
    Ok(of_span(span, service.unwrap_or_default()))
}

/// None for a span without a number: nothing can be said of its place.
fn of_span(span: Recorded, service: String) -> Option<Span> {
    let tags: Attributes = span.tags.into_iter().map(|tag| (tag.key, text(&tag.value))).collect();
    let kind = match tags.first(&["span.kind"]) {
        Some("server") => Kind::Server,
        Some("client") => Kind::Client,
        Some("producer") => Kind::Producer,
        Some("consumer") => Kind::Consumer,
        _ => Kind::Internal,
    };
    let child_of = span.references.into_iter().find(|one| one.ref_type == "CHILD_OF");
    let parent = child_of.map(|one| one.span).or(span.parent);
    let start = span.start_time.saturating_mul(1000);
    Some(Span {
        trace: u128::from_str_radix(&span.trace, 16).ok()?,
        id: number(&span.span)?,
        parent: parent.and_then(|parent| number(&parent)).filter(|parent| *parent != 0),
        service,
        kind,
        start,
        end: start.saturating_add(span.duration.saturating_mul(1000)),
        name: span.operation_name,
        work: tags.work(kind),
        failed: tags.first(&["error"]) == Some("true"),
    })
}

fn number(hex: &str) -> Option<u64> {
    u64::from_str_radix(hex, 16).ok()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
