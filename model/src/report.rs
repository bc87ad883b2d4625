//! The answer: what was predicted or measured, in one form for both.
//!
//! Times are in seconds, rates per second, shares between 0 and 1.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measurement::Measurement;
use crate::place::PlaceId;
use crate::station::StationId;
use crate::statistics::Estimate;
use crate::stream::replication_seed;

/// Version of the report's form.
pub const SCHEMA: u32 = 1;

/// What a run answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this form.
    pub schema: u32,
    /// Predicted or measured.
    pub kind: Kind,
    /// Name of the scenario.
    pub scenario: String,
    /// The question that it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Root of the random draws.
    pub seed: u64,
    /// Digest of the resolved scenario and its costs: equal digests, equal inputs.
    pub digest: String,
    /// How the numbers came about.
    pub run: Run,
    /// Good answers per second.
    pub throughput: Estimate,
    /// Response times of good answers.
    pub response_time: ResponseTime,
    /// Confidence intervals of the response times, under the same names.
    pub response_time_intervals: BTreeMap<String, Estimate>,
    /// Answers that were not good, by kind: mean number per run.
    pub errors: BTreeMap<String, f64>,
    /// Share of requests sent that ended in an error.
    pub error_share: f64,
    /// Requests in flight.
    pub in_flight: InFlight,
    /// Requests per run: sent, dropped.
    pub arrivals: Arrivals,
    /// Attempts of clients that retry; none where they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
    /// Whether the service recovers from a peak of its load; none if the load has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// The same by endpoint.
    pub classes: Vec<Class>,
    /// The same by group, where the load has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<LoadAnswer>,
    /// What requests queue for.
    pub stations: Vec<Station>,
    /// Each worker by itself, the one with most answers first: means over the runs. Empty for a
    /// single worker, and for a measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<WorkerShare>,
    /// Good answers per second of the slowest and of the fastest run; none of a single run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<RunRange>,
    /// Where the time of a good answer went: mean seconds by place. The parts add up to
    /// the mean response time.
    pub time: Vec<Part>,
    /// Estimate of the service's resident memory.
    pub memory: Memory,
    /// Upper bounds on throughput by operational laws.
    pub bounds: Vec<Bound>,
    /// The limit that gains most when relaxed; none if nothing was tried or gains.
    pub bottleneck: Option<Bottleneck>,
    /// Every knob that was relaxed, ranked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knobs: Vec<Knob>,
    /// What others measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedFigure>,
    /// How the numbers were measured; none for a prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// The slow requests had not ended when the window closed: the response times are those
    /// of the quick ones.
    #[serde(default)]
    pub cut_short: bool,
    /// Where an open load comes faster than it is served: by how many the requests that wait
    /// become more each second. None where the service keeps up. The users of a closed load wait
    /// for their replies: there it is the work after replies that becomes more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub falls_behind: Option<Estimate>,
    /// Numbers and parts that the source of a measurement does not tell, by their names here:
    /// `p99`, `in_flight`, `stations`; `error_kinds` if errors are only counted together, and
    /// `noise` if nothing says how much runs differ. They are zero or empty, and say nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untold: BTreeSet<String>,
    /// Work that goes on after replies were sent; none where no endpoint has such work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AfterWork>,
    /// Worker processes that ended while the service ran; none if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Processes>,
    /// Requests that held connections and threads waited for each other; none if that never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standstill: Option<Standstill>,
    /// What a reader should know before trusting the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Each round of a measurement, or replication of a prediction, by itself: those that the
    /// numbers above are of, in order. Each has the seed of its own draws, so that rounds of
    /// two reports with the same seed saw the same load. Empty if there was only one, or if
    /// replications were too many to be kept apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Report>,
}

impl Report {
    /// The number or part with this name is what its source says.
    pub fn tells(&self, name: &str) -> bool {
        !self.untold.contains(name)
    }

    /// This report, which is on one run alone, as the round `index` among several. What would
    /// be the same in each of them is told once, by the report on all.
    #[must_use]
    pub fn into_round(mut self, index: u32) -> Report {
        self.seed = replication_seed(self.seed, index);
        self.question = None;
        self.published = None;
        self.bounds.clear();
        self.standstill = None;
        (self.bottleneck, self.knobs) = (None, Vec::new());
        (self.warnings, self.rounds) = (Vec::new(), Vec::new());
        if let Some(measurement) = &mut self.measurement {
            measurement.machine.clear();
            measurement.versions.clear();
        }
        self
    }
}

