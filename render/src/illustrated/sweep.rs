//! A scenario at several values of one or two keys: curves, or maps of colours.

use model::objective::{Measure, Objective, Statistic};
use model::statistics::Estimate;
use model::sweep::{Axis as Varied, Kind, Knee, Point, Sweep};

use super::judged;
use crate::number;
use crate::page::{Fact, Page};
use crate::picture::{
    Axis, Cell, Colour, Curve, CurvePanel, Curves, Heat, HeatCell, Numbers, Picture, Shape, Trace,
    Unit,
};
use crate::sweep::Show;

/// More points are not drawn: a page stays below 1 MB, and cells large enough to be seen.
const DRAWN: usize = 400;
/// Values of a key of which the largest is more times the least are on a logarithmic axis, and
/// numbers of points likewise.
const FAR: f64 = 10.0;

/// The page: `numbers` are its tables, and what is said of them.
pub(crate) fn sweep(sweep: &Sweep, show: Show, numbers: Page) -> Page {
    let mut page = Page::new();
    let keys: Vec<String> = sweep.axes.iter().map(|axis| axis.key.clone()).collect();
    page.title(format!("{}: {}", sweep.scenario, super::listed(&keys)));
    page.facts(facts(sweep));
    if sweep.points.len() > DRAWN {
        page.warnings(&[format!(
            "{} points are too many for pictures, of which there are at most {DRAWN}: `--format csv` \
             has all numbers",
            sweep.points.len()
        )]);
    } else {
        match &sweep.axes[..] {
            [one] => curves(sweep, one).into_iter().for_each(|picture| page.picture(picture)),
            [down, across] => {
                let mut shown = vec![show];
                shown.extend([Show::Throughput, Show::P99].into_iter().filter(|it| *it != show));
                let pictures = shown.iter().filter_map(|show| heat(sweep, *show, down, across));
                pictures.for_each(|picture| page.picture(picture));
            }
            _ => {}
        }
    }
    page.part("All numbers", numbers);
    page
}

fn facts(sweep: &Sweep) -> Vec<Fact> {
    let mut all = Vec::new();
    let rate = |point: &&Point| point.figures.throughput.value;
    if let Some(best) = sweep.points.iter().max_by(|a, b| rate(a).total_cmp(&rate(b))) {
        all.push(Fact {
            name: "Most good answers".into(),
            value: format!("{}/s", number::rate(rate(&best))),
            detail: names(sweep, best),
        });
    }
    let p99 = |point: &Point| point.figures.p99.map_or(f64::MAX, |time| time.value);
    let least = sweep.points.iter().min_by(|a, b| p99(a).total_cmp(&p99(b)));
    if let Some((point, time)) = least.and_then(|point| Some((point, point.figures.p99?))) {
        all.push(Fact {
            name: "Shortest P99".into(),
            value: number::time(time.value),
            detail: names(sweep, point),
        });
    }
    if let ([line], [_]) = (&sweep.lines[..], &sweep.axes[..])
        && let Knee::At(value) = &line.knee
    {
        let detail = "beyond, a step gains less than half of proportional growth".to_string();
        all.push(Fact { name: "More pays up to".into(), value: value.clone(), detail });
    }
    let kept = sweep.points.iter().filter(|point| point.kept() == Some(true)).count();
    if !sweep.objectives.is_empty() {
        all.push(Fact {
            name: "Points that keep all objectives".into(),
            value: kept.to_string(),
            detail: format!("of {}", sweep.points.len()),
        });
    }
    all
}

fn names(sweep: &Sweep, point: &Point) -> String {
    let named = sweep.axes.iter().zip(&point.values).map(|(axis, value)| axis.name(value));
    named.collect::<Vec<_>>().join(", ")
}

