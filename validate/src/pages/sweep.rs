//! A sweep: both curves, point by point.

use model::statistics::Estimate;
use model::sweep::Knee;
use render::page::{Align, Page, Series, Table};
use render::{Answer, number};

use super::tables::MARKS;
use super::validation::{full, marked, sentences, verdict};
use crate::judge::comparison::Comparison;
use crate::judge::metric::Metric;
use crate::judge::side::Side;
use crate::judge::words::{half, value, value_or_dash};
use crate::sweep::{Point, Sweep};

impl Answer for Sweep {
    /// The numbers, the curves, where they bend, and all points together.
    fn page(&self) -> Page {
        let mut page = Page::new();
        match &self.summary {
            Some(_) => page.table_with_legend(measured(self), MARKS),
            None => page.table(predicted(self)),
        }
        page.series(curves(self));
        page.lines(knees(self));
        if let Some(summary) = &self.summary {
            page.lines(sentences(&comparisons(self)));
            page.append(summary.page());
        }
        page
    }
}

/// Throughput at each value of the key.
fn curves(sweep: &Sweep) -> Series {
    let measured = |point: &Point| {
        let row = point.comparison.as_ref()?.overall(Metric::Throughput)?;
        Some(row.measured?.value)
    };
    let points = || sweep.points.iter();
    Series {
        key: sweep.key.clone(),
        points: points().map(|point| point.value.clone()).collect(),
        quantity: "good/s".into(),
        curves: vec![
            ("predicted".into(), points().map(|at| Some(at.predicted.throughput.value)).collect()),
            ("measured".into(), points().map(measured).collect()),
        ],
    }
}

fn comparisons(sweep: &Sweep) -> Vec<&Comparison> {
    sweep.points.iter().filter_map(|point| point.comparison.as_ref()).collect()
}

/// The predicted curve alone.
fn predicted(sweep: &Sweep) -> Table {
    let mut table = Table::new(&[
        (&sweep.key, Align::Right),
        ("predicted", Align::Right),
        ("", Align::Left),
        ("P95", Align::Right),
        ("P99", Align::Right),
        ("CPU", Align::Right),
        ("errors", Align::Right),
        ("full", Align::Left),
    ]);
    for Point { value: at, predicted: figures, .. } in &sweep.points {
        let throughput = side(figures.throughput);
        table.row([
            at.clone(),
            value_or_dash(Metric::Throughput, throughput),
            half(Metric::Throughput, throughput),
            time(figures.p95),
            time(figures.p99),
            share(figures.cpu),
            share(Some(figures.error_share)),
            figures.full.clone().unwrap_or_else(|| "nothing".into()),
        ]);
    }
    table
}

/// Both curves.
fn measured(sweep: &Sweep) -> Table {
    let mut table = Table::new(&[
        (&sweep.key, Align::Right),
        ("predicted", Align::Right),
        ("", Align::Left),
        ("measured", Align::Right),
        ("", Align::Left),
        ("error", Align::Right),
        ("verdict", Align::Left),
        ("P95 predicted", Align::Right),
        ("measured", Align::Right),
        ("CPU predicted", Align::Right),
        ("measured", Align::Right),
        ("full", Align::Left),
    ]);
    for point in &sweep.points {
        let (figures, comparison) = (&point.predicted, point.comparison.as_ref());
        let there = |metric: Metric| comparison.and_then(|c| c.overall(metric)?.measured);
        // What pairs with the measurement is in the comparison; the rest is the same.
        let throughput = side(figures.throughput);
        table.row([
            point.value.clone(),
            value_or_dash(Metric::Throughput, throughput),
            half(Metric::Throughput, throughput),
            value_or_dash(Metric::Throughput, there(Metric::Throughput)),
            half(Metric::Throughput, there(Metric::Throughput)),
            comparison.map_or("-  ".into(), |c| marked(c, Metric::Throughput)),
            comparison.map_or("not measured", |c| verdict(c.verdict)).into(),
            time(figures.p95),
            value_or_dash(Metric::P95, there(Metric::P95)),
            share(figures.cpu),
            value_or_dash(Metric::Utilisation, there(Metric::Utilisation)),
            comparison.map_or("-".into(), |c| full(&c.bottleneck)),
        ]);
    }
    table
}

fn side(estimate: Estimate) -> Option<Side> {
    Some(Side {
        low: Some(estimate.low),
        high: Some(estimate.high),
        ..Side::alone(estimate.value)?
    })
}

fn time(seconds: Option<Estimate>) -> String {
    seconds.map_or("-".into(), |seconds| value(Metric::P95, seconds.value))
}

fn share(share: Option<f64>) -> String {
    share.map_or("-".into(), number::percent)
}

/// Where the curves bend.
fn knees(sweep: &Sweep) -> Vec<String> {
    let key = &sweep.key;
    let (predicted, measured) = (sweep.predicted_knee.words(), sweep.measured_knee.words());
    let bends = match (predicted, measured) {
        (None, None) => return Vec::new(),
        (Some(predicted), None) => format!("Predicted: more of {key} {predicted}"),
        (None, Some(measured)) => format!("Measured: more of {key} {measured}"),
        (Some(both), Some(measured)) if both == measured => {
            format!("Predicted and measured alike: more of {key} {both}")
        }
        (Some(predicted), Some(measured)) => {
            format!("Predicted: more of {key} {predicted}; measured: it {measured}")
        }
    };
    vec![format!("{bends} ({}).", Knee::RULE)]
}
