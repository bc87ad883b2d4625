//! Several answers side by side: the rungs of a ladder, or reports that were saved.

use model::read::{Change, Rung};
use model::report::{Kind, Report, SCHEMA};
use model::station::StationId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::page::{Align, Page, Table};
use crate::{Answer, illustrated, number};

/// A rung, or a saved report, with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Rung")]
pub struct Step {
    /// The rung's name.
    pub name: String,
    /// Its file, or that of the report.
    pub file: String,
    /// What it turns, in words; none for the first rung, and for reports.
    pub turned: Option<String>,
    /// The keys that differ from the rung before.
    pub changes: Vec<Turn>,
    /// Throughput relative to other rungs.
    pub multiples: Multiples,
    /// What the rung does.
    #[serde(flatten)]
    pub report: Report,
}

/// A key that differs from the rung before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// The key.
    pub key: String,
    /// Its value there, if any.
    pub from: Option<String>,
    /// Its value here, if any.
    pub to: Option<String>,
}

/// Throughput relative to other rungs; none where the other has no good answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Multiples {
    /// To the first.
    pub first: Option<f64>,
    /// To the one before; none for the first.
    pub previous: Option<f64>,
}

/// The document for programs: a ladder, or reports side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Ladder")]
pub struct Document {
    /// Version of this form.
    schema: u32,
    /// What stands side by side.
    kind: LadderKind,
    /// Name of the last rung's scenario; empty for a comparison.
    scenario: String,
    /// The rungs, the first one at the bottom of the ladder; or the reports.
    rungs: Vec<Step>,
}

/// What stands side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LadderKind {
    /// Scenarios that extend each other.
    Ladder,
    /// Reports that need have nothing to do with each other.
    Comparison,
}

impl Document {
    /// A ladder up to the last of `rungs`.
    pub fn ladder(rungs: Vec<Step>) -> Document {
        let scenario = rungs.last().map_or(String::new(), |rung| rung.name.clone());
        Document { schema: SCHEMA, kind: LadderKind::Ladder, scenario, rungs }
    }

    /// Reports that need have nothing to do with each other.
    pub fn comparison(rungs: Vec<Step>) -> Document {
        Document { schema: SCHEMA, kind: LadderKind::Comparison, scenario: String::new(), rungs }
    }
}

/// The JSON Schema of the answer of `sim ladder`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

/// Rungs and their reports, side by side.
pub fn steps(rungs: &[Rung], reports: Vec<Report>) -> Vec<Step> {
    let multiples = multiples(reports.iter());
    let step = |(index, ((rung, report), multiples)): (usize, ((&Rung, Report), Multiples))| Step {
        name: rung.name.clone(),
        file: rung.resolved.path().to_string(),
        turned: (index > 0).then(|| turned(rung)),
        changes: rung.changes.iter().map(turn).collect(),
        multiples,
        report,
    };
    rungs.iter().zip(reports).zip(multiples).enumerate().map(step).collect()
}

/// Reports side by side that need have nothing to do with each other, such as saved ones, each
/// given after its file. What was turned between them is not known. Reports on the same
/// scenario are told apart by their files.
pub fn saved(reports: Vec<(String, Report)>) -> Vec<Step> {
    let multiples = multiples(reports.iter().map(|(_, report)| report));
    let scenarios: Vec<String> =
        reports.iter().map(|(_, report)| report.scenario.clone()).collect();
    let name = |file: &str, scenario: &String| match scenarios
        .iter()
        .filter(|&other| other == scenario)
        .count()
    {
        1 => scenario.clone(),
        _ => format!("{scenario} ({file})"),
    };
    let step = |((file, report), multiples): ((String, Report), Multiples)| Step {
        name: name(&file, &report.scenario),
        file,
        turned: None,
        changes: Vec::new(),
        multiples,
        report,
    };
    reports.into_iter().zip(multiples).map(step).collect()
}