/// Where each value of a key is drawn, and the axis for it.
fn places(axis: &Varied) -> (Vec<f64>, Axis) {
    let named = || {
        let places = (0..axis.values.len()).map(|index| index as f64).collect();
        (places, Axis::named(axis.values.clone()))
    };
    let Some((kind, numbers)) = axis.numbers_of_a_kind() else { return named() };
    let unit = match kind {
        Kind::Plain => Unit::Count,
        Kind::Time => Unit::Time,
        Kind::Rate => Unit::Rate,
        Kind::Size => Unit::Bytes,
        Kind::Share => Unit::Share,
    };
    let ends = numbers.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let across = match ends.0 > 0.0 && ends.1 > FAR * ends.0 {
        true => Axis::logarithmic(unit, numbers.iter().copied()),
        false => Axis::between(unit, ends.0, ends.1),
    };
    (numbers, across.with_room())
}

/// A number of a point with its interval.
type Pick = fn(&Point) -> Option<Estimate>;

/// A number that is drawn as a curve.
struct Line {
    name: &'static str,
    colour: usize,
    pick: Pick,
}

const GOOD: Line =
    Line { name: "good answers per second", colour: 0, pick: |one| Some(one.figures.throughput) };
const P50: Line = Line { name: "P50", colour: 0, pick: |one| one.figures.p50 };
const P95: Line = Line { name: "P95", colour: 2, pick: |one| one.figures.p95 };
const P99: Line = Line { name: "P99", colour: 4, pick: |one| one.figures.p99 };
const ERRORS: Line = Line { name: "share of errors", colour: 3, pick: errors };
const CPU: Line = Line {
    name: "share of the CPU in use",
    colour: 0,
    pick: |one| one.figures.cpu.map(Estimate::exact),
};

fn errors(point: &Point) -> Option<Estimate> {
    let Estimate { low, high, .. } = point.error_interval;
    Some(Estimate { value: point.figures.error_share, low: low.max(0.0), high: high.min(1.0) })
}

/// Points from left to right.
struct Drawn<'s> {
    points: Vec<(f64, &'s Point)>,
    /// Between values that are no numbers there is nothing, and no line.
    trace: Trace,
    objectives: Vec<Objective>,
}

impl Drawn<'_> {
    /// Curves of one unit with the limits of objectives about them.
    fn panel(&self, label: &str, unit: Unit, lines: &[&Line]) -> Option<CurvePanel> {
        let limits: Vec<(f64, String)> = self
            .objectives
            .iter()
            .filter(|one| lines.iter().any(|line| is_about(one, line)))
            .map(|one| (one.limit, format!("limit: {one}")))
            .collect();
        let curve = |line: &&Line| {
            let told = || self.points.iter().map(|(place, one)| (*place, (line.pick)(one)));
            Curve {
                colour: Colour::new(line.colour),
                points: told().map(|(place, value)| (place, value.map(|it| it.value))).collect(),
                trace: self.trace,
                band: told()
                    .filter_map(|(place, value)| value.map(|it| (place, it.low, it.high)))
                    .collect(),
            }
        };
        let curves: Vec<Curve> = lines.iter().map(curve).collect();
        let values: Vec<f64> = curves
            .iter()
            .flat_map(|curve| &curve.band)
            .flat_map(|(_, low, high)| [*low, *high])
            .chain(limits.iter().map(|(limit, _)| *limit))
            .collect();
        let told = curves.iter().any(|curve| !curve.band.is_empty());
        let axis = match unit {
            Unit::Time => Axis::fitting(unit, &values, FAR),
            _ => Axis::linear(unit, values),
        };
        told.then(|| CurvePanel { label: label.into(), axis: axis.with_room(), curves, limits })
    }
}

/// An objective sets a limit for a number that has a curve.
fn is_about(objective: &Objective, line: &Line) -> bool {
    match (&objective.measure, line.name) {
        (Measure::Throughput(None), name) => name == GOOD.name,
        (Measure::Errors(None), name) => name == ERRORS.name,
        (Measure::Utilisation(station), name) => station == "cpu" && name == CPU.name,
        (Measure::Time(None, Statistic::Quantile(percent)), name) => name == format!("P{percent}"),
        _ => false,
    }
}

