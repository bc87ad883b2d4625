//! Summaries as a measured report, with a list of the numbers that they do not have.

use std::collections::BTreeSet;

use model::report::{Arrivals, Class, InFlight, Kind, Memory, Report, ResponseTime, Run, SCHEMA};
use model::statistics::Estimate;

use super::form::{SummaryFormat, Values};
use super::source::Source;
use super::summary::EndSummary;

/// A report, and notes on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reported {
    /// The measurement.
    pub report: Report,
    /// Numbers that the files do not have, or count differently, in sentences.
    pub notes: Vec<String>,
}

/// Why a summary cannot be held against the prediction.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Unfit {
    /// The run was over before anything counted.
    #[error("the run ended after {seconds} s, within its warm-up of {warmup} s")]
    WarmUp {
        /// How long it was.
        seconds: f64,
        /// Seconds at its start that did not count.
        warmup: f64,
    },
    /// Not of the same script as the first.
    #[error("is of another script than the first summary: {0}")]
    Apart(&'static str),
}

/// Names of response times in a report, and in k6's summaries.
const TIMES: [(&str, &str); 7] = [
    ("mean", "avg"),
    ("p50", "med"),
    ("p90", "p(90)"),
    ("p95", "p(95)"),
    ("p99", "p(99)"),
    ("p999", "p(99.9)"),
    ("max", "max"),
];
/// Parts of a report that no summary has.
const NEVER: [&str; 6] = ["in_flight", "utilisation", "stations", "time", "memory", "noise"];
/// k6's times are in milliseconds.
const MILLIS: f64 = 1e3;
/// Confidence of the intervals that several summaries have.
const CONFIDENCE: f64 = 0.95;
/// Part of a run that may be missing at its end.
const WHOLE: f64 = 0.99;

/// The report on `summaries`, each of a run of one script, on the scenario of `predicted`.
///
/// # Errors
/// One of them, by its number, is not fit for it.
pub(crate) fn report(
    summaries: &[EndSummary],
    predicted: &Report,
) -> Result<Reported, (usize, Unfit)> {
    let mut rounds = Vec::new();
    for (index, summary) in summaries.iter().enumerate() {
        alike(&summaries[0], summary).map_err(|unfit| (index, unfit))?;
        rounds.push(round(summary, predicted).map_err(|unfit| (index, unfit))?);
    }
    let notes = notes(summaries, &rounds, predicted);
    Ok(Reported { report: together(rounds), notes })
}

/// Both are of runs of one script.
fn alike(first: &EndSummary, other: &EndSummary) -> Result<(), Unfit> {
    if Source::of(first) != Source::of(other) {
        return Err(Unfit::Apart("only one of them was written by `live export k6`"));
    }
    let (Some(first), Some(other)) = (&first.origin, &other.origin) else { return Ok(()) };
    let same = [
        ("the scenario differs", first.scenario == other.scenario),
        ("the seed differs", first.seed == other.seed),
        ("the warm-up differs", first.warmup == other.warmup),
        ("the window differs", first.duration == other.duration),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(Unfit::Apart(what)),
        None => Ok(()),
    }
}

/// Seconds that do not count and seconds that do.
fn window(summary: &EndSummary, predicted: &Run) -> Result<(f64, f64), Unfit> {
    let (warmup, duration) = match (&summary.origin, Source::of(summary)) {
        (Some(origin), _) => (origin.warmup, origin.duration),
        (None, Source::Script) => (predicted.warmup, predicted.duration),
        (None, Source::Builtin) => return Ok((0.0, to_millis(summary.seconds))),
    };
    let counted = summary.seconds - warmup;
    match counted {
        _ if counted >= WHOLE * duration => Ok((warmup, duration)),
        // The run was ended early.
        _ if counted > 0.0 => Ok((warmup, counted)),
        _ => Err(Unfit::WarmUp { seconds: summary.seconds, warmup }),
    }
}

/// The length of a run needs no nanoseconds.
fn to_millis(seconds: f64) -> f64 {
    (seconds * MILLIS).round() / MILLIS
}

