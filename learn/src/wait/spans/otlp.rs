//! Spans of OTLP: the messages that exporters send, and the lines that the collector's file
//! exporter writes.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest as Export;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span as Recorded};
use prost::Message;

use super::attributes::Attributes;
use super::{Kind, Span, Unreadable};

/// The spans of one message in protobuf.
///
/// # Errors
/// It is another message.
pub fn otlp_protobuf(message: &[u8]) -> Result<Vec<Span>, Unreadable> {
    Ok(spans(Export::decode(message)?))
}

/// The spans of one message in JSON: a line of the collector's file exporter, or a body.
///
/// # Errors
/// It is something else. Lines of metrics and logs hold no spans.
pub fn otlp_json_line(line: &str) -> Result<Vec<Span>, Unreadable> {
    let expected = "a trace message of OTLP in JSON";
    let export =
        serde_json::from_str(line).map_err(|found| Unreadable::Json { expected, found })?;
    Ok(spans(export))
}

fn spans(export: Export) -> Vec<Span> {
    export.resource_spans.into_iter().flat_map(of_resource).collect()
}

fn of_resource(resource: ResourceSpans) -> impl Iterator<Item = Span> {
    let about = resource.resource.map(|found| attributes(found.attributes)).unwrap_or_default();
    let service = about.first(&["service.name"]).unwrap_or_default().to_owned();
    let recorded = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
    recorded.filter_map(move |span| of_span(span, &service))
}

/// None for a span without a number: nothing can be said of its place.
fn of_span(span: Recorded, service: &str) -> Option<Span> {
    let kind = match span.kind() {
        SpanKind::Server => Kind::Server,
        SpanKind::Client => Kind::Client,
        SpanKind::Producer => Kind::Producer,
        SpanKind::Consumer => Kind::Consumer,
        SpanKind::Internal | SpanKind::Unspecified => Kind::Internal,
    };
    Some(Span {
        trace: u128::from_be_bytes(span.trace_id.try_into().ok()?),
        id: number(span.span_id)?,
        parent: number(span.parent_span_id).filter(|parent| *parent != 0),
        service: service.to_owned(),
        kind,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        work: attributes(span.attributes).work(kind),
        name: span.name,
        failed: span.status.is_some_and(|status| status.code() == StatusCode::Error),
    })
}

fn number(bytes: Vec<u8>) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    pairs.into_iter().filter_map(|pair| Some((pair.key, text(pair.value?)?))).collect()
}

fn text(value: AnyValue) -> Option<String> {
    match value.value? {
        Value::StringValue(text) => Some(text),
        Value::BoolValue(value) => Some(value.to_string()),
        Value::IntValue(value) => Some(value.to_string()),
        Value::DoubleValue(value) => Some(value.to_string()),
        _ => None,
    }
}