/// Where a report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By simulation.
    Predicted,
    /// On a real service.
    Measured,
}

/// How the numbers came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Independent replications.
    pub replications: u32,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Seconds at the start that do not count.
    pub warmup: f64,
    /// Seconds that count.
    pub duration: f64,
    /// Good answers counted in all replications.
    pub samples: u64,
}

/// Quantiles and moments of a response time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseTime {
    /// Mean.
    pub mean: f64,
    /// Half are shorter.
    pub p50: f64,
    /// Nine of ten are shorter.
    pub p90: f64,
    /// 95 of 100 are shorter.
    pub p95: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// 999 of 1000 are shorter.
    pub p999: f64,
    /// The longest seen.
    pub max: f64,
}

impl ResponseTime {
    /// The quantiles and their names.
    pub const QUANTILES: [(&'static str, f64); 5] =
        [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

    /// Sets the quantile with this name.
    pub fn set(&mut self, name: &str, value: f64) {
        match name {
            "mean" => self.mean = value,
            "p50" => self.p50 = value,
            "p90" => self.p90 = value,
            "p95" => self.p95 = value,
            "p99" => self.p99 = value,
            "p999" => self.p999 = value,
            "max" => self.max = value,
            _ => {}
        }
    }

    /// The number with this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        Some(match name {
            "mean" => self.mean,
            "p50" => self.p50,
            "p90" => self.p90,
            "p95" => self.p95,
            "p99" => self.p99,
            "p999" => self.p999,
            "max" => self.max,
            _ => return None,
        })
    }
}

impl Report {
    /// The station `id`, if something visited it.
    pub fn station(&self, id: &StationId) -> Option<&Station> {
        self.stations.iter().find(|station| station.id == *id)
    }
}

/// Requests sent and not yet answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InFlight {
    /// Mean over time.
    pub mean: Estimate,
    /// Highest in any replication.
    pub peak: u64,
}

/// Work after replies: requests that are answered, and of which the worker still has something to
/// do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AfterWork {
    /// Pieces of such work that are under way.
    pub in_flight: InFlight,
    /// Pieces that ended per second.
    pub throughput: f64,
    /// Mean seconds from the reply to the end of a piece.
    pub seconds: f64,
    /// Pieces that ended in an error: mean number per run.
    pub failed: f64,
    /// Pieces under way at the end of a run, which a shutdown waits for or loses: mean number.
    pub unfinished: f64,
    /// Where the time of a piece went: mean seconds by place. Empty for a measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time: Vec<Part>,
}

/// Requests per run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arrivals {
    /// Requests sent, mean per run.
    pub sent: f64,
    /// Arrivals that found every user busy, mean per run.
    pub dropped: f64,
    /// Requests that came per second of the counted window, dropped ones included.
    pub rate: f64,
}

/// Attempts of clients that retry: mean per run. Good answers and errors are of requests, however
/// many attempts each took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Retries {
    /// Attempts on the wire, the first of each request included.
    pub attempts: f64,
    /// Failed attempts that were followed by another.
    pub retries: f64,
    /// Failed attempts that were not, for want of budget.
    pub refused: f64,
}

/// Whether a service recovers once a peak of its load is over: whether from some instant on, and
/// until the end, 95 % of the requests of each second are answered well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// When the load changed for the last time, in seconds since it began.
    pub last_change: f64,
    /// Seconds from then to the end.
    pub watched: f64,
    /// Runs that were watched.
    pub runs: u32,
    /// Those of them that recovered.
    pub recovered: u32,
    /// Seconds from the last change to the recovery, in the runs that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Estimate>,
    /// Share of the requests that were answered well in the later half of what was watched.
    pub answered: f64,
    /// The largest retry budget with which it recovers; none if that was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// Retry budgets with which a service recovers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// The largest with which each run recovered, as a share of the requests; none if not even
    /// the floor alone is small enough.
    pub most: Option<f64>,
    /// The smallest that was tried with which no run recovered. Between the two, runs differ.
    pub none_from: Option<f64>,
    /// Retries per second that are allowed beside the share.
    pub floor: f64,
    /// Runs of each budget.
    pub runs: u32,
}

