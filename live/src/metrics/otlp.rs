//! Metrics as OTLP has them, in protobuf.

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::buckets;
use super::family::{Family, Labels, Points, Times};

/// Type of the body of a request.
pub(super) const CONTENT_TYPE: &str = "application/x-protobuf";
/// What the metrics are of, and who has made them.
const NAME: &str = "rung";

/// When metrics were collected, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instants {
    /// When counters began at zero.
    pub(super) start: u64,
    /// Now.
    pub(super) now: u64,
}

/// The body of a request that exports `families`.
pub(super) fn body(families: &[Family], at: Instants) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION").to_string();
    let scope = InstrumentationScope { name: NAME.into(), version, ..Default::default() };
    let metrics = families.iter().map(|family| metric(family, at)).collect();
    let scope = ScopeMetrics { scope: Some(scope), metrics, ..Default::default() };
    let attributes = attributes(&vec![("service.name", NAME.to_string())]);
    let resource = Resource { attributes, ..Default::default() };
    let metrics = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![scope],
        ..Default::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![metrics] }.encode_to_vec()
}

/// What a collector has not taken of a request that it has answered with `body`; none if it has
/// taken all.
pub(super) fn rejected(body: &[u8]) -> Option<String> {
    let partial = ExportMetricsServiceResponse::decode(body).ok()?.partial_success?;
    (partial.rejected_data_points > 0).then(|| {
        let (count, why) = (partial.rejected_data_points, partial.error_message);
        format!("{count} points were rejected: {why}")
    })
}

fn metric(family: &Family, at: Instants) -> Metric {
    let numbers = |all: &[(Labels, f64)]| -> Vec<NumberDataPoint> {
        all.iter().map(|(labels, value)| number(labels, *value, at)).collect()
    };
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    let sum = |all, is_monotonic| {
        Data::Sum(Sum { data_points: numbers(all), aggregation_temporality, is_monotonic })
    };
    let data = match &family.points {
        Points::Counter(all) => sum(all, true),
        Points::UpDown(all) => sum(all, false),
        Points::Gauge(all) => Data::Gauge(Gauge { data_points: numbers(all) }),
        Points::Histogram(all) => {
            let points = all.iter().map(|(labels, times)| histogram(labels, times, at));
            Data::Histogram(Histogram { data_points: points.collect(), aggregation_temporality })
        }
    };
    Metric {
        name: family.name.into(),
        description: format!("{}.", family.help),
        unit: family.unit.ucum().into(),
        data: Some(data),
        ..Default::default()
    }
}

fn number(labels: &Labels, value: f64, at: Instants) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: at.start,
        time_unix_nano: at.now,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..Default::default()
    }
}

fn histogram(labels: &Labels, times: &Times, at: Instants) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: at.start,
        time_unix_nano: at.now,
        count: times.count(),
        sum: Some(times.sum),
        bucket_counts: times.counts.clone(),
        explicit_bounds: buckets::bounds(),
        ..Default::default()
    }
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    let attribute = |(key, value): &(&'static str, String)| KeyValue {
        key: key.to_string(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.clone())) }),
        ..Default::default()
    };
    labels.iter().map(attribute).collect()
}
