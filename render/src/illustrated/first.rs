//! What people ask first, in plain words.

use model::report::{Kind, Report, Station};

use super::listed;
use crate::number;
use crate::page::{Fact, Page};
use crate::parts;

/// From here on a station is called full.
const FULL: f64 = 0.9;

/// The numbers, and the answers to what is asked first.
pub(super) fn show(page: &mut Page, report: &Report) {
    page.caption(origin(report));
    page.facts(facts(report));
    let mut answers = vec![("What does it do?".to_string(), vec![does(report)])];
    if !report.stations.is_empty() {
        answers.push(("Which resource is full?".to_string(), vec![full(&report.stations)]));
    }
    let change = change(report);
    if !change.is_empty() {
        answers.push(("What is the limit, and what do I change first?".to_string(), change));
    }
    page.answers(answers);
}

/// Where the numbers come from.
fn origin(report: &Report) -> String {
    let run = &report.run;
    let runs = format!(
        "{} {} of {} after {} of warm-up, seed {}",
        run.replications,
        if run.replications == 1 { "run" } else { "runs" },
        number::exact_time(run.duration),
        number::exact_time(run.warmup),
        report.seed
    );
    match report.kind {
        Kind::Predicted => format!("Predicted by simulation: {runs}."),
        Kind::Measured => format!("Measured: {runs}."),
    }
}

fn facts(report: &Report) -> Vec<Fact> {
    let fact =
        |name: &str, value: String, detail: String| Fact { name: name.into(), value, detail };
    let run = &report.run;
    let good = run.samples > 0;
    let interval = match run.replications {
        1 => String::new(),
        _ if !good => String::new(),
        _ => format!(
            "±{} with {} confidence",
            number::rate_half(&report.throughput),
            number::percent(run.confidence)
        ),
    };
    let time = |name: &str, seconds: f64| {
        let half = report.response_time_intervals.get(name).map_or(0.0, |one| one.half_width());
        let known = good && report.tells(name);
        let value = if known { number::time(seconds) } else { "-".into() };
        let over =
            if known && report.cut_short { "or more: the slow ones had not ended" } else { "" };
        let detail = match half > 0.0 && known && over.is_empty() {
            true => format!("±{}", number::time_digits(half, 2)),
            false => over.to_string(),
        };
        (value, detail)
    };
    let (p50, p50_detail) = time("p50", report.response_time.p50);
    let (p99, p99_detail) = time("p99", report.response_time.p99);
    vec![
        fact("good answers per second", number::rate(report.throughput.value), interval),
        fact("P50: half of the good answers take at most that", p50, p50_detail),
        fact("P99: 99 of 100 good answers take at most that", p99, p99_detail),
        fact("of the requests end in an error", number::percent(report.error_share), String::new()),
    ]
}

fn does(report: &Report) -> String {
    let errors = match parts::errors(&report.errors) {
        none if none.is_empty() => "No request ends in an error.".to_string(),
        kinds => {
            format!(
                "{} of the requests end in an error: {kinds}.",
                number::percent(report.error_share)
            )
        }
    };
    if report.run.samples == 0 {
        return format!("It gives no good answer. {errors}");
    }
    let mean = number::significant(report.in_flight.mean.value, 3);
    let behind = report.falls_behind.map_or(String::new(), |growth| {
        format!(
            " It falls behind: {} requests come per second, and {} more wait each second.",
            number::rate(report.arrivals.rate),
            number::rate(growth.value)
        )
    });
    let flight = match report.tells("in_flight") {
        true => {
            format!(" {mean} requests are under way on average, {} at most.", report.in_flight.peak)
        }
        false => String::new(),
    };
    format!(
        "It answers {} requests per second well.{behind} Half of these answers take at most {}, 99 \
         of 100 at most {}. {errors}{flight}",
        number::rate(report.throughput.value),
        number::time(report.response_time.p50),
        number::time(report.response_time.p99),
    )
}

/// What is in use all the time, or how far the fullest is from it.
fn full(stations: &[Station]) -> String {
    let mut limited: Vec<&Station> =
        stations.iter().filter(|station| station.capacity.is_some()).collect();
    limited.sort_by(|a, b| b.utilisation.total_cmp(&a.utilisation));
    let words = |station: &&Station| {
        format!("{} ({} in use)", station.id.words(), number::percent(station.utilisation))
    };
    let full: Vec<String> =
        limited.iter().filter(|station| station.utilisation >= FULL).map(words).collect();
    match (full.is_empty(), limited.first()) {
        (false, _) => format!("Full, or nearly so: {}.", listed(&full)),
        (true, Some(fullest)) => format!("Nothing. The fullest is the {}.", words(fullest)),
        (true, None) => "Nothing that is limited is used.".into(),
    }
}

fn change(report: &Report) -> Vec<String> {
    let Some(bottleneck) = &report.bottleneck else {
        let tried = report.run.samples == 0 && !report.knobs.is_empty();
        let none = "No limit that was relaxed, one at a time, brings a good answer.".to_string();
        return if tried { vec![none] } else { Vec::new() };
    };
    let how = bottleneck.how.iter().map(|how| format!("How: {how}."));
    std::iter::once(bottleneck.sentence.clone()).chain(how).collect()
}
