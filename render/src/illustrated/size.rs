//! How much load a service takes, and how much of each thing is left.

use model::objective::{Judged, Objective};
use model::report::{Headroom, Level, LoadKind, Size};

use super::judged;
use crate::number;
use crate::page::{Fact, Page};
use crate::picture::{
    Axis, Bar, Cell, Colour, Curves, Interval, Numbers, Picture, Row, Rows, Shape, Unit,
};
use crate::size::nothing;

/// Loads of which the largest is more times the least are on a logarithmic axis.
const FAR: f64 = 10.0;
/// A load so many times as high as the answer is near to it.
const NEAR: f64 = 1.6;

/// The page: `numbers` are its tables, `sentence` is the answer, `more` are sentences below it.
pub(crate) fn size(size: &Size, sentence: String, more: Vec<String>, numbers: Page) -> Page {
    let mut page = Page::new();
    page.title(format!("{}: how much it takes", size.scenario));
    page.facts(facts(size));
    page.lines_with_the_first_strong(std::iter::once(sentence).chain(more).collect());
    pictures(size).into_iter().for_each(|picture| page.picture(picture));
    page.part("All numbers", numbers);
    page
}

pub(super) fn pictures(size: &Size) -> Vec<Picture> {
    [levels(size), headroom(size)].into_iter().flatten().collect()
}

fn facts(size: &Size) -> Vec<Fact> {
    let fact =
        |name: &str, value: String, detail: String| Fact { name: name.into(), value, detail };
    let mut all = Vec::new();
    if let Some(holds) = &size.holds {
        let (low, high) = (size.load.number(holds.low), size.load.number(holds.high));
        let confidence = number::percent(size.confidence);
        let detail = format!("{low} to {high} with {confidence} confidence");
        all.push(fact("It holds", size.load.words(holds.value), detail));
    }
    if let Some(most) = size.unbroken {
        let detail = "the most that was tried".to_string();
        all.push(fact("It holds", size.load.words(most), detail));
    }
    if let Some(rate) = size.throughput.filter(|_| size.load == LoadKind::Users) {
        let value = format!("{}/s", number::rate(rate.value));
        all.push(fact("Good answers per second there", value, String::new()));
    }
    let breaks = size.breaks.as_ref().and_then(|breaks| breaks.objective.as_ref());
    if let Some(one) = breaks {
        all.push(fact("Breaks first", one.objective.clone(), one.found.clone()));
    }
    let full = size.breaks.as_ref().and_then(|breaks| breaks.full.first());
    if let Some(full) = full {
        let name = format!("Of {} in use there", full.id.words());
        all.push(fact(&name, number::percent(full.utilisation), String::new()));
    }
    all
}

/// The loads that a picture shows: where there is an answer, none far above it, whose numbers would leave no
/// room for the others.
fn near(size: &Size) -> impl Iterator<Item = &Level> {
    let most = size.holds.map_or(f64::INFINITY, |holds| NEAR * holds.high);
    size.levels.iter().filter(move |level| level.load <= most)
}

/// What was found at each load.
fn levels(size: &Size) -> Option<Picture> {
    let (unit, loads) = match size.load {
        LoadKind::Users => (Unit::Count, "users"),
        LoadKind::Rate => (Unit::Rate, "requests per second"),
    };
    let at = |index: usize| -> Vec<(f64, &Judged)> {
        let one = |level: &'_ Level| level.objectives.get(index).map(|_| level.load);
        let with = near(size).filter(|level| one(level).is_some());
        with.map(|level| (level.load, &level.objectives[index])).collect()
    };
    let panels: Vec<_> = (size.objectives.iter().enumerate())
        .filter_map(|(index, objective)| judged::panel(objective, &at(index)))
        .map(|mut panel| {
            panel.label += &format!(", by {loads}");
            panel
        })
        .collect();
    if panels.is_empty() {
        return None;
    }
    let tried: Vec<f64> = near(size).map(|level| level.load).collect();
    let shaded = size.holds.map(|holds| (holds.low, holds.high));
    let answer = match &size.holds {
        Some(holds) => format!(
            "The answer is {}, between {} and {}.",
            size.load.words(holds.value),
            size.load.number(holds.low),
            size.load.number(holds.high)
        ),
        None => "No load is the answer.".to_string(),
    };
    let grey = match shaded {
        Some(_) => {
            " The grey band is the interval of the answer, the line in it the answer itself. Loads far above \
             it stand in the table only."
        }
        None => "",
    };
    let (first, last) = (tried.first()?, tried.last()?);
    Some(Picture {
        title: "What was found at each load".into(),
        explanation: format!(
            "A dot is a load that was tried: its number, and the interval of that. The dashed line is the \
             limit.{grey}"
        ),
        alternative: format!(
            "Dots for {} loads from {} to {}, for each objective. {answer}",
            tried.len(),
            size.load.words(*first),
            size.load.words(*last)
        ),
        legend: judged::legend(),
        shape: Shape::Curves(Curves {
            across: Axis::fitting(unit, &tried, FAR).with_room(),
            shaded,
            mark: size.holds.map(|holds| (holds.value, size.load.words(holds.value))),
            panels,
        }),
        numbers: numbers(size, loads, unit),
        name: "loads",
    })
}

