//! How response times are distributed.

use model::report::{Kind, Report};

use crate::number;
use crate::picture::{Colour, Histogram, Numbers, Panel, Picture, Shape, Unit};

/// The distributions of `reports` on one axis, below each other.
pub(crate) fn picture(reports: &[&Report]) -> Option<Picture> {
    let told: Vec<&Report> =
        reports.iter().copied().filter(|report| !report.distribution.is_empty()).collect();
    let mut numbers = Numbers::new(&[
        ("answers", None),
        ("from", Some(Unit::Time)),
        ("to", Some(Unit::Time)),
        ("share", Some(Unit::Share)),
        ("share up to here", Some(Unit::Share)),
    ]);
    let (mut panels, mut seen) = (Vec::new(), Vec::new());
    for report in &told {
        let (name, colour) = match report.kind {
            Kind::Predicted => ("predicted", Colour::MAIN),
            Kind::Measured => ("measured", Colour::OTHER),
        };
        let mut up_to = 0.0;
        for bin in &report.distribution {
            up_to += bin.share;
            let row =
                [bin.from.into(), bin.to.into(), bin.share.into(), f64::min(up_to, 1.0).into()];
            numbers.row(std::iter::once(name.into()).chain(row));
        }
        let times = &report.response_time;
        let marks =
            [("P50", "p50", times.p50), ("P95", "p95", times.p95), ("P99", "p99", times.p99)];
        let marks = marks.into_iter().filter(|(_, name, _)| report.tells(name));
        let marks: Vec<(String, f64)> =
            marks.map(|(name, _, time)| (format!("{name} {}", number::time(time)), time)).collect();
        let ends = report.distribution.first().zip(report.distribution.last());
        let range = ends.map_or(String::new(), |(first, last)| {
            format!("{} to {}", number::time(first.from), number::time(last.to))
        });
        let named: Vec<String> = marks.iter().map(|(name, _)| name.clone()).collect();
        seen.push(format!("{name}: {range}, {}", named.join(", ")));
        panels.push(Panel {
            label: name.into(),
            colour,
            bins: report.distribution.iter().map(|bin| (bin.from, bin.to, bin.share)).collect(),
            marks,
        });
    }
    (!panels.is_empty()).then(|| Picture {
        title: "How long answers take".into(),
        explanation: "The higher a bar, the more good answers take as long as the axis below it says. \
                      The axis is logarithmic: each step to the right is so many times longer. Half \
                      of the answers are left of P50, 99 of 100 left of P99."
            .into(),
        alternative: format!(
            "Histogram of response times on a logarithmic axis. {}.",
            seen.join(". ")
        ),
        legend: Vec::new(),
        shape: Shape::Histogram(Histogram { panels }),
        numbers,
        name: "response-times",
    })
}
