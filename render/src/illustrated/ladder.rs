//! Rungs of a ladder, or reports side by side.

use crate::ladder::Step;
use crate::number;
use crate::page::{Fact, Page};
use crate::picture::{Axis, Bar, Colour, Interval, Numbers, Picture, Row, Rows, Shape, Unit};

/// The page of a ladder: `numbers` are its tables, `sentences` what is said of it first.
pub(crate) fn ladder(title: String, steps: &[Step], sentences: Vec<String>, numbers: Page) -> Page {
    let mut page = Page::new();
    page.title(title);
    page.facts(facts(steps));
    page.lines_with_the_first_strong(sentences);
    throughput(steps).into_iter().for_each(|picture| page.picture(picture));
    times(steps).into_iter().for_each(|picture| page.picture(picture));
    let changes: Vec<(String, Vec<String>)> = steps.iter().filter_map(change).collect();
    if !changes.is_empty() {
        page.heading("What to change first");
        page.answers(changes);
    }
    page.part("All numbers", numbers);
    page
}

/// What holds a rung back.
fn change(step: &Step) -> Option<(String, Vec<String>)> {
    let bottleneck = step.report.bottleneck.as_ref()?;
    let how = bottleneck.how.iter().map(|how| format!("How: {how}."));
    let sentences = std::iter::once(bottleneck.sentence.clone()).chain(how);
    Some((step.name.clone(), sentences.collect()))
}

/// The first rung, the best, and the last.
fn facts(steps: &[Step]) -> Vec<Fact> {
    let best = steps.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    // Reports side by side are in no order.
    let ordered = steps.iter().any(|step| step.turned.is_some());
    let first = steps.first().filter(|_| ordered).map(|step| ("First", step));
    let best = best.map(|step| ("Most good answers", step));
    let last = steps.last().filter(|_| ordered && steps.len() > 1).map(|step| ("Last", step));
    let fact = |(name, step): (&str, &Step)| Fact {
        name: format!("{name}: {}", step.name),
        value: format!("{}/s", number::rate(rate(step))),
        detail: step.turned.clone().unwrap_or_default(),
    };
    first.into_iter().chain(best).chain(last).map(fact).collect()
}

fn rate(step: &Step) -> f64 {
    step.report.throughput.value
}

/// Good answers per second of each rung.
fn throughput(steps: &[Step]) -> Option<Picture> {
    let (first, last) = (steps.first()?, steps.last()?);
    let mut numbers = Numbers::new(&[
        ("rung", None),
        ("change", None),
        ("good answers", Some(Unit::Rate)),
        ("low", Some(Unit::Rate)),
        ("high", Some(Unit::Rate)),
        ("published", Some(Unit::Rate)),
        ("errors", Some(Unit::Share)),
    ]);
    let mut rows = Vec::new();
    for step in steps {
        let of = &step.report.throughput;
        let published = step.report.published.as_ref().map(|published| published.throughput);
        numbers.row([
            step.name.as_str().into(),
            step.turned.clone().unwrap_or_default().into(),
            of.value.into(),
            of.low.into(),
            of.high.into(),
            published.into(),
            step.report.error_share.into(),
        ]);
        rows.push(Row {
            label: label(step),
            value: format!("{}/s", number::rate(of.value)),
            bars: vec![Bar { from: 0.0, to: of.value, colour: Some(Colour::MAIN), share: None }],
            band: None,
            interval: (of.high > of.low).then_some(Interval {
                low: of.low,
                point: of.value,
                high: of.high,
                colour: None,
            }),
        });
    }
    let ends = steps.iter().map(|step| step.report.throughput.high.max(rate(step)));
    Some(Picture {
        title: "Good answers per second".into(),
        explanation:
            "Each rung makes one change more than the one above it. The line at the end of \
                      a bar is its interval."
                .into(),
        alternative: format!(
            "Bars, one for each rung: from {}/s at {} to {}/s at {}.",
            number::rate(rate(first)),
            first.name,
            number::rate(rate(last)),
            last.name
        ),
        legend: Vec::new(),
        shape: Shape::Rows(Rows {
            axis: Axis::linear(Unit::Rate, ends).with_room(),
            line: None,
            rows,
        }),
        numbers,
        name: "rungs",
    })
}

/// P50 to P99 of each rung with a good answer.
fn times(steps: &[Step]) -> Option<Picture> {
    let good: Vec<&Step> = steps.iter().filter(|step| step.report.run.samples > 0).collect();
    let fastest = good.iter().min_by(|a, b| p99(a).total_cmp(&p99(b)))?;
    let mut numbers = Numbers::new(&[
        ("rung", None),
        ("mean", Some(Unit::Time)),
        ("P50", Some(Unit::Time)),
        ("P95", Some(Unit::Time)),
        ("P99", Some(Unit::Time)),
    ]);
    let mut rows = Vec::new();
    for step in &good {
        let times = &step.report.response_time;
        numbers.row([
            step.name.as_str().into(),
            times.mean.into(),
            times.p50.into(),
            times.p95.into(),
            times.p99.into(),
        ]);
        rows.push(Row {
            label: label(step),
            value: format!("{} to {}", number::time(times.p50), number::time(times.p99)),
            bars: vec![Bar {
                from: times.p50,
                to: times.p99,
                colour: Some(Colour::MAIN),
                share: None,
            }],
            band: None,
            interval: None,
        });
    }
    let ends = good.iter().flat_map(|step| [step.report.response_time.p50 * 0.8, p99(step)]);
    Some(Picture {
        title: "Response times: from P50 to P99".into(),
        explanation:
            "A bar begins at what half of the good answers take and ends at what 99 of 100 \
                      take, on a logarithmic axis."
                .into(),
        alternative: format!(
            "Bars from P50 to P99, one for each rung. The least P99 is {} at {}.",
            number::time(p99(fastest)),
            fastest.name
        ),
        legend: Vec::new(),
        shape: Shape::Rows(Rows {
            axis: Axis::logarithmic(Unit::Time, ends).with_room(),
            line: None,
            rows,
        }),
        numbers,
        name: "times-of-rungs",
    })
}

fn p99(step: &Step) -> f64 {
    step.report.response_time.p99
}

fn label(step: &Step) -> String {
    match &step.turned {
        Some(turned) => format!("{}: {turned}", step.name),
        None => step.name.clone(),
    }
}
