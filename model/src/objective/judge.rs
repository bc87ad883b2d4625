//! A report held against objectives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, Objective, Statistic};
use crate::report::{Class, Kind, Report, ResponseTime, STATIONS};
use crate::station::StationId;
use crate::statistics::{Estimate, round_significant};

/// An objective, and what a report says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The objective: `p99 < 800ms`.
    pub objective: String,
    /// Whether it is kept.
    pub state: State,
    /// False where the limit lies in the interval of the number, so that another run may say
    /// otherwise.
    pub sure: bool,
    /// The number: in seconds, per second, as a share, in bytes, or plain. None where the report
    /// does not tell it, or nothing was answered.
    pub value: Option<f64>,
    /// Lower end of its interval; none where no interval is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The limit in the same unit.
    pub limit: f64,
    /// In words: what was found.
    pub found: String,
}

/// Whether an objective is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The number is on the right side of the limit.
    Kept,
    /// It is not, or no request was answered well.
    Broken,
    /// The report does not tell the number.
    Unknown,
}

/// What is known of a number.
enum Number {
    Is(Estimate),
    NothingAnswered,
    Untold,
}

/// Holds `report` against `objectives`. `better` knows some numbers with intervals that the report
/// does not have: other quantiles, and those of an endpoint.
pub fn judge(
    objectives: &[Objective],
    report: &Report,
    better: &dyn Fn(&Measure) -> Option<Estimate>,
) -> Vec<Judged> {
    let one = |objective: &Objective| judged(objective, number(&objective.measure, report, better));
    objectives.iter().map(one).collect()
}

fn judged(objective: &Objective, number: Number) -> Judged {
    let (text, limit) = (objective.to_string(), round_significant(objective.limit));
    let without = |state: State, found: &str| Judged {
        objective: text.clone(),
        state,
        sure: state == State::Broken,
        value: None,
        low: None,
        high: None,
        limit,
        found: found.into(),
    };
    let number = match number {
        Number::NothingAnswered => return without(State::Broken, "no good answer"),
        Number::Untold => return without(State::Unknown, "not told"),
        Number::Is(number) => number.rounded(),
    };
    let held = objective.holds(number.value);
    let has_interval = number.high > number.low;
    let show = |value: f64| objective.show(value);
    let found = match has_interval {
        true => {
            let (low, high) = (show(number.low), show(number.high));
            format!("{} ({low} to {high})", show(number.value))
        }
        false => show(number.value),
    };
    Judged {
        objective: text,
        state: if held { State::Kept } else { State::Broken },
        sure: objective.holds(number.low) == held && objective.holds(number.high) == held,
        value: Some(number.value),
        low: has_interval.then_some(number.low),
        high: has_interval.then_some(number.high),
        limit,
        found,
    }
}

fn number(
    measure: &Measure,
    report: &Report,
    better: &dyn Fn(&Measure) -> Option<Estimate>,
) -> Number {
    let class = match measure.endpoint() {
        None => None,
        Some(name) => match report.classes.iter().find(|class| class.name == name) {
            Some(class) => Some(class),
            None => return Number::Untold,
        },
    };
    if let Measure::Time(..) = measure {
        let nothing = match class {
            None => report.run.samples == 0,
            Some(class) => class.throughput.value == 0.0,
        };
        let failed = class.is_none_or(|class| class.errors.values().sum::<f64>() > 0.0);
        match (nothing, failed) {
            (true, true) => return Number::NothingAnswered,
            (true, false) => return Number::Untold,
            _ => {}
        }
    }
    if let Some(known) = better(measure) {
        return Number::Is(known);
    }
    match told(measure, report, class) {
        Some(number) => Number::Is(number),
        None => Number::Untold,
    }
}

/// The number as the report has it.
fn told(measure: &Measure, report: &Report, class: Option<&Class>) -> Option<Estimate> {
    match measure {
        Measure::Time(_, statistic) => {
            let name = name(*statistic).filter(|name| report.tells(name))?;
            match class {
                Some(class) => class.response_time.get(name).map(Estimate::exact),
                None => (report.response_time_intervals.get(name).copied())
                    .or_else(|| report.response_time.get(name).map(Estimate::exact)),
            }
        }
        Measure::Throughput(_) => Some(class.map_or(report.throughput, |class| class.throughput)),
        Measure::Errors(_) => Some(Estimate::exact(match class {
            None => report.error_share,
            Some(class) => {
                let errors: f64 = class.errors.values().sum();
                let all = errors + class.throughput.value * report.run.duration;
                if all > 0.0 { errors / all } else { 0.0 }
            }
        })),
        Measure::Utilisation(name) => {
            let station = report.stations.iter().find(|station| is_called(&station.id, name));
            match station {
                Some(station) => Some(station.utilisation_interval),
                // A prediction lists all stations that a request came to.
                None => (report.kind == Kind::Predicted && report.tells(STATIONS))
                    .then(|| Estimate::exact(0.0)),
            }
        }
        Measure::InFlight => report.tells("in_flight").then_some(report.in_flight.mean),
        Measure::InFlightPeak => {
            report.tells("in_flight").then(|| Estimate::exact(report.in_flight.peak as f64))
        }
        Measure::Memory => (report.memory.peak > 0.0).then(|| Estimate::exact(report.memory.peak)),
    }
}

impl Statistic {
    /// Reports have a name for it.
    pub fn is_reported(self) -> bool {
        name(self).is_some()
    }
}

/// The name in the report of a response time that it has.
fn name(statistic: Statistic) -> Option<&'static str> {
    match statistic {
        Statistic::Mean => Some("mean"),
        Statistic::Max => Some("max"),
        Statistic::Quantile(_) => ResponseTime::QUANTILES
            .into_iter()
            .find(|(_, quantile)| statistic.quantile() == Some(*quantile))
            .map(|(name, _)| name),
    }
}

/// A station is called by its name in the report, blanks as `_` where one likes.
pub(crate) fn is_called(station: &StationId, name: &str) -> bool {
    let plain = |text: &str| text.replace('_', " ");
    plain(&station.to_string()) == plain(name)
}
