//! Errors of a prediction with their intervals, on the band of what is tolerated.

use render::page::Page;
use render::picture::{
    Axis, Cell, Colour, Histogram, Interval, Numbers, Panel, Picture, Row as Line, Rows, Shape,
    Unit as Measure,
};

use crate::judge::comparison::{Comparison, Origin, Row};
use crate::judge::judgement::Judgement;
use crate::judge::metric::Metric;
use crate::judge::words::{error, metric, value};

/// Errors beyond so many tolerances are drawn at the end of the axis: their number is beside them.
const FAR: f64 = 6.0;

/// The pictures of one comparison.
pub(super) fn pictures(page: &mut Page, comparison: &Comparison) {
    forest(&[comparison]).into_iter().chain(distributions(comparison)).for_each(|picture| {
        page.picture(picture);
    });
}

/// The errors of each number of the whole service; of several comparisons, each with its name.
pub(super) fn forest(comparisons: &[&Comparison]) -> Option<Picture> {
    let several = comparisons.len() > 1;
    let rows: Vec<(&Comparison, &Row, f64)> = comparisons
        .iter()
        .flat_map(|one| one.rows.iter().map(move |row| (*one, row)))
        .filter(|(_, row)| row.is_overall() && (!several || row.headline))
        .filter_map(|(one, row)| Some((one, row, row.error?)))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let most = rows.iter().map(|(_, row, _)| row.tolerance).fold(0.0, f64::max);
    let ends = rows.iter().map(|(_, row, error)| error.abs() + row.margin.unwrap_or(0.0));
    let end = ends.fold(1.5 * most, f64::max).min(FAR * most.max(0.01));
    let name = |one: &Comparison, row: &Row| match several {
        true => format!("{}: {}", one.name, metric(row.metric)),
        false => metric(row.metric).to_string(),
    };
    let line = |(one, row, off): &(&Comparison, &Row, f64)| {
        let margin = row.margin.unwrap_or(0.0);
        Line {
            label: name(one, row),
            value: format!("{}, {}", error(row.unit, Some(*off)), judged(row.verdict)),
            bars: Vec::new(),
            band: Some((-row.tolerance, row.tolerance)),
            interval: Some(Interval {
                low: off - margin,
                point: *off,
                high: off + margin,
                colour: Some(colour(row.verdict)),
            }),
        }
    };
    let wrong: Vec<String> = rows
        .iter()
        .filter(|(_, row, _)| row.verdict == Judgement::Disagree)
        .map(|(one, row, off)| format!("{} by {}", name(one, row), error(row.unit, Some(*off))))
        .collect();
    let seen = match wrong.is_empty() {
        true => "None disagrees".to_string(),
        false => format!("These disagree: {}", wrong.join(", ")),
    };
    Some(Picture {
        title: "Errors of the prediction".into(),
        explanation: "A point is how far the prediction lies from the measurement, the line through \
                      it how far that may be chance, the grey band what is tolerated. A line that is \
                      wholly outside of the band disagrees; a point within it agrees, unless the line \
                      is wider than the band. Errors of shares are in percentage points, all others \
                      relative to the measurement."
            .into(),
        alternative: format!(
            "Points with intervals, one for each of {} numbers, on bands of tolerance. {seen}.",
            rows.len()
        ),
        legend: vec![
            (colour(Judgement::Agree), "agrees".into()),
            (colour(Judgement::Disagree), "disagrees".into()),
            (colour(Judgement::WithinNoise), "cannot be told".into()),
        ],
        shape: Shape::Rows(Rows {
            axis: Axis::between(Measure::Change, -end, end),
            line: Some(0.0),
            rows: rows.iter().map(line).collect(),
        }),
        numbers: numbers(&rows, several),
        name: "errors",
    })
}

fn judged(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Agree => "agrees",
        Judgement::Disagree => "disagrees",
        Judgement::WithinNoise => "within noise",
        Judgement::NotJudged => "not judged",
    }
}

fn colour(judgement: Judgement) -> Colour {
    match judgement {
        Judgement::Agree => Colour::OTHER,
        Judgement::Disagree => Colour::ALARM,
        Judgement::WithinNoise | Judgement::NotJudged => Colour::new(Colour::COUNT - 1),
    }
}

fn numbers(rows: &[(&Comparison, &Row, f64)], several: bool) -> Numbers {
    let mut columns = Vec::new();
    columns.extend(several.then_some(("scenario", None)));
    columns.extend([
        ("number", None),
        ("predicted", None),
        ("measured", None),
        ("error", Some(Measure::Change)),
        ("half its interval", Some(Measure::Share)),
        ("tolerance", Some(Measure::Share)),
        ("verdict", None),
    ]);
    let mut numbers = Numbers::new(&columns);
    for (one, row, off) in rows {
        let side = |of: Option<crate::Side>| -> Cell {
            of.map_or(Cell::Unknown, |side| value(row.metric, side.value).into())
        };
        let mut cells: Vec<Cell> = Vec::new();
        cells.extend(several.then(|| one.name.as_str().into()));
        cells.extend([
            metric(row.metric).into(),
            side(row.predicted),
            side(row.measured),
            (*off).into(),
            row.margin.into(),
            row.tolerance.into(),
            judged(row.verdict).into(),
        ]);
        numbers.row(cells);
    }
    numbers
}

/// The response times of both sides, predicted above measured.
fn distributions(comparison: &Comparison) -> Option<Picture> {
    let both = [("predicted", &comparison.predicted), ("measured", &comparison.measured)];
    if both.iter().any(|(_, origin)| origin.distribution.is_empty()) {
        return None;
    }
    let marks = |predicted: bool| -> Vec<(String, f64)> {
        let of = |which: Metric| {
            let row = comparison.overall(which)?;
            let side = if predicted { row.predicted } else { row.measured }?;
            let words = format!("{} {}", metric(which), value(which, side.value));
            Some((words, side.value))
        };
        [Metric::P50, Metric::P95, Metric::P99].into_iter().filter_map(of).collect()
    };
    let mut numbers = Numbers::new(&[
        ("answers", None),
        ("from", Some(Measure::Time)),
        ("to", Some(Measure::Time)),
        ("share", Some(Measure::Share)),
    ]);
    let mut panels = Vec::new();
    for (name, Origin { distribution, .. }) in both {
        for bin in distribution {
            numbers.row([name.into(), bin.from.into(), bin.to.into(), bin.share.into()]);
        }
        panels.push(Panel {
            label: name.into(),
            colour: if name == "predicted" { Colour::MAIN } else { Colour::OTHER },
            bins: distribution.iter().map(|bin| (bin.from, bin.to, bin.share)).collect(),
            marks: marks(name == "predicted"),
        });
    }
    let said: Vec<String> = panels
        .iter()
        .map(|panel| {
            let marks: Vec<&str> = panel.marks.iter().map(|(words, _)| words.as_str()).collect();
            format!("{}: {}", panel.label, marks.join(", "))
        })
        .collect();
    Some(Picture {
        title: "Response times, predicted above measured".into(),
        explanation:
            "The higher a bar, the more good answers take as long as the axis below it says. \
                      The axis is logarithmic and the same for both."
                .into(),
        alternative: format!("Two histograms of response times, {}.", said.join("; ")),
        legend: Vec::new(),
        shape: Shape::Histogram(Histogram { panels }),
        numbers,
        name: "response-times",
    })
}
