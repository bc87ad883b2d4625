//! The answer: what was predicted or measured, in one form for both.
//!
//! Times are in seconds, rates per second, shares between 0 and 1.

mod advice;
mod choice;
mod distribution;
mod full;
mod margins;
mod over_time;
mod recovery;
mod size;
mod standstill;

pub use advice::{Bottleneck, Knob, KnobKind, Move, Setting};
pub use choice::{Attempt, Choice, Nearest, choice_schema};
pub use distribution::{Bin, bins};
pub use margins::{Margins, Swing};
pub use over_time::{Interval, OverTime};
pub use recovery::{Budget, Recovery};
pub use size::{Breaks, First, Full, Headroom, Level, LoadKind, Reach, Size, Turned, size_schema};
pub use standstill::{Remedy, Standstill};

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measurement::Measurement;
use crate::objective::Judged;
use crate::place::PlaceId;
use crate::station::StationId;
use crate::statistics::Estimate;
use crate::stream::replication_seed;

/// Version of the report's form.
pub const SCHEMA: u32 = 1;
/// The name in [`Report::untold`] of all stations.
pub const STATIONS: &str = "stations";
/// The name in [`Report::untold`] of all that is not the utilisation of a station that is listed.
pub const OTHER_STATIONS: &str = "other_stations";

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
    /// How the response times of good answers are distributed; empty where that is not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Bin>,
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
    /// `p99`, `in_flight`, `stations`; `other_stations` if of the stations that are listed only the
    /// utilisation is known, and of others nothing; `error_kinds` if errors are only counted together, and
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
    /// Intervals that hold what is known of the learned numbers, too; none where the scenario has
    /// no learned number with an interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margins: Option<Margins>,
    /// What the service is to keep, and whether it does; empty where no objective is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<Judged>,
    /// What happened when; none if that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_time: Option<OverTime>,
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
        self.distribution.clear();
        self.over_time = None;
        self.standstill = None;
        self.objectives.clear();
        self.margins = None;
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
                "`service.worker_timeout` killed {:.1} workers in each run: a handler blocked \
                 its worker for longer than that, and all requests of the worker ended with it",
                self.killed
            )
        })
    }
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
