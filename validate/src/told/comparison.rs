//! One comparison on one screen.

use std::fmt::Write as _;

use render::Paint;
use render::table::Table;

use super::{error, metric, size, tables};
use crate::judge::bottleneck::Regime;
use crate::judge::comparison::{Comparison, Row, Scope, Verdict};
use crate::judge::judgement::Judgement;
use crate::judge::metric::Metric;

/// The errors that are told of a prediction that agrees.
const TOLD: [Metric; 3] = [Metric::Throughput, Metric::Mean, Metric::P99];

/// For people: the verdict first.
pub fn text(comparison: &Comparison, paint: Paint) -> String {
    let mut out = format!("{}\n{}\n\n", paint.bold(&sentence(comparison)), basis(comparison));
    out += &tables::overall(comparison).text();
    for (heading, table) in details(comparison) {
        let _ = write!(out, "\n{}\n{}", paint.bold(&heading), table.text());
    }
    if !notes(comparison).is_empty() {
        out.push('\n');
    }
    for (kind, note) in notes(comparison) {
        let _ = writeln!(out, "{kind}: {note}.");
    }
    out
}

/// The same for a document.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = format!("**{}** {}\n\n", sentence(comparison), basis(comparison));
    out += &tables::overall(comparison).markdown();
    for (heading, table) in details(comparison) {
        let _ = write!(out, "\n{heading}\n\n{}", table.markdown());
    }
    if !notes(comparison).is_empty() {
        out.push('\n');
    }
    for (kind, note) in notes(comparison) {
        let _ = writeln!(out, "- {kind}: {note}.");
    }
    out
}

/// The verdict in one sentence.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let name = &comparison.name;
    match comparison.verdict {
        Verdict::Agree => {
            let rows = TOLD.into_iter().filter_map(|metric| comparison.overall(metric));
            let errors = rows.filter(|row| row.error.is_some()).map(off);
            let errors = errors.collect::<Vec<_>>().join(", ");
            format!("{name}: prediction and measurement agree: {errors}.")
        }
        Verdict::Disagree => {
            let wrong = comparison
                .rows
                .iter()
                .filter(|row| row.headline && row.verdict == Judgement::Disagree)
                .map(|row| format!("{} (at most {})", off(row), size(row.unit, row.tolerance)));
            let wrong = wrong.collect::<Vec<_>>().join(", ");
            format!("{name}: prediction and measurement DISAGREE: {wrong}.")
        }
        Verdict::Inconclusive => {
            let first = comparison.reasons.first().map_or("nothing was compared", String::as_str);
            format!("{name}: INCONCLUSIVE: {first}.")
        }
    }
}

fn off(row: &Row) -> String {
    format!("{} {}", metric(row.metric), error(row.unit, row.error))
}

/// The reasons that the sentence leaves out, and what else to know. The reasons of a
/// disagreement are in the table.
fn notes(comparison: &Comparison) -> Vec<(&'static str, &String)> {
    let reasons = match comparison.verdict {
        Verdict::Inconclusive => comparison.reasons.get(1..).unwrap_or_default(),
        Verdict::Agree | Verdict::Disagree => &[],
    };
    let reasons = reasons.iter().map(|reason| ("INCONCLUSIVE", reason));
    reasons.chain(comparison.warnings.iter().map(|warning| ("note", warning))).collect()
}

/// What was full, and by what the errors are judged.
fn basis(comparison: &Comparison) -> String {
    let pairs = match comparison.is_paired() {
        true => format!(
            " Errors are judged by how much they differ between {} pairs of rounds with the same \
             load.",
            comparison.measured.replications
        ),
        false => String::new(),
    };
    regime(comparison) + &pairs
}

/// What was full, and what follows for the tolerances.
fn regime(comparison: &Comparison) -> String {
    let predicted = match comparison.bottleneck.right {
        Some(true) => ", as predicted",
        _ => "",
    };
    match (comparison.regime, &comparison.bottleneck.measured) {
        (Regime::Saturated, Some(name)) => format!(
            "Saturated: `{name}` is full{predicted}. Response times may by default be off twice as much."
        ),
        (Regime::Unknown, _) | (Regime::Saturated, None) => {
            "The measurement does not say what is full: judged as if nothing was.".to_string()
        }
        (Regime::Unsaturated, _) => format!("Unsaturated: nothing is full{predicted}."),
    }
}

/// The tables of endpoints and stations, those that are not empty, under their headings.
fn details(comparison: &Comparison) -> Vec<(String, Table)> {
    let class = |row: &Row| matches!(row.scope, Scope::Class(_));
    let station = |row: &Row| matches!(row.scope, Scope::Station(_));
    let classes = counted(comparison, "Errors by endpoint", class);
    let stations = counted(comparison, "Stations, predicted / measured", station);
    let tables = [(classes, tables::classes(comparison)), (stations, tables::stations(comparison))];
    let mut told: Vec<_> = tables.into_iter().filter(|(_, table)| !table.is_empty()).collect();
    if let Some((heading, _)) = told.last_mut() {
        // The marks are explained once, near the last table that has them.
        let _ = write!(heading, "   {}", tables::MARKS);
    }
    told
}

/// `title (24 agree, 3 disagree):`, or what else was said of the rows that `pick` takes.
fn counted(comparison: &Comparison, title: &str, pick: impl Fn(&Row) -> bool) -> String {
    let judgements = [
        (Judgement::Agree, "agree"),
        (Judgement::Disagree, "disagree"),
        (Judgement::WithinNoise, "within noise"),
        (Judgement::NotJudged, "not judged"),
    ];
    let counts = judgements
        .into_iter()
        .map(|(judgement, word)| (comparison.count(judgement, &pick), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"));
    format!("{title} ({}):", counts.collect::<Vec<_>>().join(", "))
}
