//! What happened when.

use model::report::{Interval, Report};

use crate::number;
use crate::picture::{
    Axis, Colour, Curve, CurvePanel, Curves, Numbers, Picture, Shape, Trace, Unit,
};

/// Throughput, response times and requests in flight over time.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let told = report.over_time.as_ref()?;
    let all = &told.intervals;
    let (first, last) = (all.first()?, all.last()?);
    let good =
        Panel { name: "good answers per second", colour: Colour::MAIN, pick: |one| Some(one.good) };
    let errors =
        Panel { name: "errors per second", colour: Colour::ALARM, pick: |one| Some(one.errors) };
    let p50 = Panel { name: "P50", colour: Colour::MAIN, pick: |one| one.p50 };
    let p99 = Panel { name: "P99", colour: Colour::ALARM, pick: |one| one.p99 };
    let in_flight =
        Panel { name: "requests in flight", colour: Colour::MAIN, pick: |one| Some(one.in_flight) };
    let failing = all.iter().any(|one| one.errors > 0.0);
    let rates: Vec<&Panel> = if failing { vec![&good, &errors] } else { vec![&good] };
    let label = if failing { "good answers and errors per second" } else { good.name };
    let times = [&p50, &p99];
    let values = |panels: &[&Panel]| -> Vec<f64> {
        panels.iter().flat_map(|panel| all.iter().filter_map(panel.pick)).collect()
    };
    let panel = |label: &str, axis: Axis, of: &[&Panel]| CurvePanel {
        label: label.to_string(),
        axis,
        curves: of.iter().map(|one| one.curve(all)).collect(),
        limits: Vec::new(),
    };
    let mut panels =
        vec![panel(label, Axis::linear(Unit::Rate, values(&rates)).with_room(), &rates)];
    if !values(&times).is_empty() {
        let axis = Axis::logarithmic(Unit::Time, values(&times)).with_room();
        panels.push(panel("response time of good answers: P50 and P99", axis, &times));
    }
    let axis = Axis::linear(Unit::Count, values(&[&in_flight])).with_room();
    panels.push(panel(in_flight.name, axis, &[&in_flight]));
    let warmup = report.run.warmup;
    let mut legend = vec![(Colour::MAIN, "good answers, P50, in flight".to_string())];
    let alarm = if failing { "errors, P99" } else { "P99" };
    legend.push((Colour::ALARM, alarm.to_string()));
    let shaded = (warmup > first.from).then_some((first.from, warmup));
    let runs = match told.runs {
        1 => "of one run".to_string(),
        runs => format!("over {runs} runs"),
    };
    let note = if shaded.is_some() {
        " The shaded time is the warm-up, which does not count."
    } else {
        ""
    };
    Some(Picture {
        title: "Over time".into(),
        explanation: format!("What happens from the first request on, {runs}.{note}"),
        alternative: seen(all, warmup, last.to),
        legend,
        shape: Shape::Curves(Curves {
            across: Axis::between(Unit::Time, first.from, last.to),
            shaded,
            mark: None,
            panels,
        }),
        numbers: numbers(all),
        name: "over-time",
    })
}

/// A curve and its name.
struct Panel {
    name: &'static str,
    colour: Colour,
    pick: fn(&Interval) -> Option<f64>,
}

impl Panel {
    fn curve(&self, all: &[Interval]) -> Curve {
        let points = all.iter().map(|one| ((one.from + one.to) / 2.0, (self.pick)(one)));
        let (trace, band) = (Trace::Line, Vec::new());
        Curve { colour: self.colour, points: points.collect(), trace, band }
    }
}

fn seen(all: &[Interval], warmup: f64, end: f64) -> String {
    let counted: Vec<&Interval> = all.iter().filter(|one| one.from >= warmup).collect();
    let range = |pick: fn(&Interval) -> f64| {
        let values = counted.iter().map(|one| pick(one));
        let (low, high) = values.fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        format!("between {} and {}", number::significant(low, 3), number::significant(high, 3))
    };
    format!(
        "Curves over {}. After the warm-up there are {} good answers per second and {} requests in \
         flight.",
        number::exact_time(end),
        range(|one| one.good),
        range(|one| one.in_flight)
    )
}

fn numbers(all: &[Interval]) -> Numbers {
    let mut numbers = Numbers::new(&[
        ("from", Some(Unit::Time)),
        ("to", Some(Unit::Time)),
        ("sent", Some(Unit::Rate)),
        ("good answers", Some(Unit::Rate)),
        ("errors", Some(Unit::Rate)),
        ("P50", Some(Unit::Time)),
        ("P99", Some(Unit::Time)),
        ("in flight at the end", Some(Unit::Count)),
    ]);
    for one in all {
        numbers.row([
            one.from.into(),
            one.to.into(),
            one.sent.into(),
            one.good.into(),
            one.errors.into(),
            one.p50.into(),
            one.p99.into(),
            one.in_flight.into(),
        ]);
    }
    numbers
}