fn numbers(size: &Size, loads: &str, unit: Unit) -> Numbers {
    let mut columns = vec![(loads.to_string(), Some(unit))];
    for objective in &size.objectives {
        let unit = objective.parse::<Objective>().ok().map(|one| judged::unit(&one.measure));
        columns.push((objective.clone(), None));
        columns.extend(["value", "low", "high"].map(|name| (format!("{name} of it"), unit)));
    }
    columns.push(("all".into(), None));
    columns.push(("runs".into(), Some(Unit::Count)));
    let columns: Vec<(&str, Option<Unit>)> =
        columns.iter().map(|(name, unit)| (name.as_str(), *unit)).collect();
    let mut numbers = Numbers::new(&columns);
    for level in &size.levels {
        let mut row: Vec<Cell> = vec![level.load.into()];
        for one in &level.objectives {
            row.extend([
                Cell::from(judged::word(one)),
                one.value.into(),
                one.low.into(),
                one.high.into(),
            ]);
        }
        row.push(level.words().into());
        row.push(f64::from(level.replications).into());
        numbers.row(row);
    }
    numbers
}

/// How much of each thing is left.
fn headroom(size: &Size) -> Option<Picture> {
    let ends = size.headroom.iter().filter_map(|one| one.holds.as_ref());
    let ends: Vec<f64> = ends.flat_map(|holds| [holds.kept.times, holds.broken.times]).collect();
    let least = size.headroom.iter().filter(|one| one.holds.is_some()).min_by(|one, other| {
        let times = |one: &Headroom| one.holds.as_ref().map_or(f64::MAX, |h| h.about.times);
        times(one).total_cmp(&times(other))
    });
    let alternative = match least.and_then(|one| Some((one, one.holds.as_ref()?))) {
        Some((one, holds)) => format!(
            "Bars, one for each thing. The least is left of {}: {}.",
            one.what,
            number::change(holds.about.times - 1.0)
        ),
        None => "Bars, one for each thing: no value breaks an objective, or none keeps all.".into(),
    };
    (!size.headroom.is_empty()).then(|| Picture {
        title: "How much is left before an objective breaks".into(),
        explanation: "Each thing is made worse by itself, under the load of the scenario. A bar is how \
                      much worse it may become, the line on it the interval: at its left end all \
                      objectives are surely kept, at its right end one is surely broken. A bar to the \
                      left of zero is how much better it has to become."
            .into(),
        alternative,
        legend: Vec::new(),
        shape: Shape::Rows(Rows {
            axis: Axis::linear(Unit::Change, ends.iter().map(|times| times - 1.0)).with_room(),
            line: Some(0.0),
            rows: size.headroom.iter().map(row).collect(),
        }),
        numbers: of_headroom(size),
        name: "headroom",
    })
}

fn row(one: &Headroom) -> Row {
    let Some(holds) = &one.holds else {
        let value = match &one.unbroken {
            Some(most) => format!("{} or more", number::change(most.times - 1.0)),
            None => nothing(one).to_string(),
        };
        return Row { label: format!("{}: {}", one.what, one.now), value, ..Row::default() };
    };
    let [low, about, high] = [&holds.kept, &holds.about, &holds.broken].map(|at| at.times - 1.0);
    let colour = if about < 0.0 { Colour::ALARM } else { Colour::MAIN };
    Row {
        label: format!("{}: {} → {}", one.what, one.now, holds.about.value),
        value: number::change(about),
        bars: vec![Bar {
            from: about.min(0.0),
            to: about.max(0.0),
            colour: Some(colour),
            share: None,
        }],
        band: None,
        interval: Some(Interval { low, point: about, high, colour: None }),
    }
}

fn of_headroom(size: &Size) -> Numbers {
    let mut numbers = Numbers::new(&[
        ("what", None),
        ("key", None),
        ("now", None),
        ("may become", None),
        ("change", Some(Unit::Change)),
        ("surely kept at", None),
        ("surely broken at", None),
        ("then breaks", None),
    ]);
    for one in &size.headroom {
        let holds = one.holds.as_ref();
        let farthest = holds.map(|holds| &holds.about).or(one.unbroken.as_ref());
        let breaks = one.breaks.as_ref().and_then(|breaks| breaks.objective.as_ref());
        let value = |text: Option<&String>| text.map_or(Cell::Unknown, |text| text.as_str().into());
        numbers.row([
            one.what.as_str().into(),
            one.key.as_str().into(),
            one.now.as_str().into(),
            value(farthest.map(|at| &at.value)),
            farthest.map(|at| at.times - 1.0).into(),
            value(holds.map(|holds| &holds.kept.value)),
            value(holds.map(|holds| &holds.broken.value)),
            value(breaks.map(|one| &one.objective)),
        ]);
    }
    numbers
}