/// The report on one run.
fn round(summary: &EndSummary, predicted: &Report) -> Result<Report, Unfit> {
    let source = Source::of(summary);
    let (warmup, duration) = window(summary, &predicted.run)?;
    let good = source.good(summary);
    let times = source.times(summary);
    let (errors, known) = source.errors(summary);
    let failed: f64 = errors.values().sum();
    let classes = classes(summary, source, predicted, duration);
    let mut untold: BTreeSet<String> = NEVER.map(String::from).into();
    untold.extend(
        TIMES.iter().filter(|(_, k6)| time(times, k6).is_none()).map(|(name, _)| name.to_string()),
    );
    untold.extend((!known).then(|| "error_kinds".to_string()));
    untold.extend(classes.is_empty().then(|| "classes".to_string()));
    let origin = summary.origin.as_ref();
    Ok(Report {
        after: None,
        processes: None,
        standstill: None,
        margins: None,
        objectives: Vec::new(),
        over_time: None,
        distribution: Vec::new(),
        schema: SCHEMA,
        kind: Kind::Measured,
        scenario: origin.map_or(&predicted.scenario, |origin| &origin.scenario).clone(),
        question: None,
        seed: origin.map_or(predicted.seed, |origin| origin.seed),
        digest: String::new(),
        run: Run {
            replications: 1,
            confidence: CONFIDENCE,
            warmup,
            duration,
            samples: good as u64,
        },
        throughput: Estimate::exact(good / duration),
        response_time: response_time(times),
        response_time_intervals: Default::default(),
        errors,
        error_share: if failed > 0.0 { failed / (good + failed) } else { 0.0 },
        in_flight: InFlight { mean: Estimate::exact(0.0), peak: 0 },
        arrivals: Arrivals {
            sent: summary.get("http_reqs", "count").unwrap_or(0.0),
            dropped: summary.get("dropped_iterations", "count").unwrap_or(0.0),
            rate: (good + failed) / duration,
        },
        retries: None,
        recovery: None,
        classes,
        workers: Vec::new(),
        runs: None,
        groups: Vec::new(),
        stations: Vec::new(),
        time: Vec::new(),
        memory: Memory { mean: 0.0, peak: 0.0 },
        bounds: Vec::new(),
        bottleneck: None,
        knobs: Vec::new(),
        published: None,
        measurement: None,
        cut_short: false,
        falls_behind: None,
        untold,
        warnings: Vec::new(),
        rounds: Vec::new(),
    })
}

/// A time of k6 in seconds.
fn time(times: Option<&Values>, name: &str) -> Option<f64> {
    Some(times?.get(name)? / MILLIS)
}

fn response_time(times: Option<&Values>) -> ResponseTime {
    let mut all = ResponseTime::default();
    for (name, k6) in TIMES {
        all.set(name, time(times, k6).unwrap_or(0.0));
    }
    all
}

/// The endpoints of the prediction that the summary tells apart.
fn classes(summary: &EndSummary, source: Source, predicted: &Report, duration: f64) -> Vec<Class> {
    let class = |name: &String| {
        let (good, times) = source.class(summary, name)?;
        Some(Class {
            name: name.clone(),
            throughput: Estimate::exact(good / duration),
            response_time: response_time(times),
            errors: Default::default(),
            time: Vec::new(),
        })
    };
    predicted.classes.iter().filter_map(|of| class(&of.name)).collect()
}

/// The report on all of them: the mean of each number. Intervals come from the rounds.
fn together(mut rounds: Vec<Report>) -> Report {
    if rounds.len() == 1 {
        return rounds.remove(0);
    }
    let mean = |number: &dyn Fn(&Report) -> f64| {
        rounds.iter().map(number).sum::<f64>() / rounds.len() as f64
    };
    let mut whole = rounds[0].clone();
    whole.run.replications = rounds.len() as u32;
    whole.run.samples = rounds.iter().map(|round| round.run.samples).sum();
    whole.run.duration = mean(&|round| round.run.duration);
    whole.throughput = Estimate::exact(mean(&|round| round.throughput.value));
    whole.error_share = mean(&|round| round.error_share);
    whole.arrivals = Arrivals {
        sent: mean(&|round| round.arrivals.sent),
        dropped: mean(&|round| round.arrivals.dropped),
        rate: mean(&|round| round.arrivals.rate),
    };
    for (name, _) in TIMES {
        whole.response_time.set(name, mean(&|round| round.response_time.get(name).unwrap_or(0.0)));
    }
    let kinds: BTreeSet<&String> = rounds.iter().flat_map(|round| round.errors.keys()).collect();
    whole.errors = kinds
        .into_iter()
        .map(|kind| (kind.clone(), mean(&|round| round.errors.get(kind).copied().unwrap_or(0.0))))
        .collect();
    // A number that one of them does not have is not in their mean.
    whole.untold = rounds.iter().flat_map(|round| round.untold.iter().cloned()).collect();
    whole.untold.remove("noise");
    whole.classes.retain(|class| rounds.iter().all(|round| find(round, &class.name).is_some()));
    for class in &mut whole.classes {
        let of = |number: &dyn Fn(&Class) -> f64| {
            mean(&|round| find(round, &class.name).map_or(0.0, number))
        };
        let throughput = of(&|class| class.throughput.value);
        let mut times = ResponseTime::default();
        for (name, _) in TIMES {
            times.set(name, of(&|class| class.response_time.get(name).unwrap_or(0.0)));
        }
        (class.throughput, class.response_time) = (Estimate::exact(throughput), times);
    }
    whole.rounds = rounds;
    whole
}