fn multiples<'a>(reports: impl Iterator<Item = &'a Report>) -> Vec<Multiples> {
    let rates: Vec<f64> = reports.map(|report| report.throughput.value).collect();
    let multiple = |rate: f64, other: f64| {
        (other > 0.0).then(|| model::statistics::round_significant(rate / other))
    };
    let of = |(index, &rate): (usize, &f64)| Multiples {
        first: multiple(rate, rates[0]),
        previous: index.checked_sub(1).and_then(|below| multiple(rate, rates[below])),
    };
    rates.iter().enumerate().map(of).collect()
}

fn turn(change: &Change) -> Turn {
    Turn { key: change.key.clone(), from: change.from.clone(), to: change.to.clone() }
}

/// Everything that a rung turns, on one line.
fn turned(rung: &Rung) -> String {
    let knobs = turned_knobs(rung);
    if knobs.is_empty() { "nothing".into() } else { knobs.join("; ") }
}

/// Each knob that a rung turns: `service.workers: 1 -> 2`, or the name of the group.
pub fn turned_knobs(rung: &Rung) -> Vec<String> {
    let mut knobs = Vec::new();
    let mut grouped = false;
    for change in &rung.changes {
        match &rung.knob {
            Some(name) if rung.in_group(change) => {
                if !std::mem::replace(&mut grouped, true) {
                    knobs.push(name.clone());
                }
            }
            _ => knobs.push(change_text(&change.key, &change.from, &change.to)),
        }
    }
    knobs
}

fn change_text(key: &str, from: &Option<String>, to: &Option<String>) -> String {
    let shown = |value: &Option<String>| value.as_deref().map_or("not set".into(), plain);
    format!("{key}: {} -> {}", shown(from), shown(to))
}

/// A value without the marks that TOML needs: `p50 4s, p99 22s`.
fn plain(value: &str) -> String {
    match value.strip_prefix("{ ").and_then(|value| value.strip_suffix(" }")) {
        Some(inner) => inner.replace('"', "").replace(" = ", " "),
        None => value.to_string(),
    }
}

impl Answer for Document {
    /// Tables and a few sentences.
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.table(numbers(&self.rungs));
        if let Some(limits) = limits(&self.rungs) {
            page.table(limits);
        }
        page.lines_with_the_first_strong(sentences(&self.rungs));
        page
    }

    fn illustrated(&self) -> Page {
        let title = match self.scenario.as_str() {
            "" => "Reports side by side".to_string(),
            scenario => format!("The ladder up to {scenario}"),
        };
        illustrated::ladder(title, &self.rungs, sentences(&self.rungs), self.page())
    }
}

fn numbers(steps: &[Step]) -> Table {
    let mut table = Table::new(&[
        ("rung", Align::Left),
        ("knob turned", Align::Left),
        ("good/s", Align::Right),
        ("", Align::Left),
        ("× first", Align::Right),
        ("× previous", Align::Right),
        ("P50", Align::Right),
        ("P99", Align::Right),
        ("CPU", Align::Right),
        ("errors", Align::Right),
    ]);
    for step in steps {
        let report = &step.report;
        let good = report.run.samples > 0;
        let time = |t: f64| match (good, report.cut_short) {
            (false, _) => "-".into(),
            (true, false) => number::time(t),
            (true, true) => format!(">{}", number::time(t)),
        };
        let cpu = report.station(&StationId::Cpu);
        let times = |multiple: Option<f64>| {
            multiple.map_or("-".into(), |multiple| number::significant(multiple, 3))
        };
        table.row([
            step.name.clone(),
            step.turned.clone().unwrap_or_else(|| "-".into()),
            number::rate(report.throughput.value),
            if good && has_interval(report) {
                format!("±{}", number::rate_half(&report.throughput))
            } else {
                String::new()
            },
            times(step.multiples.first),
            times(step.multiples.previous),
            time(report.response_time.p50),
            time(report.response_time.p99),
            cpu.map_or("-".into(), |cpu| number::percent(cpu.utilisation)),
            number::percent(report.error_share),
        ]);
    }
    table
}