impl Recovery {
    /// In one sentence.
    pub fn sentence(&self) -> String {
        let Recovery { watched, runs, recovered, answered, .. } = self;
        let answered = answered * 100.0;
        let Some(after) = &self.after else {
            return format!(
                "not within {watched:.0} s of the load's last change: {answered:.0} % of the \
                 requests are answered well in the end"
            );
        };
        let when = format!("{:.1} s after the load's last change", after.value);
        match recovered {
            _ if recovered == runs => when,
            _ => format!("not sure: {recovered} of {runs} runs within {watched:.0} s, {when}"),
        }
    }
}

impl Budget {
    /// In one sentence.
    pub fn sentence(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let Budget { floor, runs, .. } = self;
        let Some(most) = self.most else {
            return format!(
                "no retry budget lets it recover, not even {floor}/s without any share of the \
                 requests: retry less, pause longer, or give the service more room"
            );
        };
        let most = percent(most);
        let first = format!(
            "with a retry budget of up to {most} of the requests (and {floor}/s) it recovers in \
             each of {runs} runs"
        );
        match self.none_from {
            None => first,
            Some(none) => format!("{first}; with {} it does in none", percent(none)),
        }
    }
}

/// An endpoint's share of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Class {
    /// The endpoint's name.
    pub name: String,
    /// Good answers per second.
    pub throughput: Estimate,
    /// Response times of good answers.
    pub response_time: ResponseTime,
    /// Answers that were not good, by kind: mean number per run.
    pub errors: BTreeMap<String, f64>,
    /// Where the time of a good answer went: mean seconds by place.
    pub time: Vec<Part>,
}

/// One of several loads at once, and its share of the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadAnswer {
    /// The group's name.
    pub name: String,
    /// Good answers per second.
    pub throughput: Estimate,
    /// Response times of good answers.
    pub response_time: ResponseTime,
    /// Answers that were not good, by kind: mean number per run.
    pub errors: BTreeMap<String, f64>,
    /// Requests sent, mean per run.
    pub sent: f64,
    /// Arrivals that found every user busy, mean per run.
    pub dropped: f64,
}

/// A station over the counted window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Station {
    /// Which one.
    #[serde(flatten)]
    pub id: StationId,
    /// How many it serves at a time; none if unlimited.
    pub capacity: Option<u64>,
    /// Mean share of the capacity in use; for a station without one, zero.
    pub utilisation: f64,
    /// Interval of the utilisation.
    pub utilisation_interval: Estimate,
    /// Mean number of requests here, waiting and in service.
    pub in_flight_mean: f64,
    /// Mean waiting time per visit, in seconds.
    pub waiting_time_mean: f64,
    /// Visits per second.
    pub visits: f64,
}

/// What falls to one worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerShare {
    /// Its share of the good answers.
    pub answers: f64,
    /// Client connections that it has, mean over time.
    pub connections: f64,
    /// Processors that its threads use.
    pub cpu: f64,
    /// Share of the time in which its loop is at work.
    pub busy: f64,
    /// Mean time that a callback waits for its loop, in seconds: the loop's lag.
    pub lag: f64,
}

/// How much single runs differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRange {
    /// Lowest throughput of a run.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

impl RunRange {
    /// The range of the throughputs of several runs; none of fewer than two.
    pub fn of(rates: impl ExactSizeIterator<Item = f64>) -> Option<RunRange> {
        let nothing = RunRange { low: f64::INFINITY, high: 0.0 };
        let wider = |range: RunRange, rate: f64| RunRange {
            low: range.low.min(rate),
            high: range.high.max(rate),
        };
        (rates.len() > 1).then(|| rates.fold(nothing, wider))
    }
}

/// A part of a mean response time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Where.
    #[serde(flatten)]
    pub place: PlaceId,
    /// Mean seconds per good answer.
    pub seconds: f64,
}

/// Estimated resident memory of the service, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Mean over time.
    pub mean: f64,
    /// At the highest number of requests in flight.
    pub peak: f64,
}

/// An upper bound on throughput.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// What bounds it.
    pub name: String,
    /// The law, in symbols, with its numbers.
    pub law: String,
    /// Requests per second.
    pub throughput: f64,
}

/// What to change first, and what then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bottleneck {
    /// The key that `--set` takes; several joined by ` + ` if only their pair helps.
    pub knob: String,
    /// Throughput gained, relative: 0.96 is 96 % more.
    pub gain: f64,
    /// In one sentence.
    pub sentence: String,
    /// A setting, which costs nothing, or hardware; none where nothing is to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KnobKind>,
    /// What the change is judged by: `throughput`, `errors`, `p99`, `endpoint:NAME.p99`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Changes one after the other, each on top of those before it; the first is `knob`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Move>,
}

