//! The answer to one comparison.

use std::collections::BTreeSet;

use model::report::{Bin, Report};
use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bottleneck::{Bottlenecks, Regime};
use super::judgement::Judgement;
use super::metric::{Metric, Unit};
use super::side::Side;
use super::words;

/// Version of the form of comparisons and their summaries.
pub(crate) const SCHEMA: u32 = 1;

/// A prediction against a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Version of this form.
    pub schema: u32,
    /// Its name among others: that of the scenario, unless a caller gives another.
    pub name: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Root of the random draws.
    pub seed: u64,
    /// Where the prediction comes from.
    pub predicted: Origin,
    /// Where the measurement comes from.
    pub measured: Origin,
    /// Whether anything was full when it was measured.
    pub regime: Regime,
    /// The full station on either side.
    pub bottleneck: Bottlenecks,
    /// The verdict on the prediction.
    pub verdict: Verdict,
    /// Why, sentence by sentence; empty if all agrees.
    pub reasons: Vec<String>,
    /// Why the measurement is unsound, as it says itself; empty if it is sound.
    pub doubts: Vec<String>,
    /// Parts of a report that the source of the measurement does not have, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untold: BTreeSet<String>,
    /// Notes on the comparison.
    pub warnings: Vec<String>,
    /// Number by number.
    pub rows: Vec<Row>,
}

/// Where one side comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Digest of its inputs.
    pub digest: String,
    /// Independent runs.
    pub replications: u32,
    /// Seconds counted in each.
    pub duration: f64,
    /// Good answers counted in all of them.
    pub samples: u64,
    /// How their response times are distributed; empty where that is not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Bin>,
}

impl Origin {
    /// That of `report`.
    pub fn of(report: &Report) -> Origin {
        Origin {
            digest: report.digest.clone(),
            replications: report.run.replications,
            duration: Some(report.run.duration).filter(|d| d.is_finite()).unwrap_or(0.0),
            samples: report.run.samples,
            distribution: report.distribution.clone(),
        }
    }
}

/// The verdict on a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every headline number that both sides have agrees.
    Agree,
    /// At least one does not.
    Disagree,
    /// The measurement cannot tell.
    Inconclusive,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Agree => Exit::Success,
            Verdict::Disagree => Exit::Disagree,
            Verdict::Inconclusive => Exit::Inconclusive,
        }
    }
}

/// The whole service, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole service.
    Overall,
    /// An endpoint.
    Class(String),
    /// One of several loads at once.
    Group(String),
    /// A station.
    Station(String),
}

/// One number on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Of what.
    pub scope: Scope,
    /// Which number.
    pub metric: Metric,
    /// Of errors, which kind; none for all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    /// The overall verdict depends on it.
    pub headline: bool,
    /// The prediction; none if it has no such number.
    pub predicted: Option<Side>,
    /// The measurement; none if it has no such number.
    pub measured: Option<Side>,
    /// How errors, noise, margin and tolerance are counted.
    pub unit: Unit,
    /// Predicted against measured, signed; none beside a measured zero.
    pub error: Option<f64>,
    /// Half the measured interval: how much the number changes from run to run. None if not
    /// known.
    pub noise: Option<f64>,
    /// Half the interval of the error; none if not known.
    pub margin: Option<f64>,
    /// The margin is that of the differences between rounds that saw the same load; else it is
    /// put together from both sides' intervals, as if these were independent.
    #[serde(default)]
    pub paired: bool,
    /// How large the error may be.
    pub tolerance: f64,
    /// The judgement of it.
    pub verdict: Judgement,
    /// Why it is not judged, or is within noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Row {
    /// It is a number of the whole service, all kinds of errors together.
    pub fn is_overall(&self) -> bool {
        self.scope == Scope::Overall && self.error_kind.is_none()
    }
}

impl Comparison {
    /// How often `judgement` was passed on the rows that `pick` takes.
    pub fn count(&self, judgement: Judgement, pick: impl Fn(&Row) -> bool) -> usize {
        self.rows.iter().filter(|row| row.verdict == judgement && pick(row)).count()
    }

    /// Some errors are judged by the differences between paired rounds.
    pub fn is_paired(&self) -> bool {
        self.rows.iter().any(|row| row.paired)
    }

    /// The comparison of a prediction that rests on costs of which those named are `in_doubt`,
    /// since their calibration was disturbed: as little as an unsound measurement, an unsound
    /// prediction shows that the model is wrong.
    #[must_use]
    pub fn with_costs_in_doubt(mut self, in_doubt: &[String]) -> Comparison {
        let Some(reason) = words::costs_in_doubt(in_doubt) else { return self };
        if self.verdict == Verdict::Disagree {
            self.verdict = Verdict::Inconclusive;
            self.reasons.insert(0, reason);
        } else {
            self.warnings.push(reason);
        }
        self
    }

    /// The number of the whole service with this metric.
    pub fn overall(&self, metric: Metric) -> Option<&Row> {
        self.rows.iter().find(|row| row.is_overall() && row.metric == metric)
    }
}