/// The curves of one key.
fn curves(sweep: &Sweep, axis: &Varied) -> Option<Picture> {
    let (places, across) = places(axis);
    let place = |point: &Point| axis.values.iter().position(|value| *value == point.values[0]);
    let mut points: Vec<(f64, &Point)> =
        sweep.points.iter().filter_map(|point| Some((places[place(point)?], point))).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let objectives: Vec<Objective> =
        sweep.objectives.iter().filter_map(|text| text.parse().ok()).collect();
    let trace = if axis.numbers().is_some() { Trace::Joined } else { Trace::Dots };
    let drawn = Drawn { points, trace, objectives };
    let mut panels = vec![
        drawn.panel(GOOD.name, Unit::Rate, &[&GOOD]),
        drawn.panel("response times: P50, P95 and P99", Unit::Time, &[&P50, &P95, &P99]),
    ];
    let limited = |line: &Line| drawn.objectives.iter().any(|one| is_about(one, line));
    let failing = sweep.points.iter().any(|point| point.figures.error_share > 0.0);
    if failing || limited(&ERRORS) {
        panels.push(drawn.panel(ERRORS.name, Unit::Share, &[&ERRORS]));
    }
    panels.push(drawn.panel(CPU.name, Unit::Share, &[&CPU]));
    let shown = [&GOOD, &P50, &P95, &P99, &ERRORS, &CPU];
    for (index, text) in sweep.objectives.iter().enumerate() {
        let about = text
            .parse::<Objective>()
            .is_ok_and(|one| shown.iter().any(|line| is_about(&one, line)));
        if !about {
            let told =
                drawn.points.iter().filter_map(|(x, one)| Some((*x, one.objectives.get(index)?)));
            panels.push(judged::panel(text, &told.collect::<Vec<_>>()));
        }
    }
    let knee = sweep.points.iter().find(|point| sweep.is_knee(point));
    let mark = knee.and_then(|point| Some((places[place(point)?], "knee".to_string())));
    let (first, last) = (drawn.points.first()?, drawn.points.last()?);
    let bends = match knee {
        Some(point) => format!(" The knee is at {}.", point.values[0]),
        None => String::new(),
    };
    let rate = |point: &Point| number::rate(point.figures.throughput.value);
    let dashed = if sweep.objectives.is_empty() { "" } else { " Dashed lines are limits." };
    let upright = match mark {
        Some(_) => {
            " The upright line is the knee: beyond it a step gains less than half of what \
                    proportional growth would."
        }
        None => "",
    };
    Some(Picture {
        title: format!("What changes with {}", axis.key),
        explanation: format!(
            "Each dot is a value that was predicted, the band around a curve, or the line through a \
             dot, the interval of its number.{dashed}{upright}"
        ),
        alternative: format!(
            "Curves over {} values of {}: from {} good answers per second at {} to {} at {}.{bends}",
            drawn.points.len(),
            axis.key,
            rate(first.1),
            first.1.values[0],
            rate(last.1),
            last.1.values[0]
        ),
        legend: legend(&drawn),
        shape: Shape::Curves(Curves {
            across,
            shaded: None,
            mark,
            panels: panels.into_iter().flatten().collect(),
        }),
        numbers: numbers(sweep),
        name: "curves",
    })
}

fn legend(drawn: &Drawn<'_>) -> Vec<(Colour, String)> {
    let mut all: Vec<(Colour, String)> =
        [&P50, &P95, &P99].map(|line| (Colour::new(line.colour), line.name.to_string())).into();
    if !drawn.objectives.is_empty() {
        all.push((Colour::ALARM, "limit".into()));
    }
    all
}