fn find<'a>(report: &'a Report, name: &str) -> Option<&'a Class> {
    report.classes.iter().find(|class| class.name == name)
}

/// Numbers that the files do not have, or count differently.
fn notes(summaries: &[EndSummary], rounds: &[Report], predicted: &Report) -> Vec<String> {
    let mut all = vec![
        "k6 tells of no station, no CPU and no request in flight: right numbers may have a wrong \
         cause"
            .to_string(),
    ];
    for (summary, round) in summaries.iter().zip(rounds) {
        let own = match Source::of(summary) {
            Source::Script => of_script(summary, round),
            Source::Builtin => of_builtin(summary, predicted),
        };
        for note in own.into_iter().chain(of_any(summary, round)) {
            if !all.contains(&note) {
                all.push(note);
            }
        }
    }
    if summaries.len() > 1 {
        all.push(
            "response times of several runs: each number is the mean of theirs, a quantile too"
                .to_string(),
        );
    }
    all
}

/// Notes on a summary of a script of `live export k6`.
fn of_script(summary: &EndSummary, round: &Report) -> Vec<String> {
    let Some(origin) = &summary.origin else {
        return vec![format!(
            "the summary does not say of which scenario, seed and window it is: taken to be \
             {}'s, seed {}, {} s after {} s",
            round.scenario, round.seed, round.run.duration, round.run.warmup
        )];
    };
    let cut = round.run.duration < origin.duration;
    let cut = cut.then(|| {
        let (counted, wanted) = (round.run.duration, origin.duration);
        format!("the run was ended early: {counted:.1} s of its {wanted} s count")
    });
    cut.into_iter().collect()
}

/// Notes on k6's own metrics.
fn of_builtin(summary: &EndSummary, predicted: &Report) -> Vec<String> {
    let mut all = vec![
        format!(
            "the summary does not say of which scenario it is: taken to be {}'s",
            predicted.scenario
        ),
        format!(
            "k6's own numbers are of its whole run of {:.1} s, with warm-up and graceful stop, \
             and leave out requests that were interrupted at its end, the slowest: a script of \
             `live export k6` counts the window alone",
            summary.seconds
        ),
    ];
    let wait = summary.get("http_req_blocked", "avg").unwrap_or(0.0);
    let whole = summary.get("http_req_duration", "avg").unwrap_or(0.0);
    if wait > NEGLIGIBLE * whole {
        all.push(format!(
            "`http_req_duration` begins when the connection is there; users waited {wait:.2} ms \
             for theirs, on average, which is in the prediction"
        ));
    }
    let mixed = !summary.metrics.contains_key(DURATION_OF_GOOD);
    if mixed && summary.failed().is_some_and(|failed| failed > 0.0) {
        all.push(
            "response times are of failed requests too: a refused connection counts as 0 ms, a \
             timeout in full"
                .into(),
        );
    }
    if summary.failed().is_none() {
        all.push("the summary has no `http_req_failed`: every request counts as good".into());
    }
    all
}

/// Part of a response time that makes no difference.
const NEGLIGIBLE: f64 = 0.01;
/// k6's response times of good answers alone.
const DURATION_OF_GOOD: &str = "http_req_duration{expected_response:true}";

/// Notes on any summary.
fn of_any(summary: &EndSummary, round: &Report) -> Vec<String> {
    let mut all = Vec::new();
    if !round.tells("p99") {
        all.push(match summary.form {
            SummaryFormat::MachineReadable => {
                "this form has no p(99): handleSummary data and --summary-export can have it".into()
            }
            _ => "there is no p(99): k6's option `summaryTrendStats`, or --summary-trend-stats \
                  \"avg,min,med,max,p(90),p(95),p(99)\", adds it"
                .to_string(),
        });
    }
    if !round.tells("classes") {
        all.push("endpoints are not told apart: a script of `live export k6` does".into());
    }
    if !round.tells("error_kinds") {
        all.push("errors are not told apart by kind".into());
    }
    let dropped = summary.get("dropped_iterations", "count").unwrap_or(0.0);
    if dropped > 0.0 {
        all.push(format!("k6 dropped {dropped} arrivals, for want of an idle user"));
    }
    let failed = &summary.failed_thresholds;
    if !failed.is_empty() {
        all.push(format!("k6's own thresholds failed: {}", failed.join("; ")));
    }
    all
}
