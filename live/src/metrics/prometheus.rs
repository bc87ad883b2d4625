//! Metrics as Prometheus reads them.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{self, Registry};

use super::buckets;
use super::family::{Family, Labels, Points, Times};

pub(super) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// The text of `families`. Names are those that Prometheus gives to metrics that come by OTLP: dots
/// become underscores, and units and `_total` are added.
///
/// # Errors
/// A label cannot be written.
pub(super) fn text(families: Vec<Family>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(families)));
    let mut text = String::new();
    prometheus_client::encoding::prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

/// The name of a metric or label.
pub(super) fn name(dotted: &str) -> String {
    dotted.replace('.', "_")
}

/// What is to be written.
#[derive(Debug)]
struct Scrape(Vec<Family>);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.0 {
            let unit = family.unit.suffix().map(|unit| registry::Unit::Other(unit.into()));
            let kind = match family.points {
                Points::Counter(_) => MetricType::Counter,
                Points::UpDown(_) | Points::Gauge(_) => MetricType::Gauge,
                Points::Histogram(_) => MetricType::Histogram,
            };
            let name = name(family.name);
            let help = format!("{}.", family.help);
            let metric = encoder.encode_descriptor(&name, &help, unit.as_ref(), kind)?;
            points(&family.points, metric)?;
        }
        Ok(())
    }
}

fn points(points: &Points, mut metric: MetricEncoder<'_>) -> fmt::Result {
    let set = |labels: &Labels| -> Vec<(String, String)> {
        labels.iter().map(|(key, value)| (name(key), value.clone())).collect()
    };
    match points {
        Points::Counter(all) => all.iter().try_for_each(|(labels, value)| {
            let none: Option<&Exemplar<NoLabelSet, f64>> = None;
            metric.encode_family(&set(labels))?.encode_counter(value, none)
        }),
        Points::UpDown(all) | Points::Gauge(all) => all.iter().try_for_each(|(labels, value)| {
            metric.encode_family(&set(labels))?.encode_gauge(value)
        }),
        Points::Histogram(all) => all
            .iter()
            .try_for_each(|(labels, times)| histogram(times, metric.encode_family(&set(labels))?)),
    }
}

fn histogram(times: &Times, mut metric: MetricEncoder<'_>) -> fmt::Result {
    let bounds = buckets::bounds().into_iter().chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(times.counts.iter().copied()).collect();
    metric.encode_histogram::<NoLabelSet>(times.sum, times.count(), &buckets, None)
}
