//! What the metrics say, in both formats.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message as _;

use super::families::families;
use super::family::{Points, Unit};
use super::otlp::{self, Instants};
use super::prometheus;
use super::sample::book;
use crate::watch::Message;
use crate::watch::sample::{SECOND, round, second};

const NOW: u64 = 5 * SECOND;

fn text(predicted: bool, seconds: u64) -> String {
    prometheus::text(families(&book(predicted, seconds), NOW)).expect("text")
}

/// The number after the series `name`, such as `rung_round{rung_source="measured",…}`.
fn number(text: &str, name: &str, labels: &[&str]) -> f64 {
    let mut lines = text.lines().filter(|line| {
        let series = line.split(['{', ' ']).next();
        series == Some(name) && labels.iter().all(|label| line.contains(label))
    });
    let line = lines.next().unwrap_or_else(|| panic!("{name} {labels:?} in\n{text}"));
    assert_eq!(lines.next(), None, "{name} {labels:?}");
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}

const MEASURED: &str = r#"rung_source="measured""#;
const PREDICTED: &str = r#"rung_source="predicted""#;

#[test]
fn both_sides_have_the_same_names() {
    let text = text(true, 4);
    // Four seconds of 100 answers of 20 ms each, and of 40 predicted ones of 10 ms each.
    for (name, labels, measured, predicted) in [
        ("http_server_request_duration_seconds_count", "", 400.0, 160.0),
        ("http_server_request_duration_seconds_bucket", r#"le="0.015""#, 0.0, 160.0),
        ("http_server_request_duration_seconds_bucket", r#"le="0.03""#, 400.0, 160.0),
        ("http_server_request_duration_seconds_bucket", r#"le="+Inf""#, 400.0, 160.0),
        ("http_server_active_requests", "", 4.0, 2.0),
        ("rung_answers_total", r#"rung_endpoint="quote""#, 300.0, 120.0),
        ("rung_errors_total", r#"error_type="pool_timeout""#, 4.0, 0.4),
        ("rung_arrivals_dropped_total", "", 0.0, 8.0),
        ("process_cpu_time_seconds_total", "", 1.8, 1.6),
        ("process_cpu_utilization_ratio", "", 0.45, 0.4),
        ("process_memory_usage_bytes", "", f64::from(80 << 20), 1e6),
        ("rung_place_requests", r#"rung_place="cpu""#, 0.4, 0.4),
        ("rung_station_utilization_ratio", "semaphore", 0.1, 0.25),
        ("rung_throughput_per_second", "", 100.0, 40.0),
        ("rung_response_time_seconds", r#"rung_statistic="mean""#, 0.02, 0.01),
    ] {
        for (source, expected) in [(MEASURED, measured), (PREDICTED, predicted)] {
            let found = number(&text, name, &[source, labels, r#"rung_scenario="shop-0""#]);
            let near = (found - expected).abs() <= 1e-3 * expected;
            assert!(near, "{name} {source}: {found}, not {expected}");
        }
    }
    let sum = |source| number(&text, "http_server_request_duration_seconds_sum", &[source]);
    assert!((sum(MEASURED) - 8.0).abs() < 0.01 && (sum(PREDICTED) - 1.6).abs() < 1e-9);
}

#[test]
fn nothing_is_none_and_never_less() {
    assert!(!text(true, 4).contains(" -0"));
}

#[test]
fn an_error_on_one_side_is_none_on_the_other() {
    let mut book = book(true, 0);
    let other = vec![("timeout".to_string(), 3)];
    book.feed(crate::watch::Sample { errors: other, ..second(0, 100) }.into(), NOW);
    let text = prometheus::text(families(&book, NOW)).expect("text");
    let errors = |source, kind| number(&text, "rung_errors_total", &[source, kind]);
    assert_eq!([MEASURED, PREDICTED].map(|source| errors(source, "\"timeout\"")), [3.0, 0.0]);
    assert_eq!([MEASURED, PREDICTED].map(|source| errors(source, "pool_timeout")), [0.0, 0.1]);
}

#[test]
fn without_a_prediction_only_what_is_measured_is_there() {
    let text = text(false, 4);
    assert!(text.contains(MEASURED) && !text.contains(PREDICTED), "{text}");
    assert_eq!(number(&text, "rung_counting", &[]), 1.0);
    assert_eq!(number(&text, "rung_round", &[]), 1.0);
}

#[test]
fn nothing_is_told_before_anything_is_known() {
    assert_eq!(prometheus::text(families(&super::book::Book::default(), 0)), Ok(String::new()));
    // A scenario that was not begun has no counters.
    assert!(!text(true, 4).contains("shop-1"));
}

#[test]
fn counters_go_on_over_rounds_and_warm_ups_and_values_are_of_the_present_round() {
    let mut book = book(true, 12);
    book.feed(round(1, 0), NOW);
    book.feed(Message::Load, NOW);
    book.feed(second(0, 10).into(), NOW);
    book.feed(round(0, 1), NOW);
    book.feed(second(0, 50).into(), NOW);
    let text = prometheus::text(families(&book, NOW)).expect("text");
    let count = |scenario| {
        number(&text, "http_server_request_duration_seconds_count", &[MEASURED, scenario])
    };
    assert_eq!((count(r#"rung_scenario="shop-0""#), count("shop-1")), (1250.0, 10.0));
    assert!(number(&text, "rung_round", &[r#"rung_scenario="shop-0""#]) == 2.0);
}

#[test]
fn what_a_service_does_not_say_is_left_out() {
    let mut book = book(false, 0);
    let silent = second(0, 100);
    let silent = crate::watch::Sample { places: vec![0; 3], workers: Vec::new(), ..silent };
    book.feed(silent.into(), NOW);
    let text = prometheus::text(families(&book, NOW)).expect("text");
    for name in ["rung_place", "rung_station", "db_client", "process_memory", "process_cpu_time"] {
        assert!(!text.contains(name), "{name} in\n{text}");
    }
    assert!(text.contains("process_cpu_utilization_ratio"));
}

#[test]
fn otlp_has_the_same_metrics() {
    let families = families(&book(true, 4), NOW);
    let body = otlp::body(&families, Instants { start: 1, now: 2 });
    let request = ExportMetricsServiceRequest::decode(&*body).expect("protobuf");
    let [resource] = &request.resource_metrics[..] else { panic!("{request:?}") };
    let metrics = &resource.scope_metrics[0].metrics;
    assert_eq!(metrics.len(), families.len());
    for (metric, family) in metrics.iter().zip(&families) {
        assert_eq!((&*metric.name, &*metric.unit), (family.name, family.unit.ucum()));
        match (metric.data.as_ref().expect("points"), &family.points) {
            (Data::Sum(sum), Points::Counter(all)) => {
                assert!(sum.is_monotonic && sum.data_points.len() == all.len());
                assert_eq!(sum.aggregation_temporality, 2, "cumulative");
            }
            (Data::Sum(sum), Points::UpDown(all)) => {
                assert!(!sum.is_monotonic && sum.data_points.len() == all.len());
            }
            (Data::Gauge(gauge), Points::Gauge(all)) => {
                assert_eq!(gauge.data_points.len(), all.len());
                assert_eq!(gauge.data_points[0].time_unix_nano, 2);
            }
            (Data::Histogram(histogram), Points::Histogram(all)) => {
                let point = &histogram.data_points[0];
                assert_eq!(
                    (point.count, &point.bucket_counts),
                    (all[0].1.count(), &all[0].1.counts)
                );
                assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                assert_eq!(point.start_time_unix_nano, 1);
            }
            (data, points) => panic!("{data:?} of {points:?}"),
        }
    }
}

#[test]
fn a_share_has_the_unit_that_only_values_may_have() {
    // Prometheus adds `_ratio` to gauges alone.
    for family in families(&book(true, 4), NOW) {
        let gauge = matches!(family.points, Points::Gauge(_));
        assert!(gauge || family.unit != Unit::Ratio, "{}", family.name);
    }
}

#[test]
fn every_series_has_labels_of_its_own() {
    let text = text(true, 4);
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series)
        .collect();
    assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len(), "{text}");
}

/// The dashboard that comes with the program.
fn dashboard() -> serde_json::Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/grafana/rung.json");
    let text = std::fs::read_to_string(file).expect("the dashboard");
    serde_json::from_str(&text).expect("JSON")
}

/// All texts below a key of `value`.
fn all<'v>(value: &'v serde_json::Value, key: &str) -> Vec<&'v str> {
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .flat_map(|(name, inner)| match inner.as_str() {
                Some(text) if name == key => vec![text],
                _ => all(inner, key),
            })
            .collect(),
        serde_json::Value::Array(list) => list.iter().flat_map(|inner| all(inner, key)).collect(),
        _ => Vec::new(),
    }
}

/// The words of `text`, each with the character after it.
fn words(text: &str) -> Vec<(String, Option<char>)> {
    let mut words = vec![(String::new(), None)];
    for c in text.chars() {
        let (word, next) = words.last_mut().expect("one at least");
        match (c.is_ascii_alphanumeric() || c == '_', word.is_empty()) {
            (true, _) => word.push(c),
            (false, true) => {}
            (false, false) => {
                *next = Some(c);
                words.push((String::new(), None));
            }
        }
    }
    words.retain(|(word, _)| !word.is_empty());
    words
}

#[test]
fn the_dashboard_asks_for_what_is_there() {
    let text = text(true, 4);
    let dashboard = dashboard();
    let queries = all(&dashboard, "expr");
    assert!(queries.len() > 15, "{queries:?}");
    let has_label = |label: &str| text.contains(&format!("{label}=\""));
    for query in &queries {
        let words = words(query);
        let metrics: Vec<&String> =
            words.iter().filter(|(_, next)| *next == Some('{')).map(|(word, _)| word).collect();
        assert!(!metrics.is_empty(), "{query}");
        for metric in metrics {
            assert!(text.contains(&format!("\n{metric}{{")), "{metric} is not exposed: {query}");
        }
        for (label, _) in words.iter().filter(|(_, next)| *next == Some('=')) {
            assert!(has_label(label), "no metric has the label {label}: {query}");
        }
        assert!(query.contains("{rung_scenario=\"$scenario\""), "{query}");
    }
    let grouped = queries.iter().filter_map(|query| query.split_once("by (")?.1.split_once(')'));
    for (labels, _) in grouped {
        assert!(labels.split(", ").all(has_label), "{labels}");
    }
    for legend in all(&dashboard, "legendFormat") {
        let labels = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        assert!(labels.map(|(label, _)| label).all(has_label), "{legend}");
    }
    // Every metric is worth a look.
    let asked: String = queries.concat();
    for family in families(&book(true, 4), NOW) {
        let name = prometheus::name(family.name);
        assert!(asked.contains(&name), "no query asks for {name}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert_eq!(dashboard["uid"], "rung-live");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has a number of its own");
    let mut cells = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(panel["type"].is_string() && panel["description"].is_string(), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64());
        let [x, y, w, h] = [x, y, w, h].map(|number| number.expect("a number"));
        assert!(x + w <= 24 && w > 0 && h > 0, "{title}");
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
            assert!(cells.insert(cell), "{title} lies over another panel");
        }
        let targets = panel["targets"].as_array().expect("queries");
        let refs: BTreeSet<_> = targets.iter().map(|one| one["refId"].as_str()).collect();
        assert!(refs.len() == targets.len() && !refs.contains(&None), "{title}");
    }
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let names: Vec<_> = variables.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["datasource", "scenario"]);
}
