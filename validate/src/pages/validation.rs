//! Many comparisons, a row each, and what they say together.

use render::Answer;
use render::page::{Align, Page, Table};

use super::comparison::sentence;
use super::forest;
use super::tables::{MARKS, mark};
use crate::judge::bottleneck::Bottlenecks;
use crate::judge::comparison::{Comparison, Verdict};
use crate::judge::metric::Metric;
use crate::judge::validation::Validation;
use crate::judge::words::{self, error, half, size, value_or_dash};

/// Response times whose errors have a column.
const TIMES: [Metric; 4] = [Metric::Mean, Metric::P50, Metric::P95, Metric::P99];

impl Answer for Validation {
    /// A row for each scenario, then all of them together.
    fn page(&self) -> Page {
        let comparisons: Vec<&Comparison> = self.comparisons.iter().collect();
        let mut page = Page::new();
        page.table_with_legend(table("scenario", &comparisons), MARKS);
        page.lines(sentences(&comparisons));
        page.append(self.summary.page());
        page
    }

    /// All together, the errors of each, then all numbers.
    fn illustrated(&self) -> Page {
        let comparisons: Vec<&Comparison> = self.comparisons.iter().collect();
        illustrated("Predictions against measurements", &comparisons, self.page())
    }
}

/// The page of comparisons for a browser: what each says, their errors, and `numbers`.
pub(super) fn illustrated(title: &str, comparisons: &[&Comparison], numbers: Page) -> Page {
    let mut page = Page::new();
    page.title(title);
    page.lines(comparisons.iter().map(|comparison| sentence(comparison)).collect());
    forest::forest(comparisons).into_iter().for_each(|picture| page.picture(picture));
    page.part("All numbers", numbers);
    page
}

/// The throughputs of each, the errors of its response times, and what is full.
pub(super) fn table(what: &str, comparisons: &[&Comparison]) -> Table {
    let mut columns = vec![
        (what, Align::Left),
        ("verdict", Align::Left),
        ("predicted", Align::Right),
        ("", Align::Left),
        ("measured", Align::Right),
        ("", Align::Left),
        ("error", Align::Right),
        ("noise", Align::Right),
    ];
    columns.extend(TIMES.map(|metric| (words::metric(metric), Align::Right)));
    columns.push(("full", Align::Left));
    let mut table = Table::new(&columns);
    for comparison in comparisons {
        table.row(row(comparison));
    }
    table
}

fn row(comparison: &Comparison) -> Vec<String> {
    let throughput = comparison.overall(Metric::Throughput);
    let (predicted, measured) =
        throughput.map_or((None, None), |row| (row.predicted, row.measured));
    let noise = throughput.and_then(|row| Some(format!("±{}", size(row.unit, row.noise?))));
    let mut cells = vec![
        comparison.name.clone(),
        verdict(comparison.verdict).to_string(),
        value_or_dash(Metric::Throughput, predicted),
        half(Metric::Throughput, predicted),
        value_or_dash(Metric::Throughput, measured),
        half(Metric::Throughput, measured),
        marked(comparison, Metric::Throughput),
        noise.unwrap_or_else(|| "-".into()),
    ];
    cells.extend(TIMES.map(|metric| marked(comparison, metric)));
    cells.push(full(&comparison.bottleneck));
    cells
}

/// An error and the mark of its judgement.
pub(super) fn marked(comparison: &Comparison, metric: Metric) -> String {
    match comparison.overall(metric) {
        Some(row) => format!("{} {}", error(row.unit, row.error), mark(row)),
        None => "-  ".into(),
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Agree => "agrees",
        Verdict::Disagree => "DISAGREES",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// What is full, and whether that was predicted.
pub(super) fn full(both: &Bottlenecks) -> String {
    let name = |station: &Option<String>| station.clone().unwrap_or_else(|| "nothing".into());
    let measured = name(&both.measured);
    match both.right {
        Some(true) => measured,
        Some(false) => format!("{measured}, NOT {}", name(&both.predicted)),
        None => "?".into(),
    }
}

/// What a reader has to know of those that do not agree.
pub(super) fn sentences(comparisons: &[&Comparison]) -> Vec<String> {
    let odd = comparisons.iter().filter(|comparison| comparison.verdict != Verdict::Agree);
    odd.map(|comparison| sentence(comparison)).collect()
}