/// What a knob costs to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KnobKind {
    /// Configuration or code: no other machine.
    Setting,
    /// More or faster processors.
    Hardware,
}

/// One change of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// The keys that change, with their values before and after.
    pub changes: Vec<Setting>,
    /// A setting or hardware.
    pub kind: KnobKind,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Relative improvement of the goal over the move before, with its interval.
    pub improvement: Estimate,
    /// Throughput after it.
    pub throughput: f64,
    /// Share of errors after it.
    pub error_share: f64,
    /// Mean response time after it, in seconds.
    pub response_time: f64,
}

/// A key and its two values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The key that `--set` takes.
    pub key: String,
    /// Its value before.
    pub from: String,
    /// Its value after.
    pub to: String,
}

/// A knob that was relaxed, all else and all draws being equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knob {
    /// The key that `--set` takes.
    pub knob: String,
    /// Its value.
    pub from: String,
    /// The value that was tried.
    pub to: String,
    /// Throughput with it.
    pub throughput: f64,
    /// Relative gain of throughput, with its interval from paired replications.
    pub gain: Estimate,
    /// Relative change of the mean response time.
    pub response_time_change: Estimate,
    /// False if no run came up against the limit: more of it changes nothing at all, and
    /// it was not simulated.
    pub reached: bool,
    /// A setting or hardware.
    #[serde(default = "setting")]
    pub kind: KnobKind,
    /// Relative improvement of the goal: more throughput, or less of errors or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub improvement: Option<Estimate>,
    /// The change in the words of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// Reports of earlier versions told settings and hardware not apart.
fn setting() -> KnobKind {
    KnobKind::Setting
}

/// A cycle of waits: all connections of a worker were held by requests that waited for a thread
/// or for another connection, all its threads by requests that waited for a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standstill {
    /// Share of the runs that had one, their warm-up included.
    pub runs: f64,
    /// When the first began, in seconds since the start of a run.
    pub first: f64,
    /// Seconds in which a worker stood still, in a run that had one.
    pub seconds: f64,
    /// The longest without a request that gave up, in seconds.
    pub longest: f64,
    /// Connections of a worker, all of them held.
    pub connections: u32,
    /// Most of them held by requests that waited for a thread.
    pub connections_waiting_for_a_thread: u32,
    /// Most of them held by requests that waited for another connection.
    pub connections_waiting_for_a_connection: u32,
    /// Most threads held by requests that waited for a connection.
    pub threads_waiting_for_a_connection: u32,
    /// Locks, all held by requests that waited for one of them, for a connection or for a thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// The key of the patience that ends it; none if nothing does.
    pub ended_by: Option<String>,
    /// One lasted to the end of a run.
    pub endless: bool,
    /// Settings, each of which removes it.
    pub remedies: Vec<Remedy>,
}

impl Standstill {
    /// One sentence each: which requests held and waited for which resource, how the standstill ended,
    /// and which setting prevents it.
    pub fn sentence(&self) -> String {
        let mut held = Vec::new();
        if self.connections_waiting_for_a_thread > 0 {
            held.push(format!(
                "{} of the {} connections of a worker were held by requests that waited for a \
                 thread, {} threads by requests that waited for a connection",
                self.connections_waiting_for_a_thread,
                self.connections,
                self.threads_waiting_for_a_connection
            ));
        }
        if self.connections_waiting_for_a_connection > 0 {
            held.push(format!(
                "{} of the {} connections of a worker were held by requests that waited for \
                 another one",
                self.connections_waiting_for_a_connection, self.connections
            ));
        }
        if !self.locks.is_empty() {
            let locks: Vec<String> = self.locks.iter().map(|lock| format!("`{lock}`")).collect();
            held.push(format!(
                "{} {} held by requests that waited, directly or through others, for each other",
                if locks.len() == 1 { "the lock" } else { "the locks" },
                format_args!(
                    "{} {}",
                    locks.join(" and "),
                    if locks.len() == 1 { "was" } else { "were" }
                )
            ));
        }
        let ended = match (&self.ended_by, self.endless) {
            (Some(key), false) => format!("`{key}` ended it"),
            (Some(key), true) => format!("`{key}` ends it; it lasted to the end of a run"),
            (None, _) => "nothing ended it, for these requests wait forever".into(),
        };
        let remedies: Vec<String> =
            self.remedies.iter().map(|set| format!("`{} = {}`", set.key, set.value)).collect();
        let advice = match remedies[..] {
            [] => "Take the locks in one order everywhere, and nothing that others wait for inside"
                .into(),
            _ => format!("Each of these removes it: {}", remedies.join(", ")),
        };
        format!(
            "a standstill in {:.0} % of the runs, for {:.1} s of each: {}. {ended}. {advice}",
            self.runs * 100.0,
            self.seconds,
            held.join("; "),
        )
    }
}

