//! The answer to one scenario.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::report::{
    AfterWork, Kind, Margins, OTHER_STATIONS, Processes, PublishedFigure, Report, ResponseTime,
    Retries, RunRange,
};

use crate::page::{Align, Fields, Note, Page, Table};
use crate::{Answer, illustrated, measurement, number, objectives, parts};

/// Shares of time below this are put together.
const LEAST_SHARE: f64 = 0.01;

/// Quantiles as they are called in the text.
const TIMES: [(&str, &str); 7] = [
    ("mean", "mean"),
    ("p50", "P50"),
    ("p90", "P90"),
    ("p95", "P95"),
    ("p99", "P99"),
    ("p999", "P99.9"),
    ("max", "max"),
];

impl Answer for Report {
    /// One screen.
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(parts::title(self));
        page.fields(summary(self));
        objectives::show(&mut page, &self.objectives);
        let good = self.run.samples > 0;
        if good && shown(self, &self.classes) {
            page.table(endpoints(self));
        }
        if good && !self.groups.is_empty() {
            page.table(groups(self));
        }
        if good && shown(self, &self.time) {
            let mean = number::time(self.response_time.mean);
            page.heading(format!("Where the {mean} of a good answer go:"));
            page.bars(parts::time(&self.time, LEAST_SHARE));
        }
        if shown(self, &self.stations) {
            page.heading("What requests use and wait for:");
            page.table(parts::stations(&self.stations, !self.tells(OTHER_STATIONS)));
        }
        if let Some(workers) = parts::workers(&self.workers) {
            page.heading("Workers, the busiest of each run first:");
            page.table(workers);
        }
        if !self.bounds.is_empty() {
            page.heading(parts::BOUNDS);
            page.table(parts::bounds(&self.bounds));
        }
        if let Some(measurement) = &self.measurement {
            measurement::conditions(&mut page, measurement);
        }
        closing(&mut page, self);
        page
    }

    fn illustrated(&self) -> Page {
        illustrated::report(self, self.page())
    }
}

/// The page of a report for a browser: what is asked first, pictures, and `numbers` at its end.
pub fn illustrated(report: &Report, numbers: Page) -> Page {
    illustrated::report(report, numbers)
}

/// A prediction shows every part of its answer; a measurement leaves out what it cannot see.
fn shown<T>(report: &Report, part: &[T]) -> bool {
    report.kind == Kind::Predicted || !part.is_empty()
}

/// The numbers of the whole service, the throughput first.
pub fn summary(report: &Report) -> Fields {
    let mut fields = Fields::new(0, 15);
    fields.text("throughput", throughput(report));
    if let Some(RunRange { low, high }) = differing_runs(report) {
        let (low, high) = (number::rate(low), number::rate(high));
        fields.text("single runs", format!("anything between {low} and {high}/s"));
    }
    if report.run.samples > 0 {
        fields.table("response time", response_times(report));
    }
    if let Some(margins) = report.margins.as_ref().filter(|_| report.run.samples > 0) {
        fields.text("as known", as_known(margins));
    }
    fields.text("errors", errors(report));
    if let Some(retries) = &report.retries {
        fields.text("attempts", attempts(report, retries));
    }
    if let Some(recovery) = &report.recovery {
        fields.text("recovers", recovery.sentence());
        if let Some(budget) = &recovery.budget {
            fields.text("", budget.sentence());
        }
    }
    if let Some(growth) = &report.falls_behind {
        let (come, more) = (number::rate(report.arrivals.rate), number::rate(growth.value));
        fields.text(
            "falls behind",
            match report.after {
                Some(_) => format!(
                    "{come} requests come per second, and {more} more pieces of work wait each \
                     second, before or after a reply"
                ),
                None => {
                    format!("{come} requests come per second, and {more} more wait each second")
                }
            },
        );
    }
    if report.arrivals.dropped > 0.0 {
        let dropped = number::count(report.arrivals.dropped);
        fields.text("dropped", format!("{dropped} arrivals per run found every user busy"));
    }
    if let Some(Processes { killed, recycled, down }) = &report.processes {
        let ended =
            format!("{} killed, {} replaced", number::count(*killed), number::count(*recycled));
        let text =
            format!("{ended} per run; not serving for {} of the time", number::percent(*down));
        fields.text("processes", text);
    }
    let in_flight = &report.in_flight;
    let mean = number::significant(in_flight.mean.value, 3);
    let mut text = format!("{mean} requests on average, {} at most", in_flight.peak);
    // A profile that gives no memory says nothing about it.
    if report.memory.peak > 0.0 {
        let bytes = number::bytes(report.memory.peak);
        let _ = match report.kind {
            Kind::Predicted => write!(text, "; the service then takes about {bytes} of memory"),
            Kind::Measured => write!(text, "; the service took up to {bytes} of memory"),
        };
    }
    fields.text("in flight", text);
    if let Some(after) = &report.after {
        fields.text("after replies", after_replies(after));
    }
    if let Some(figure) = &report.published {
        fields.text("published", published(report.kind, figure));
    }
    fields
}

