//! What each change by itself gains.

use model::report::{Knob, KnobKind, Report};
use model::statistics::Estimate;

use crate::number;
use crate::picture::{Axis, Bar, Cell, Colour, Interval, Numbers, Picture, Row, Rows, Shape, Unit};

/// Changes that are shown; all are among the numbers.
const SHOWN: usize = 8;

/// The changes that were tried, the best first.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    // A gain is relative to what there is.
    if report.throughput.value <= 0.0 {
        return None;
    }
    let goal = report.bottleneck.as_ref().map_or("", |bottleneck| bottleneck.goal.as_str());
    let of_goal = !matches!(goal, "" | "throughput");
    let gain = |knob: &Knob| -> Option<Estimate> {
        let reached = if of_goal { knob.improvement } else { Some(knob.gain) };
        reached.filter(|_| knob.reached)
    };
    let mut tried: Vec<(&Knob, Estimate)> =
        report.knobs.iter().filter_map(|knob| Some((knob, gain(knob)?))).collect();
    tried.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    let count = tried.len();
    // What may be chance is shown only if there is nothing else.
    if tried.iter().any(|(_, gain)| sure(gain)) {
        tried.retain(|(_, gain)| sure(gain));
    }
    tried.truncate(SHOWN);
    let others = match count - tried.len() {
        0 => String::new(),
        1 => " One other was tried: it is among the numbers below.".into(),
        others => format!(" {others} others were tried: they are among the numbers below."),
    };
    let best = tried.first()?;
    let what = if of_goal { format!("better {goal}") } else { "more good answers".to_string() };
    let alternative = format!(
        "Bars, the longest first. The longest is {} from {} to {}: {}, plus or minus {}.",
        best.0.knob,
        best.0.from,
        best.0.to,
        number::change(best.1.value),
        number::percent(best.1.half_width()),
    );
    let hardware = tried.iter().any(|(knob, _)| knob.kind == KnobKind::Hardware);
    let mut legend = vec![(Colour::MAIN, "setting".to_string())];
    legend.extend(hardware.then(|| (Colour::OTHER, "hardware".to_string())));
    let ends = tried.iter().flat_map(|(_, gain)| [gain.low, gain.high]);
    let axis = Axis::linear(Unit::Change, ends).with_room();
    Some(Picture {
        title: format!("What each change by itself gains: {what}"),
        explanation: format!(
            "Each limit was relaxed by itself and the same requests were simulated again. A bar is \
             what that gains; the line on it is the interval that the gain lies in. If the line \
             reaches zero, the gain may be chance.{others}"
        ),
        alternative,
        legend: if hardware { legend } else { Vec::new() },
        shape: Shape::Rows(Rows { axis, line: Some(0.0), rows: tried.iter().map(row).collect() }),
        numbers: numbers(report, of_goal.then_some(goal)),
        name: "changes",
    })
}

/// It is no chance.
fn sure(gain: &Estimate) -> bool {
    gain.low > 0.0 || gain.high < 0.0
}

fn row((knob, gain): &(&Knob, Estimate)) -> Row {
    let colour = match knob.kind {
        KnobKind::Setting => Colour::MAIN,
        KnobKind::Hardware => Colour::OTHER,
    };
    let Estimate { value, low, high } = *gain;
    Row {
        label: format!("{}: {} → {}", knob.knob, knob.from, knob.to),
        value: number::change(value),
        bars: vec![Bar {
            from: value.min(0.0),
            to: value.max(0.0),
            colour: Some(colour),
            share: None,
        }],
        band: None,
        interval: Some(Interval { low, point: value, high, colour: None }),
    }
}

/// All that were tried, those that were never reached included.
fn numbers(report: &Report, goal: Option<&str>) -> Numbers {
    let better = format!("better {}", goal.unwrap_or_default());
    let mut columns = vec![("change", None), ("from", None), ("to", None), ("kind", None)];
    if goal.is_some() {
        columns.extend([
            (better.as_str(), Some(Unit::Change)),
            ("its half interval", Some(Unit::Share)),
        ]);
    }
    columns.extend([
        ("good answers", Some(Unit::Rate)),
        ("gain", Some(Unit::Change)),
        ("half interval of the gain", Some(Unit::Share)),
        ("mean response time", Some(Unit::Change)),
    ]);
    let mut numbers = Numbers::new(&columns);
    for knob in &report.knobs {
        let kind = match (knob.reached, knob.kind) {
            (false, _) => "never reached",
            (_, KnobKind::Setting) => "setting",
            (_, KnobKind::Hardware) => "hardware",
        };
        let known = |value: f64| Cell::from(knob.reached.then_some(value));
        let mut row: Vec<Cell> = vec![
            knob.knob.as_str().into(),
            knob.from.as_str().into(),
            knob.to.as_str().into(),
            kind.into(),
        ];
        if goal.is_some() {
            let improvement = knob.improvement.filter(|_| knob.reached);
            row.push(improvement.map(|one| one.value).into());
            row.push(improvement.map(|one| one.half_width()).into());
        }
        row.extend([
            knob.throughput.into(),
            known(knob.gain.value),
            known(knob.gain.half_width()),
            known(knob.response_time_change.value),
        ]);
        numbers.row(row);
    }
    numbers
}
