//! One comparison on one screen.

use std::fmt::Write as _;

use render::Answer;
use render::page::{Note, Page, Table};

use super::{forest, tables};
use crate::judge::bottleneck::Regime;
use crate::judge::comparison::{Comparison, Row, Scope, Verdict};
use crate::judge::judgement::Judgement;
use crate::judge::metric::Metric;
use crate::judge::words::{error, metric, size};

/// The errors that the sentence of a prediction that agrees has.
const ERRORS: [Metric; 3] = [Metric::Throughput, Metric::Mean, Metric::P99];

impl Answer for Comparison {
    /// The verdict first.
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.verdict(sentence(self), basis(self));
        page.table(tables::overall(self));
        for (heading, table) in details(self) {
            page.heading(heading);
            page.table(table);
        }
        page.notes(notes(self));
        page
    }

    /// The verdict, the errors on their bands, then all numbers.
    fn illustrated(&self) -> Page {
        let mut page = Page::new();
        page.title(format!("{}: predicted against measured", self.name));
        page.verdict(sentence(self), basis(self));
        page.notes(notes(self));
        forest::pictures(&mut page, self);
        page.part("All numbers", self.page());
        page
    }
}

/// The verdict in one sentence.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let name = &comparison.name;
    match comparison.verdict {
        Verdict::Agree => {
            let rows = ERRORS.into_iter().filter_map(|metric| comparison.overall(metric));
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
fn notes(comparison: &Comparison) -> Vec<Note> {
    let reasons = match comparison.verdict {
        Verdict::Inconclusive => comparison.reasons.get(1..).unwrap_or_default(),
        Verdict::Agree | Verdict::Disagree => &[],
    };
    let note =
        |kind: &'static str, text: &String| Note { kind, text: format!("{text}."), strong: false };
    let reasons = reasons.iter().map(|reason| note("INCONCLUSIVE", reason));
    reasons.chain(comparison.warnings.iter().map(|warning| note("note", warning))).collect()
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

/// The tables of endpoints, groups of the load and stations, those that are not empty, under their headings.
fn details(comparison: &Comparison) -> Vec<(String, Table)> {
    let class = |row: &Row| matches!(row.scope, Scope::Class(_));
    let group = |row: &Row| matches!(row.scope, Scope::Group(_));
    let station = |row: &Row| matches!(row.scope, Scope::Station(_));
    let classes = counted(comparison, "Errors by endpoint", class);
    let groups = counted(comparison, "Errors by load", group);
    let stations = counted(comparison, "Stations, predicted / measured", station);
    let tables = [
        (classes, tables::classes(comparison)),
        (groups, tables::groups(comparison)),
        (stations, tables::stations(comparison)),
    ];
    let mut all: Vec<_> = tables.into_iter().filter(|(_, table)| !table.is_empty()).collect();
    if let Some((heading, _)) = all.last_mut() {
        // The marks are explained once, near the last table that has them.
        let _ = write!(heading, "   {}", tables::MARKS);
    }
    all
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
