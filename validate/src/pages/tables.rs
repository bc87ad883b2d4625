//! The tables of a comparison.

use render::page::{Align, Table};
use render::parts;

use crate::judge::comparison::{Comparison, Row, Scope};
use crate::judge::judgement::Judgement;
use crate::judge::metric::Metric;
use crate::judge::words::{self, error, half, metric, size, value_or_dash};

/// What the marks behind a number mean.
pub(super) const MARKS: &str = "! disagrees   ~ within noise   ? not judged   - not known";

/// The numbers of the whole service, one row each.
pub(super) fn overall(comparison: &Comparison) -> Table {
    let mut columns = vec![
        ("", Align::Left),
        ("predicted", Align::Right),
        ("", Align::Left),
        ("measured", Align::Right),
        ("", Align::Left),
        ("error", Align::Right),
    ];
    // Elsewhere it follows from both intervals.
    let paired = comparison.is_paired();
    if paired {
        columns.push(("in pairs", Align::Right));
    }
    columns.extend([
        ("noise", Align::Right),
        ("tolerance", Align::Right),
        ("verdict", Align::Left),
    ]);
    let mut table = Table::new(&columns);
    for row in comparison.rows.iter().filter(|row| row.scope == Scope::Overall) {
        let name = match &row.error_kind {
            Some(kind) => format!("  {}", parts::error(kind)),
            None => metric(row.metric).to_string(),
        };
        let mut cells = vec![
            name,
            value_or_dash(row.metric, row.predicted),
            half(row.metric, row.predicted),
            value_or_dash(row.metric, row.measured),
            half(row.metric, row.measured),
            error(row.unit, row.error),
        ];
        if paired {
            cells.push(share(row, row.margin.filter(|_| row.paired)));
        }
        cells.extend([share(row, row.noise), size(row.unit, row.tolerance), verdict(row)]);
        table.row(cells);
    }
    table
}

/// Half an interval on the scale of the row's error.
fn share(row: &Row, half: Option<f64>) -> String {
    half.map_or("-".into(), |half| format!("±{}", size(row.unit, half)))
}

fn verdict(row: &Row) -> String {
    match row.verdict {
        Judgement::Agree => "agrees".into(),
        Judgement::Disagree => "DISAGREES".into(),
        Judgement::WithinNoise => "within noise".into(),
        Judgement::NotJudged => match &row.why {
            Some(why) => format!("not judged: {why}"),
            None => "not judged".into(),
        },
    }
}

/// The errors of each endpoint.
pub(super) fn classes(comparison: &Comparison) -> Table {
    errors_of(comparison, "endpoint", |scope| match scope {
        Scope::Class(name) => Some(name),
        _ => None,
    })
}

/// The errors of each group of the load.
pub(super) fn groups(comparison: &Comparison) -> Table {
    errors_of(comparison, "load", |scope| match scope {
        Scope::Group(name) => Some(name),
        _ => None,
    })
}

fn errors_of<'a>(
    comparison: &'a Comparison,
    noun: &'static str,
    of: impl Fn(&'a Scope) -> Option<&'a String>,
) -> Table {
    let mut columns = vec![(noun, Align::Left)];
    columns.extend(Metric::CLASS.map(|metric| (words::metric(metric), Align::Right)));
    let mut table = Table::new(&columns);
    for (name, rows) in scopes(comparison, of) {
        let errors = Metric::CLASS.map(|metric| match find(&rows, metric) {
            Some(row) => format!("{} {}", error(row.unit, row.error), mark(row)),
            None => "-  ".into(),
        });
        table.row([name.to_string()].into_iter().chain(errors));
    }
    table
}

/// Both sides of each station.
pub(super) fn stations(comparison: &Comparison) -> Table {
    let mut table = Table::new(&[
        ("station", Align::Left),
        ("in use", Align::Right),
        ("wait before each", Align::Right),
        ("requests there", Align::Right),
    ]);
    for (name, rows) in scopes(comparison, |scope| match scope {
        Scope::Station(name) => Some(name),
        _ => None,
    }) {
        let both = Metric::STATION.map(|metric| match find(&rows, metric) {
            Some(row) => {
                let (p, m) =
                    (value_or_dash(metric, row.predicted), value_or_dash(metric, row.measured));
                format!("{p} / {m} {}", mark(row))
            }
            None => "-  ".into(),
        });
        table.row([name.to_string()].into_iter().chain(both));
    }
    table
}

pub(super) fn mark(row: &Row) -> char {
    match row.verdict {
        Judgement::Agree => ' ',
        Judgement::Disagree => '!',
        Judgement::WithinNoise => '~',
        Judgement::NotJudged => '?',
    }
}

/// The rows of each scope that `name` takes, in order.
fn scopes<'a>(
    comparison: &'a Comparison,
    name: impl Fn(&'a Scope) -> Option<&'a String>,
) -> Vec<(&'a str, Vec<&'a Row>)> {
    let mut scopes: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in &comparison.rows {
        let Some(name) = name(&row.scope) else { continue };
        match scopes.last_mut() {
            Some((last, rows)) if *last == name => rows.push(row),
            _ => scopes.push((name, vec![row])),
        }
    }
    scopes
}

fn find<'a>(rows: &[&'a Row], metric: Metric) -> Option<&'a Row> {
    rows.iter().copied().find(|row| row.metric == metric)
}
