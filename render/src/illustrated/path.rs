//! Changes one after the other, as steps.

use model::report::{KnobKind, Move, Report};

use crate::picture::{Axis, Bar, Colour, Numbers, Picture, Row, Rows, Shape, Unit};

/// What the steps lead to, each on top of those before it; none of fewer than two.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let bottleneck = report.bottleneck.as_ref()?;
    let moves = &bottleneck.path;
    if moves.len() < 2 {
        return None;
    }
    let height = Height::of(&bottleneck.goal);
    let mut before =
        height.pick(report.throughput.value, report.error_share, report.response_time.mean);
    let mut numbers = Numbers::new(&[
        ("step", None),
        ("change", None),
        ("kind", None),
        ("good answers", Some(Unit::Rate)),
        ("mean response time", Some(Unit::Time)),
        ("errors", Some(Unit::Share)),
        ("how", None),
    ]);
    numbers.row([
        "0".into(),
        "as it is".into(),
        "".into(),
        report.throughput.value.into(),
        report.response_time.mean.into(),
        report.error_share.into(),
        "".into(),
    ]);
    let pale = |to: f64| Bar { from: 0.0, to, colour: None, share: None };
    let start = Row {
        label: "as it is".into(),
        value: height.words(before),
        bars: vec![pale(before)],
        band: None,
        interval: None,
    };
    let (mut rows, mut ends) = (vec![start], vec![before]);
    for (index, one) in moves.iter().enumerate() {
        let after = height.pick(one.throughput, one.error_share, one.response_time);
        let colour = match one.kind {
            KnobKind::Setting => Colour::MAIN,
            KnobKind::Hardware => Colour::OTHER,
        };
        let step = Bar {
            from: before.min(after),
            to: before.max(after),
            colour: Some(colour),
            share: None,
        };
        rows.push(Row {
            label: format!("{}. {}", index + 1, words(one)),
            value: height.words(after),
            bars: vec![pale(before.min(after)), step],
            band: None,
            interval: None,
        });
        numbers.row([
            (index + 1).to_string().into(),
            words(one).into(),
            if one.kind == KnobKind::Hardware { "hardware" } else { "setting" }.into(),
            one.throughput.into(),
            one.response_time.into(),
            one.error_share.into(),
            one.how.clone().unwrap_or_default().into(),
        ]);
        ends.push(after);
        before = after;
    }
    let hardware = moves.iter().any(|one| one.kind == KnobKind::Hardware);
    let mut legend = vec![(Colour::MAIN, "setting".to_string())];
    legend.extend(hardware.then(|| (Colour::OTHER, "hardware".to_string())));
    Some(Picture {
        title: "What to change, step by step".into(),
        explanation: format!(
            "Each step is made on top of those above it. A bar is the {} after the step, its \
             coloured part what the step changes.",
            height.name
        ),
        alternative: format!(
            "Steps of the {}: from {} as it is to {} after {} changes, the first of which is {}.",
            height.name,
            height.words(ends[0]),
            height.words(before),
            moves.len(),
            words(&moves[0]),
        ),
        legend: if hardware { legend } else { Vec::new() },
        shape: Shape::Rows(Rows {
            axis: Axis::linear(height.unit, ends).with_room(),
            line: None,
            rows,
        }),
        numbers,
        name: "path",
    })
}

/// What the height of a step is.
struct Height {
    name: &'static str,
    unit: Unit,
}

impl Height {
    fn of(goal: &str) -> Height {
        match goal {
            "" | "throughput" => {
                Height { name: "number of good answers per second", unit: Unit::Rate }
            }
            "errors" => Height { name: "share of errors", unit: Unit::Share },
            // Of other times no more than the mean is known after each step.
            _ => Height { name: "mean response time", unit: Unit::Time },
        }
    }

    fn words(&self, value: f64) -> String {
        let unit = if self.unit == Unit::Rate { "/s" } else { "" };
        format!("{}{unit}", self.unit.words(value))
    }

    fn pick(&self, throughput: f64, errors: f64, time: f64) -> f64 {
        match self.unit {
            Unit::Rate => throughput,
            Unit::Share => errors,
            _ => time,
        }
    }
}

fn words(one: &Move) -> String {
    let change = |change: &model::report::Setting| {
        format!("{}: {} → {}", change.key, change.from, change.to)
    };
    one.changes.iter().map(change).collect::<Vec<_>>().join(", ")
}