/// One number of each pair of values.
fn heat(sweep: &Sweep, show: Show, down: &Varied, across: &Varied) -> Option<Picture> {
    let value = |point: &Point| show.value(point);
    let values: Vec<f64> = sweep.points.iter().filter_map(value).collect();
    let ends = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    // Times spread over powers of ten.
    let far = ends.0 > 0.0 && ends.1 > FAR * ends.0;
    let strength = |value: f64| match (far, ends.1 > ends.0) {
        (_, false) => 0.0,
        (true, _) => libm::log(value / ends.0) / libm::log(ends.1 / ends.0),
        (false, _) => (value - ends.0) / (ends.1 - ends.0),
    };
    let cell = |row: &String, column: &String| {
        let point = sweep.point(&[row, column])?;
        let knee = if sweep.is_knee(point) { "*" } else { "" };
        Some(HeatCell {
            strength: value(point).map(strength),
            words: format!("{}{knee}", show.cell(point)),
            kept: point.kept(),
        })
    };
    let cells: Vec<Vec<Option<HeatCell>>> = down
        .values
        .iter()
        .map(|row| across.values.iter().map(|column| cell(row, column)).collect())
        .collect();
    let most = sweep.points.iter().filter(|point| value(point).is_some());
    let most = most.max_by(|a, b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)))?;
    let kept = sweep.points.iter().any(|point| point.kept() == Some(true));
    let broken = sweep.points.iter().any(|point| point.kept() == Some(false));
    let border = match (kept, broken) {
        (true, true) => " The thick line parts what keeps all objectives from what breaks one.",
        (true, false) => " Every point keeps all objectives.",
        (false, true) => " Every point breaks an objective.",
        (false, false) => "",
    };
    let knees = match sweep.lines.iter().any(|line| matches!(line.knee, Knee::At(_))) {
        true => format!(" * is the knee: down to here more of {} pays.", down.key),
        false => String::new(),
    };
    let scale = if far { ", on a logarithmic scale" } else { "" };
    Some(Picture {
        title: format!("{} for each pair of values", show.words()),
        explanation: format!(
            "The stronger the colour of a cell, the larger its number{scale}.{border}{knees}"
        ),
        alternative: format!(
            "A grid with {} down and {} across. The largest value is {} at {}.{border}",
            down.key,
            across.key,
            show.cell(most),
            names(sweep, most)
        ),
        legend: Vec::new(),
        shape: Shape::Heat(Heat {
            names: [down.key.clone(), across.key.clone()],
            down: down.values.clone(),
            across: across.values.clone(),
            cells,
        }),
        numbers: numbers(sweep),
        name: show.file(),
    })
}

/// Every number of every point.
fn numbers(sweep: &Sweep) -> Numbers {
    let lines: [(&Line, Unit); 6] = [
        (&GOOD, Unit::Rate),
        (&P50, Unit::Time),
        (&P95, Unit::Time),
        (&P99, Unit::Time),
        (&ERRORS, Unit::Share),
        (&CPU, Unit::Share),
    ];
    let mut columns: Vec<(String, Option<Unit>)> =
        sweep.axes.iter().map(|axis| (axis.key.clone(), None)).collect();
    for (line, unit) in lines {
        columns.push((line.name.to_string(), Some(unit)));
        // Of the CPU no interval is known.
        if line.name != CPU.name {
            columns.extend(["low", "high"].map(|end| (format!("{end} of it"), Some(unit))));
        }
    }
    columns.push(("full".into(), None));
    columns.extend(sweep.objectives.iter().map(|objective| (objective.clone(), None)));
    columns.push(("knee".into(), None));
    let columns: Vec<(&str, Option<Unit>)> =
        columns.iter().map(|(name, unit)| (name.as_str(), *unit)).collect();
    let mut numbers = Numbers::new(&columns);
    for point in &sweep.points {
        let mut row: Vec<Cell> = point.values.iter().map(|value| value.as_str().into()).collect();
        for (line, _) in lines {
            let told = (line.pick)(point);
            row.push(told.map(|it| it.value).into());
            if line.name != CPU.name {
                row.extend([told.map(|it| it.low).into(), told.map(|it| it.high).into()]);
            }
        }
        row.push(point.figures.full.clone().unwrap_or_else(|| "nothing".into()).into());
        row.extend(point.objectives.iter().map(|one| Cell::from(judged::word(one))));
        row.push(if sweep.is_knee(point) { "knee" } else { "" }.into());
        numbers.row(row);
    }
    numbers
}
