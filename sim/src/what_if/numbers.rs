//! The numbers of an answer as a page shows them: in words, with their intervals, and as numbers to
//! compare.

use model::objective::Judged;
use model::report::{Bottleneck, KnobKind, Report};
use model::scenario::Scenario;
use model::statistics::Estimate;
use render::number;
use serde::{Deserialize, Serialize};

use crate::knob;
use crate::observe::Observations;

/// The numbers of a scenario.
#[derive(Debug, Serialize)]
pub struct Numbers {
    /// Those of `sim scenario`, with its intervals; else of a few short runs.
    sharp: bool,
    /// Where the numbers come from, in words.
    basis: String,
    facts: Vec<Fact>,
    /// What it does compared with the scenario before the changes, on the same random numbers.
    change: Option<Change>,
    limit: Option<Limit>,
    objectives: Vec<Judged>,
    warnings: Vec<String>,
    /// Each run by itself.
    runs: Runs,
    /// Pictures as HTML.
    pub(super) figures: Vec<String>,
    /// What `sim scenario --format json` prints.
    pub(super) document: Option<String>,
}

/// A number.
#[derive(Debug, Serialize)]
struct Fact {
    /// Its name for programs.
    id: String,
    /// In words.
    name: String,
    /// With its unit.
    value: String,
    /// Half of its interval, or both ends, in words; empty if it is not known.
    interval: String,
    /// It as a number, and its interval.
    number: f64,
    low: f64,
    high: f64,
    /// More is better, or less; neither says nothing.
    better: &'static str,
}

/// Single runs, which meet the same random numbers before and after a change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// Good answers per second of each.
    throughput: Vec<f64>,
    /// Mean response time of each, in seconds.
    mean: Vec<f64>,
}

/// A change against the scenario before.
#[derive(Debug, Serialize)]
struct Change {
    throughput: Option<Estimate>,
    mean: Option<Estimate>,
    /// In words.
    words: String,
}

/// What limits the service, and what to change first.
#[derive(Debug, Serialize)]
pub(super) struct Limit {
    sentence: String,
    how: Option<String>,
    /// The change, as `--set` has it; empty if there is none to make.
    set: Vec<String>,
    hardware: bool,
}

impl Limit {
    /// What was found for `scenario`.
    pub(super) fn new(scenario: &Scenario, bottleneck: &Bottleneck) -> Limit {
        let set = knob::changes(scenario, bottleneck);
        Limit {
            sentence: bottleneck.sentence.clone(),
            how: bottleneck.how.clone(),
            set: set.iter().map(|change| format!("{}={}", change.key, change.to)).collect(),
            hardware: bottleneck.kind == Some(KnobKind::Hardware),
        }
    }
}

impl Runs {
    /// What single runs showed.
    pub(super) fn of(seen: &[Observations]) -> Runs {
        Runs {
            throughput: seen.iter().map(Observations::throughput).collect(),
            mean: seen.iter().map(|one| knob::mean(&one.classes)).collect(),
        }
    }
}

impl Numbers {
    /// The numbers of a report.
    pub(super) fn new(
        scenario: &Scenario,
        report: &Report,
        runs: Runs,
        against: Option<&Runs>,
    ) -> Numbers {
        Numbers {
            sharp: true,
            basis: basis(report),
            facts: facts(report),
            change: against.map(|before| change(before, &runs, report.run.confidence)),
            limit: report.bottleneck.as_ref().map(|one| Limit::new(scenario, one)),
            objectives: report.objectives.clone(),
            warnings: report.warnings.clone(),
            runs,
            figures: Vec::new(),
            document: None,
        }
    }

    /// The same of few runs, which are `basis`.
    pub(super) fn rough(self, basis: String) -> Numbers {
        Numbers { sharp: false, basis, warnings: Vec::new(), ..self }
    }
}

fn basis(report: &Report) -> String {
    let run = &report.run;
    format!(
        "{} runs of {} after {} of warm-up; intervals with {} confidence",
        run.replications,
        number::exact_time(run.duration),
        number::exact_time(run.warmup),
        number::percent(run.confidence)
    )
}