/// What holds each rung back, how near it comes to what others measured, and where its
/// numbers come from. Columns that no rung could fill are left out, and so is an empty table.
fn limits(steps: &[Step]) -> Option<Table> {
    let any = |known: fn(&Report) -> bool| steps.iter().any(|step| known(&step.report));
    let relaxed = any(|report| report.bottleneck.is_some() || !report.knobs.is_empty());
    let published = any(|report| report.published.is_some());
    let mixed =
        any(|report| report.kind == Kind::Measured) && any(|report| report.kind == Kind::Predicted);
    let mut columns = vec![("rung", Align::Left)];
    if relaxed {
        columns.extend([
            ("change first", Align::Left),
            ("from -> to", Align::Left),
            ("gains", Align::Right),
        ]);
    }
    if published {
        columns.extend([("published/s", Align::Right), ("off by", Align::Right)]);
    }
    if published || mixed {
        columns.push(("", Align::Left));
    }
    let mut table = Table::new(&columns);
    for step in steps {
        let report = &step.report;
        let mut row = vec![step.name.clone()];
        if relaxed {
            row.extend(limit(report));
        }
        if published {
            row.extend(off_by(report));
        }
        if published || mixed {
            row.push(origin(report).to_string());
        }
        table.row(row);
    }
    (columns.len() > 1).then_some(table)
}

/// What others measured, and how far from it the report is.
fn off_by(report: &Report) -> [String; 2] {
    match &report.published {
        Some(figure) => [number::rate(figure.throughput), number::change(figure.error)],
        None => ["-".into(), "-".into()],
    }
}

/// How the report came by its throughput.
fn origin(report: &Report) -> &'static str {
    match (report.kind, &report.published) {
        (Kind::Measured, _) => "measured",
        (Kind::Predicted, Some(figure)) if figure.fitted => "fitted",
        (Kind::Predicted, _) => "predicted",
    }
}

/// The knob, how it was relaxed, what that gains.
fn limit(report: &Report) -> [String; 3] {
    let dash = || "-".to_string();
    let Some(bottleneck) = &report.bottleneck else { return [dash(), dash(), dash()] };
    match report.knobs.iter().find(|knob| knob.knob == bottleneck.knob) {
        Some(knob) => [
            knob.knob.clone(),
            format!("{} -> {}", knob.from, knob.to),
            // A ratio to nothing has no meaning.
            match report.throughput.value {
                0.0 => format!("{}/s from none", number::rate(knob.throughput)),
                _ => number::change(knob.gain.value),
            },
        ],
        None => [format!("none of its own ({})", bottleneck.knob), dash(), dash()],
    }
}

/// What a reader should not miss.
fn sentences(steps: &[Step]) -> Vec<String> {
    let mut all = Vec::new();
    let rate = |step: &Step| step.report.throughput;
    let best = steps.iter().max_by(|a, b| rate(a).value.total_cmp(&rate(b).value));
    if let Some(best) = best.filter(|best| steps.len() > 1 && rate(best).value > 0.0) {
        let multiple = best.multiples.first.map_or(String::new(), |multiple| {
            format!(", {} times the first rung", number::significant(multiple, 3))
        });
        all.push(format!(
            "Best: {} with {}/s{multiple}.",
            best.name,
            number::rate(rate(best).value)
        ));
    }
    for pair in steps.windows(2) {
        let (below, step) = (&pair[0], &pair[1]);
        all.extend(step_sentence(below, step));
    }
    all.extend(steps.iter().filter_map(group_sentence));
    for step in steps {
        let warnings = step.report.warnings.iter();
        all.extend(warnings.map(|warning| format!("note on {}: {warning}.", step.name)));
        let doubts = step.report.measurement.iter().flat_map(|how| &how.inconclusive);
        all.extend(doubts.map(|reason| format!("INCONCLUSIVE: {}: {reason}.", step.name)));
    }
    all
}

