//! What differs between workers.

use model::report::Report;

use crate::number;
use crate::picture::{Axis, Bar, Colour, Numbers, Picture, Row, Rows, Shape, Unit};

/// The share of each worker, the busiest of each run first.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let workers = &report.workers;
    let (most, least) = (workers.first()?, workers.last()?);
    let even = 1.0 / workers.len() as f64;
    let mut numbers = Numbers::new(&[
        ("worker", None),
        ("answers", Some(Unit::Share)),
        ("connections", Some(Unit::Count)),
        ("CPUs in use", Some(Unit::Count)),
        ("loop at work", Some(Unit::Share)),
        ("loop lag", Some(Unit::Time)),
    ]);
    let mut rows = Vec::new();
    for (index, one) in workers.iter().enumerate() {
        let name = (index + 1).to_string();
        rows.push(Row {
            label: format!("worker {name}"),
            value: number::percent(one.answers),
            bars: vec![Bar { from: 0.0, to: one.answers, colour: Some(Colour::MAIN), share: None }],
            band: None,
            interval: None,
        });
        numbers.row([
            name.into(),
            one.answers.into(),
            one.connections.into(),
            one.cpu.into(),
            one.busy.into(),
            one.lag.into(),
        ]);
    }
    let values = workers.iter().map(|one| one.answers).chain([even]);
    Some(Picture {
        title: "What each worker answers".into(),
        explanation: format!(
            "A bar is a worker's share of the good answers, the busiest of each run first. The mark \
             is an even share, {}.",
            number::percent(even)
        ),
        alternative: format!(
            "Bars of {} workers: the busiest answers {}, the last {}.",
            workers.len(),
            number::percent(most.answers),
            number::percent(least.answers)
        ),
        legend: Vec::new(),
        shape: Shape::Rows(Rows {
            axis: Axis::linear(Unit::Share, values).with_room(),
            line: Some(even),
            rows,
        }),
        numbers,
        name: "workers",
    })
}