/// Work that goes on when clients have their answers.
fn after_replies(after: &AfterWork) -> String {
    let (rate, time) = (number::rate(after.throughput), number::time(after.seconds));
    let mean = number::significant(after.in_flight.mean.value, 3);
    let mut text = format!(
        "{rate} pieces of work per second, {time} each; {mean} under way on average, {} at most",
        after.in_flight.peak
    );
    if after.unfinished > 0.0 {
        let _ = write!(text, ", {} at the end of a run", number::count(after.unfinished));
    }
    if after.failed > 0.0 {
        let _ = write!(text, "; {} per run failed", number::count(after.failed));
    }
    text
}

/// Runs that differ by more than a tenth: then the mean of many is not what one run shows.
fn differing_runs(report: &Report) -> Option<RunRange> {
    report.runs.filter(|runs| runs.low > 0.0 && runs.high > 1.1 * runs.low)
}

fn published(kind: Kind, figure: &PublishedFigure) -> String {
    let rate = number::rate(figure.throughput);
    let off = number::change(figure.error);
    match kind {
        Kind::Predicted => {
            let how = if figure.fitted { "fitted to it" } else { "not fitted to it" };
            format!("{rate}/s: {off} here, {how} ({})", figure.note)
        }
        // Costs are fitted; what was measured does not depend on them.
        Kind::Measured => format!("{rate}/s: {off} measured here"),
    }
}

fn throughput(report: &Report) -> String {
    let run = &report.run;
    let runs = format!(
        "{} {} of {} after {} of warm-up",
        run.replications,
        if run.replications == 1 { "run" } else { "runs" },
        number::exact_time(run.duration),
        number::exact_time(run.warmup)
    );
    let measured = match report.kind {
        Kind::Predicted => "",
        Kind::Measured => " measured",
    };
    if run.samples == 0 {
        return format!("no good answer{measured} in {runs}");
    }
    let rate = number::rate(report.throughput.value);
    // One run has no interval.
    if run.replications == 1 {
        return format!("{rate} good answers/s{measured} ({runs})");
    }
    let half = number::rate_half(&report.throughput);
    let confidence = number::percent(run.confidence);
    format!("{rate} good answers/s{measured}, ±{half} with {confidence} confidence ({runs})")
}

fn attempts(report: &Report, retries: &Retries) -> String {
    let Retries { attempts, retries, refused } = *retries;
    let each = number::significant(attempts / report.arrivals.sent.max(1.0), 3);
    let retries = number::count(retries);
    let mut text = format!("{each} for each request ({retries} retries per run)");
    if refused > 0.0 {
        let refused = number::count(refused);
        let _ = write!(text, "; the budget refused {refused} more");
    }
    text
}

/// Quantiles over their names, and half of each interval below.
fn response_times(report: &Report) -> Table {
    let headings: Vec<(&str, Align)> =
        TIMES.iter().map(|&(_, heading)| (heading, Align::Right)).collect();
    let mut table = Table::new(&headings);
    let times = &report.response_time;
    table.row(TIMES.iter().map(|(name, _)| number::time(times.get(name).unwrap_or(0.0))));
    if report.response_time_intervals.is_empty() {
        return table;
    }
    let halves = TIMES.iter().map(|(name, _)| match report.response_time_intervals.get(*name) {
        Some(interval) if interval.half_width() > 0.0 => {
            format!("±{}", number::time_digits(interval.half_width(), 2))
        }
        _ => String::new(),
    });
    table.row(halves);
    table
}

/// How far the answer may lie with what is known of the learned numbers.
fn as_known(margins: &Margins) -> String {
    let (low, high) = (margins.throughput.low, margins.throughput.high);
    let mut text = format!("{} to {} good answers/s", number::rate(low), number::rate(high));
    for (name, heading) in TIMES.iter().filter(|(name, _)| ["p50", "p99"].contains(name)) {
        let Some(time) = margins.response_time.get(*name) else { continue };
        let (low, high) = (number::time(time.low), number::time(time.high));
        let _ = write!(text, "; {heading} {}, {low} to {high}", number::time(time.value));
    }
    let errors = &margins.error_share;
    if errors.high > errors.low {
        let (low, high) = (number::percent(errors.low), number::percent(errors.high));
        let _ = write!(text, "; {low} to {high} of requests fail");
    }
    format!("{text}, with what is known of the costs")
}

