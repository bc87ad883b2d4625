//! A number that is to be kept, at several settings, and its limit.

use model::objective::{Judged, Measure, Objective, State};

use crate::picture::{Axis, Colour, Curve, CurvePanel, Trace, Unit};

/// Values above and below which an axis is logarithmic.
const FAR: f64 = 20.0;

/// What a number is measured in.
pub(super) fn unit(measure: &Measure) -> Unit {
    match measure {
        Measure::Time(..) => Unit::Time,
        Measure::Throughput(_) => Unit::Rate,
        Measure::Errors(_) | Measure::Utilisation(_) => Unit::Share,
        Measure::InFlight | Measure::InFlightPeak => Unit::Count,
        Measure::Memory => Unit::Bytes,
    }
}

/// What is said of an objective at several places of an axis; none if it is told nowhere.
pub(super) fn panel(objective: &str, at: &[(f64, &Judged)]) -> Option<CurvePanel> {
    let known: Objective = objective.parse().ok()?;
    let told: Vec<(f64, &Judged, f64)> =
        at.iter().filter_map(|(place, one)| Some((*place, *one, one.value?))).collect();
    let limit = told.first()?.1.limit;
    let ends = |(_, one, value): &(f64, &Judged, f64)| {
        [*value, one.low.unwrap_or(*value), one.high.unwrap_or(*value)]
    };
    let values: Vec<f64> = told.iter().flat_map(ends).chain([limit]).collect();
    let dots = |state: State, colour: Colour| {
        let these = || told.iter().filter(move |(_, one, _)| one.state == state);
        Curve {
            colour,
            points: these().map(|(place, _, value)| (*place, Some(*value))).collect(),
            trace: Trace::Dots,
            band: these()
                .filter_map(|(place, one, _)| Some((*place, one.low?, one.high?)))
                .collect(),
        }
    };
    // Dots are not joined by a line, which would be broken at each change of state.
    let apart = |mut curve: Curve| {
        let points = std::mem::take(&mut curve.points);
        curve.points = points.into_iter().flat_map(|point| [point, (point.0, None)]).collect();
        curve
    };
    Some(CurvePanel {
        label: capital(&known.measure.words()),
        axis: Axis::fitting(unit(&known.measure), &values, FAR).with_room(),
        curves: vec![
            apart(dots(State::Kept, Colour::MAIN)),
            apart(dots(State::Broken, Colour::ALARM)),
        ],
        limits: vec![(limit, format!("limit: {objective}"))],
    })
}

/// Meanings of the colours of such panels.
pub(super) fn legend() -> Vec<(Colour, String)> {
    vec![(Colour::MAIN, "kept".into()), (Colour::ALARM, "broken, and the limit".into())]
}

/// A state in a word.
pub(super) fn word(judged: &Judged) -> &'static str {
    match (judged.state, judged.sure) {
        (State::Unknown, _) => "not told",
        (State::Kept, true) => "kept",
        (State::Kept, false) => "kept, not sure",
        (State::Broken, true) => "broken",
        (State::Broken, false) => "broken, not sure",
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