/// A number without words for its interval.
fn fact(id: &str, name: String, value: String, estimate: Estimate) -> Fact {
    let Estimate { value: number, low, high } = estimate;
    Fact { id: id.into(), name, value, interval: String::new(), number, low, high, better: "" }
}

fn facts(report: &Report) -> Vec<Fact> {
    let good = report.run.samples > 0;
    let mut all = vec![rate(report, good)];
    let times =
        [("mean", "mean time"), ("p50", "P50"), ("p90", "P90"), ("p95", "P95"), ("p99", "P99")];
    for (id, name) in times {
        let value = report.response_time.get(id).unwrap_or(0.0);
        let estimate = report.response_time_intervals.get(id).copied();
        let estimate = estimate.unwrap_or(Estimate::exact(value));
        let half = estimate.half_width();
        let cut_short = if report.cut_short { " or more" } else { "" };
        let words = format!("{}{cut_short}", number::time(value));
        let words = if good { words } else { "-".into() };
        let interval = match good && half > 0.0 {
            true => format!("±{}", number::time_digits(half, 2)),
            false => String::new(),
        };
        all.push(Fact { interval, better: "less", ..fact(id, name.into(), words, estimate) });
    }
    let share = report.error_share;
    let errors = fact("errors", "errors".into(), number::percent(share), Estimate::exact(share));
    all.push(Fact { better: "less", ..errors });
    let flight = report.in_flight.mean;
    let words = number::significant(flight.value, 3);
    let in_flight = fact("in_flight", "requests in flight".into(), words, flight);
    all.push(Fact { interval: half(&flight), ..in_flight });
    for station in report.stations.iter().filter(|one| one.capacity.is_some()) {
        let id = format!("use:{}", station.id);
        let name = format!("{} in use", station.id.words());
        let words = number::percent(station.utilisation);
        all.push(fact(&id, name, words, station.utilisation_interval));
    }
    if report.memory.peak > 0.0 {
        let (name, peak) = ("memory at its peak".to_string(), report.memory.peak);
        let memory = fact("memory", name, number::bytes(peak), Estimate::exact(peak));
        all.push(Fact { better: "less", ..memory });
    }
    all
}

fn rate(report: &Report, good: bool) -> Fact {
    let estimate = report.throughput;
    let certain = !good || report.run.replications < 2;
    let interval = match certain {
        true => String::new(),
        false => format!("±{}", number::rate_half(&estimate)),
    };
    let (name, words) = ("good answers per second".into(), number::rate(estimate.value));
    Fact { interval, better: "more", ..fact("throughput", name, words, estimate) }
}

fn half(estimate: &Estimate) -> String {
    match estimate.half_width() {
        half if half > 0.0 => format!("±{}", number::significant(half, 2)),
        _ => String::new(),
    }
}

/// Runs with the same index meet the same random numbers: their differences vary less than they do.
fn change(before: &Runs, after: &Runs, confidence: f64) -> Change {
    let ratio = |before: &[f64], after: &[f64]| {
        let count = before.len().min(after.len());
        let ratio = Estimate::of_ratio(&after[..count], &before[..count], confidence);
        let less = |value: f64| value - 1.0;
        let change =
            Estimate { value: less(ratio.value), low: less(ratio.low), high: less(ratio.high) };
        (count > 1 && ratio.value > 0.0).then(|| change.rounded())
    };
    let throughput = ratio(&before.throughput, &after.throughput);
    let mean = ratio(&before.mean, &after.mean);
    let words = |what: &str, change: &Estimate| {
        let (low, high) = (number::change(change.low), number::change(change.high));
        let doubt = if change.contains(0.0) { ", which may be chance" } else { "" };
        format!("{what} {} ({low} to {high}{doubt})", number::change(change.value))
    };
    let told = [("throughput", &throughput), ("mean time", &mean)];
    let told = told.into_iter().filter_map(|(what, change)| Some(words(what, change.as_ref()?)));
    let words: Vec<String> = told.collect();
    Change { throughput, mean, words: words.join("; ") }
}