fn errors(report: &Report) -> String {
    let kinds = parts::errors(&report.errors);
    if kinds.is_empty() {
        return "none".into();
    }
    format!("{} of requests: {kinds}", number::percent(report.error_share))
}

fn endpoints(report: &Report) -> Table {
    let rows = report.classes.iter().map(|class| Row {
        name: &class.name,
        good: class.throughput.value,
        times: &class.response_time,
        errors: &class.errors,
    });
    answers("endpoint", rows, report.run.duration)
}

fn groups(report: &Report) -> Table {
    let rows = report.groups.iter().map(|group| Row {
        name: &group.name,
        good: group.throughput.value,
        times: &group.response_time,
        errors: &group.errors,
    });
    answers("load", rows, report.run.duration)
}

/// A part of the answers.
struct Row<'r> {
    name: &'r str,
    good: f64,
    times: &'r ResponseTime,
    errors: &'r BTreeMap<String, f64>,
}

fn answers<'r>(what: &str, rows: impl Iterator<Item = Row<'r>>, seconds: f64) -> Table {
    let mut table = Table::new(&[
        (what, Align::Left),
        ("good/s", Align::Right),
        ("mean", Align::Right),
        ("P50", Align::Right),
        ("P95", Align::Right),
        ("P99", Align::Right),
        ("errors", Align::Right),
    ]);
    for Row { name, good, times, errors } in rows {
        let ResponseTime { mean, p50, p95, p99, .. } = *times;
        let time = |t: f64| if good > 0.0 { number::time(t) } else { "-".into() };
        let failed = parts::error_share(errors, good * seconds);
        table.row([
            name.to_string(),
            number::rate(good),
            time(mean),
            time(p50),
            time(p95),
            time(p99),
            number::percent(failed),
        ]);
    }
    table
}

/// The limit in a sentence, and what to know before trusting the numbers.
pub fn closing(page: &mut Page, report: &Report) {
    if let Some(bottleneck) = &report.bottleneck {
        page.sentence(&bottleneck.sentence);
        page.lines(bottleneck.how.iter().map(|how| format!("How: {how}.")).collect());
    } else if report.run.samples == 0 && !report.knobs.is_empty() {
        page.sentence("No limit that was relaxed, one at a time, brings a good answer.");
    }
    if let Some(advice) = report.margins.as_ref().and_then(Margins::advice) {
        page.sentence(advice);
    }
    for warning in &report.warnings {
        page.notes(vec![Note { kind: "note", text: warning.clone(), strong: false }]);
    }
    if let Some(measurement) = &report.measurement {
        measurement::doubts(page, measurement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paint;
    use crate::sample::{measured, published};

    fn text(report: &Report) -> String {
        report.page().text(Paint::default())
    }

    #[test]
    fn a_measurement_says_so_and_leaves_out_what_it_cannot_see() {
        let mut report = measured("shop", 40.0);
        report.published = published(41.0, -0.0244);
        report.warnings = vec!["the load generator was busy".into()];
        let expected = "\
shop

throughput     40.0 good answers/s measured, ±0.50 with 95 % confidence \
(5 runs of 60 s after 5 s of warm-up)
response time    mean     P50     P90     P95     P99   P99.9     max
               260 ms  210 ms  400 ms  550 ms  900 ms  1.20 s  1.60 s
               ±10 ms
errors         0.1 % of requests: client gave up (3 per run)
in flight      10.4 requests on average, 20 at most; the service took up to 64.0 MiB of memory
published      41.0/s: -2.4 % measured here

endpoint  good/s    mean     P50     P95     P99  errors
cart        40.0  260 ms  210 ms  550 ms  900 ms   0.1 %

note: the load generator was busy
";
        assert_eq!(text(&report), expected);
    }

    #[test]
    fn one_run_has_no_interval() {
        let mut report = measured("shop", 40.0);
        report.run.replications = 1;
        report.response_time_intervals.clear();
        let text = text(&report);
        let throughput = "40.0 good answers/s measured (1 run of 60 s after 5 s of warm-up)\n";
        assert!(text.contains(throughput), "{text}");
        assert!(!text.contains('±') && !text.contains(" \n"), "{text}");
    }

    #[test]
    fn nothing_measured_is_said() {
        let mut report = measured("shop", 0.0);
        report.run.samples = 0;
        let text = text(&report);
        assert!(text.contains("no good answer measured in 5 runs of 60 s"), "{text}");
        assert!(!text.contains("endpoint"), "{text}");
    }
}
