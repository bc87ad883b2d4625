//! The answer of `sim ladder`.

use std::fmt::Write as _;

use model::read::{Change, Rung};
use model::report::Report;
use serde::Serialize;

use super::table::{Align, Table};
use super::{Paint, number};

/// A rung with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The rung's name.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What it turns, in words; none for the first rung.
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
#[derive(Clone, Debug, Serialize)]
pub struct Turn {
    /// The key.
    pub key: String,
    /// Its value there, if any.
    pub from: Option<String>,
    /// Its value here, if any.
    pub to: Option<String>,
}

/// Throughput relative to other rungs; none where the other has no good answers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Multiples {
    /// To the first.
    pub first: Option<f64>,
    /// To the one before; none for the first.
    pub previous: Option<f64>,
}

/// Rungs and their reports, side by side.
pub fn steps(rungs: &[Rung], reports: Vec<Report>) -> Vec<Step> {
    let rates: Vec<f64> = reports.iter().map(|report| report.throughput.value).collect();
    let step = |(index, (rung, report)): (usize, (&Rung, Report))| Step {
        name: rung.name.clone(),
        file: rung.resolved.path().to_string(),
        turned: (index > 0).then(|| turned(rung)),
        changes: rung.changes.iter().map(turn).collect(),
        multiples: Multiples {
            first: multiple(rates[index], rates[0]),
            previous: index.checked_sub(1).and_then(|below| multiple(rates[index], rates[below])),
        },
        report,
    };
    rungs.iter().zip(reports).enumerate().map(step).collect()
}

fn multiple(rate: f64, other: f64) -> Option<f64> {
    (other > 0.0).then(|| model::statistics::round_significant(rate / other))
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

/// The ladder as tables and a few sentences.
pub fn text(steps: &[Step], paint: Paint) -> String {
    let mut out = numbers(steps);
    let _ = write!(out, "\n{}", limits(steps));
    let told = sentences(steps);
    if !told.is_empty() {
        out.push('\n');
    }
    for (index, sentence) in told.iter().enumerate() {
        let _ = if index == 0 {
            writeln!(out, "{}", paint.bold(sentence))
        } else {
            writeln!(out, "{sentence}")
        };
    }
    out
}

fn numbers(steps: &[Step]) -> String {
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
        let cpu = report.stations.iter().find(|station| station.name == "cpu");
        let times = |multiple: Option<f64>| {
            multiple.map_or("-".into(), |multiple| number::significant(multiple, 3))
        };
        table.row([
            step.name.clone(),
            step.turned.clone().unwrap_or_else(|| "-".into()),
            number::rate(report.throughput.value),
            if good { format!("±{}", number::rate_half(&report.throughput)) } else { "".into() },
            times(step.multiples.first),
            times(step.multiples.previous),
            time(report.response_time.p50),
            time(report.response_time.p99),
            cpu.map_or("-".into(), |cpu| number::percent(cpu.utilisation)),
            number::percent(report.error_share),
        ]);
    }
    table.text()
}

/// What holds each rung back, and how near it comes to what others measured.
fn limits(steps: &[Step]) -> String {
    let published = steps.iter().any(|step| step.report.published.is_some());
    let mut columns = vec![
        ("rung", Align::Left),
        ("its limit", Align::Left),
        ("relaxed", Align::Left),
        ("gains", Align::Right),
    ];
    if published {
        columns.extend([
            ("published/s", Align::Right),
            ("off by", Align::Right),
            ("", Align::Left),
        ]);
    }
    let mut table = Table::new(&columns);
    for step in steps {
        let report = &step.report;
        let mut row = vec![step.name.clone()];
        row.extend(limit(report));
        if let Some(figure) = &report.published {
            let how = if figure.fitted { "fitted" } else { "predicted" };
            row.extend([
                number::rate(figure.throughput),
                number::change(figure.error),
                how.to_string(),
            ]);
        } else if published {
            row.extend(["-".into(), "-".into(), "predicted".into()]);
        }
        table.row(row);
    }
    table.text()
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
    let mut told = Vec::new();
    let rate = |step: &Step| step.report.throughput;
    let best = steps.iter().max_by(|a, b| rate(a).value.total_cmp(&rate(b).value));
    if let Some(best) = best.filter(|best| steps.len() > 1 && rate(best).value > 0.0) {
        let multiple = best.multiples.first.map_or(String::new(), |multiple| {
            format!(", {} times the first rung", number::significant(multiple, 3))
        });
        told.push(format!(
            "Best: {} with {}/s{multiple}.",
            best.name,
            number::rate(rate(best).value)
        ));
    }
    for pair in steps.windows(2) {
        let (below, step) = (&pair[0], &pair[1]);
        told.extend(step_sentence(below, step));
    }
    told.extend(steps.iter().filter_map(group_sentence));
    for step in steps {
        let warnings = step.report.warnings.iter();
        told.extend(warnings.map(|warning| format!("note on {}: {warning}.", step.name)));
    }
    told
}

/// A step that loses, or whose gain is lost in the noise, surprises whoever turned it.
fn step_sentence(below: &Step, step: &Step) -> Option<String> {
    let (before, now) = (below.report.throughput, step.report.throughput);
    let knob = step.turned.as_deref()?;
    let ratio = step.multiples.previous?;
    if before.low <= now.high && now.low <= before.high {
        return Some(format!(
            "{} does not differ from {}: its interval overlaps ({knob}).",
            step.name, below.name
        ));
    }
    (ratio < 1.0).then(|| {
        format!(
            "{} loses {} against {} ({knob}).",
            step.name,
            number::percent(1.0 - ratio),
            below.name
        )
    })
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