/// A step that loses, or whose gain is lost in the noise, is a surprise worth a sentence.
fn step_sentence(below: &Step, step: &Step) -> Option<String> {
    if !has_interval(&below.report) || !has_interval(&step.report) {
        return None;
    }
    let (before, now) = (below.report.throughput, step.report.throughput);
    let knob = step.turned.as_ref().map_or(String::new(), |turned| format!(" ({turned})"));
    let ratio = step.multiples.previous?;
    if before.low <= now.high && now.low <= before.high {
        return Some(format!(
            "{} does not differ from {}: its interval overlaps{knob}.",
            step.name, below.name
        ));
    }
    (ratio < 1.0).then(|| {
        format!(
            "{} loses {} against {}{knob}.",
            step.name,
            number::percent(1.0 - ratio),
            below.name
        )
    })
}

/// One run has no interval, and tells no difference from noise.
fn has_interval(report: &Report) -> bool {
    report.run.replications > 1
}

/// The keys behind the name of a group.
fn group_sentence(step: &Step) -> Option<String> {
    let turned = step.turned.as_deref()?;
    if step.changes.len() < 2 {
        return None;
    }
    let changes: Vec<String> =
        step.changes.iter().map(|turn| change_text(&turn.key, &turn.from, &turn.to)).collect();
    let changes = changes.join("; ");
    (turned != changes).then(|| format!("{}: {turned} stands for {changes}.", step.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paint;
    use crate::sample::{measured, published};

    fn text(reports: &[&Report]) -> String {
        let files = (1..).map(|n| format!("{n}.json"));
        let reports = files.zip(reports.iter().map(|&report| report.clone())).collect();
        Document::comparison(saved(reports)).page().text(Paint::default())
    }

    #[test]
    fn measured_reports_have_no_limits_and_say_that_they_are_measured() {
        let mut shop = measured("shop", 40.0);
        shop.published = published(41.0, -0.0244);
        let expected = "\
rung        knob turned  good/s         × first  × previous     P50     P99  CPU  errors
shop        -              40.0  ±0.50     1.00           -  210 ms  900 ms    -   0.1 %
shop-async  -              80.0  ±0.50     2.00        2.00  210 ms  900 ms    -   0.1 %

rung        published/s  off by
shop               41.0  -2.4 %  measured
shop-async            -       -  measured

Best: shop-async with 80.0/s, 2.00 times the first rung.
";
        assert_eq!(text(&[&shop, &measured("shop-async", 80.0)]), expected);
    }

    #[test]
    fn a_table_that_nobody_could_fill_is_left_out() {
        let text = text(&[&measured("shop", 40.0), &measured("shop-async", 80.0)]);
        assert_eq!(text.matches("rung ").count(), 1, "{text}");
    }

    #[test]
    fn reports_on_one_scenario_are_told_apart() {
        let words = text(&[&measured("shop", 40.0), &measured("shop", 39.8)]);
        let sentence = "shop (2.json) does not differ from shop (1.json): its interval overlaps.\n";
        assert!(words.ends_with(sentence), "{words}");
        let words = text(&[&measured("shop", 40.0), &measured("shop", 30.0)]);
        assert!(words.ends_with("shop (2.json) loses 25 % against shop (1.json).\n"), "{words}");
    }

    #[test]
    fn a_prediction_beside_a_measurement_is_named_as_such() {
        let mut predicted = measured("shop", 40.0);
        predicted.kind = Kind::Predicted;
        let text = text(&[&predicted, &measured("shop-live", 39.0)]);
        assert!(text.contains("\nrung\nshop       predicted\nshop-live  measured\n"), "{text}");
    }

    #[test]
    fn a_single_run_is_not_said_to_lose() {
        let mut once = measured("shop-async", 30.0);
        once.run.replications = 1;
        let text = text(&[&measured("shop", 40.0), &once]);
        assert!(text.contains("30.0           0.750 "), "{text}");
        assert!(!text.contains("loses") && !text.contains("differ"), "{text}");
    }
}