/// Worker processes that ended and were replaced, on average over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Processes {
    /// Killed by their supervisor, because they gave no sign of life.
    pub killed: f64,
    /// Ended after as many requests as they were to answer.
    pub recycled: f64,
    /// Share of the workers' time in which they did not serve yet.
    pub down: f64,
}

impl Processes {
    /// What killed workers mean; none if none was killed.
    pub fn sentence(&self) -> Option<String> {
        (self.killed > 0.0).then(|| {
            format!(
                "`service.worker_timeout` killed {:.1} workers in each run: a handler blocked the \
                 event loop for longer than that, and all requests of the worker ended with it",
                self.killed
            )
        })
    }
}

/// A setting that removes a standstill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// The key that `--set` takes.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// What others measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedFigure {
    /// Good answers per second.
    pub throughput: f64,
    /// A cost or knob was chosen so that this figure comes out.
    pub fitted: bool,
    /// What was fitted to it, or why it is a prediction.
    pub note: String,
    /// This report's throughput relative to it, minus one.
    pub error: f64,
}

/// The JSON Schema of a report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_what_other_programs_rely_on() {
        let text = schema().to_string();
        for name in ["throughput", "response_time", "stations", "utilisation", "bottleneck", "knob"]
        {
            assert!(text.contains(&format!("\"{name}\"")), "{name}");
        }
    }

    #[test]
    fn a_round_is_told_without_what_all_rounds_have_in_common() {
        let text = r#"{
            "schema": 1, "kind": "measured", "scenario": "shop", "question": "why?", "seed": 7,
            "digest": "0",
            "run": { "replications": 1, "confidence": 0.95, "warmup": 1, "duration": 2, "samples": 3 },
            "throughput": { "value": 1.5, "low": 1.0, "high": 2.0 },
            "response_time": { "mean": 1, "p50": 1, "p90": 1, "p95": 1, "p99": 1, "p999": 1, "max": 1 },
            "response_time_intervals": {}, "errors": {}, "error_share": 0,
            "in_flight": { "mean": { "value": 1, "low": 1, "high": 1 }, "peak": 1 },
            "arrivals": { "sent": 3, "dropped": 0, "rate": 1.5 },
            "classes": [], "stations": [], "time": [], "memory": { "mean": 1, "peak": 1 },
            "bounds": [{ "name": "cpu", "law": "1/D", "throughput": 2 }],
            "bottleneck": { "knob": "cpu", "gain": 1, "sentence": "the CPU" },
            "published": { "throughput": 1, "fitted": false, "note": "", "error": 0.5 },
            "warnings": ["few"]
        }"#;
        let whole: Report = serde_json::from_str(text).expect("a report without rounds");
        assert!(whole.rounds.is_empty());
        assert!(!serde_json::to_string(&whole).expect("JSON").contains("rounds"));
        let round = whole.clone().into_round(3);
        assert_eq!(round.seed, replication_seed(7, 3));
        assert_eq!((round.throughput, &round.run), (whole.throughput, &whole.run));
        let json = serde_json::to_string(&round).expect("JSON");
        for name in ["question", "knobs", "published", "warnings", "1/D", "the CPU"] {
            assert!(!json.contains(name), "{name}: {json}");
        }
        let several = Report { rounds: vec![round], ..whole };
        let json = serde_json::to_string(&several).expect("JSON");
        assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), several);
    }

    #[test]
    fn quantiles_are_found_by_name() {
        let mut times = ResponseTime::default();
        for (index, (name, _)) in ResponseTime::QUANTILES.iter().enumerate() {
            times.set(name, index as f64);
            assert_eq!(times.get(name), Some(index as f64));
        }
        assert_eq!(times.get("p42"), None);
    }
}
