//! Objectives: what a service is to keep, such as `p99 < 800ms`.
//!
//! `parse` reads one, in rung's words or in those of k6's thresholds; `judge` holds a report
//! against it.

mod judge;
mod parse;

use std::fmt;

pub(crate) use judge::is_called;
pub use judge::{Judged, State, judge};
pub use parse::{ALLOWED, Refused};

use crate::units::Span;

/// What is to be kept: a number of the report, and the side of a limit on which it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The number.
    pub measure: Measure,
    /// The side of the limit.
    pub relation: Relation,
    /// In seconds, per second, as a share, in bytes, or a plain number.
    pub limit: f64,
}

/// A number of the report.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A response time of good answers: of all, or of one endpoint.
    Time(Option<String>, Statistic),
    /// Good answers per second: of all, or of one endpoint.
    Throughput(Option<String>),
    /// Share of requests that end in an error: of all, or of one endpoint.
    Errors(Option<String>),
    /// Share of a station that is in use, by its name in the report.
    Utilisation(String),
    /// Requests in flight, mean over time.
    InFlight,
    /// Most requests in flight at any time.
    InFlightPeak,
    /// The service's resident memory, at its peak.
    Memory,
}

/// Which response time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// So many percent are shorter.
    Quantile(f64),
    /// The longest.
    Max,
}

/// The side of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Relation {
    /// The number may not be larger.
    pub fn is_upper(self) -> bool {
        matches!(self, Relation::Below | Relation::AtMost)
    }

    fn is_strict(self) -> bool {
        matches!(self, Relation::Below | Relation::Above)
    }

    fn symbol(self) -> &'static str {
        match self {
            Relation::Below => "<",
            Relation::AtMost => "<=",
            Relation::Above => ">",
            Relation::AtLeast => ">=",
        }
    }
}

impl Objective {
    /// `value` is on the right side.
    pub fn holds(&self, value: f64) -> bool {
        match self.relation {
            Relation::Below => value < self.limit,
            Relation::AtMost => value <= self.limit,
            Relation::Above => value > self.limit,
            Relation::AtLeast => value >= self.limit,
        }
    }

    /// By which share of the limit `value` is on the right side; negative on the wrong one.
    pub fn margin(&self, value: f64) -> f64 {
        let sign = if self.relation.is_upper() { 1.0 } else { -1.0 };
        match self.limit {
            0.0 if value == 0.0 => 0.0,
            0.0 => -sign * value,
            limit => sign * (limit - value) / limit,
        }
    }

    /// The number in the unit of the objective: `640ms`, `0.2%`, `146/s`.
    pub fn show(&self, value: f64) -> String {
        self.measure.show(value)
    }

    /// Both cannot hold at once.
    pub fn contradicts(&self, other: &Objective) -> bool {
        let (upper, lower) = match (self.relation.is_upper(), other.relation.is_upper()) {
            (true, false) => (self, other),
            (false, true) => (other, self),
            _ => return false,
        };
        if !lower.measure.is_at_most(&upper.measure) {
            return false;
        }
        let strict = upper.relation.is_strict() || lower.relation.is_strict();
        lower.limit > upper.limit || (strict && lower.limit == upper.limit)
    }
}

impl Measure {
    /// The endpoint that it is about.
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Measure::Time(endpoint, _)
            | Measure::Throughput(endpoint)
            | Measure::Errors(endpoint) => endpoint.as_deref(),
            _ => None,
        }
    }

    /// It is `other`, or a quantile of the same times that is never larger.
    fn is_at_most(&self, other: &Measure) -> bool {
        match (self, other) {
            (Measure::Time(one, low), Measure::Time(two, high)) if one == two => {
                match (low, high) {
                    (Statistic::Quantile(low), Statistic::Quantile(high)) => low <= high,
                    (_, Statistic::Max) => true,
                    (low, high) => low == high,
                }
            }
            _ => self == other,
        }
    }

    /// `value` in the unit of this number.
    pub fn show(&self, value: f64) -> String {
        let short = |x: f64| {
            if x == 0.0 || !x.is_finite() {
                return x.to_string();
            }
            let digits = (2 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
            format!("{x:.digits$}")
        };
        match self {
            Measure::Time(..) => match value {
                v if v >= 1.0 => format!("{}s", short(v)),
                v if v >= 1e-3 => format!("{}ms", short(v * 1e3)),
                v => format!("{}us", short(v * 1e6)),
            },
            Measure::Throughput(_) => format!("{}/s", short(value)),
            Measure::Errors(_) | Measure::Utilisation(_) => format!("{}%", short(value * 100.0)),
            Measure::InFlight | Measure::InFlightPeak => short(value),
            Measure::Memory => format!("{}MiB", short(value / f64::from(1 << 20))),
        }
    }

    /// In a sentence: `P99 of checkout`.
    pub fn words(&self) -> String {
        let of = |what: String, endpoint: &Option<String>| match endpoint {
            Some(name) => format!("{what} of {name}"),
            None => what,
        };
        match self {
            Measure::Time(endpoint, statistic) => of(statistic.words(), endpoint),
            Measure::Throughput(endpoint) => of("throughput".into(), endpoint),
            Measure::Errors(endpoint) => of("share of errors".into(), endpoint),
            Measure::Utilisation(station) => format!("utilisation of {station}"),
            Measure::InFlight => "mean number in flight".into(),
            Measure::InFlightPeak => "largest number in flight".into(),
            Measure::Memory => "memory".into(),
        }
    }

    /// The limit as it is written.
    fn write(&self, limit: f64) -> String {
        match self {
            Measure::Time(..) => Span::from_secs_f64(limit).to_string(),
            Measure::Throughput(_) => format!("{limit}/s"),
            // Percent as a file has it: 0.1 % is no round number of a hundredth.
            Measure::Errors(_) | Measure::Utilisation(_) => {
                format!("{}%", crate::statistics::round_significant(limit * 100.0))
            }
            Measure::InFlight | Measure::InFlightPeak => limit.to_string(),
            Measure::Memory => match limit / f64::from(1 << 20) {
                whole if whole.fract() == 0.0 => format!("{whole}MiB"),
                _ => format!("{limit}B"),
            },
        }
    }
}

impl Statistic {
    /// The share of the times that are shorter; none of the mean and the longest.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Statistic::Quantile(percent) => {
                Some(crate::statistics::round_significant(percent / 100.0))
            }
            _ => None,
        }
    }

    fn words(self) -> String {
        match self {
            Statistic::Mean => "mean response time".into(),
            Statistic::Quantile(percent) => format!("P{percent}"),
            Statistic::Max => "longest response time".into(),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statistic::Mean => out.write_str("mean"),
            Statistic::Quantile(percent) => write!(out, "p{percent}"),
            Statistic::Max => out.write_str("max"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.endpoint() {
            write!(out, "endpoint:{name}.")?;
        }
        match self {
            Measure::Time(_, statistic) => write!(out, "{statistic}"),
            Measure::Throughput(_) => out.write_str("throughput"),
            Measure::Errors(_) => out.write_str("errors"),
            Measure::Utilisation(station) => write!(out, "utilisation:{station}"),
            Measure::InFlight => out.write_str("in_flight"),
            Measure::InFlightPeak => out.write_str("in_flight.peak"),
            Measure::Memory => out.write_str("memory"),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {} {}",
            self.measure,
            self.relation.symbol(),
            self.measure.write(self.limit)
        )
    }
}

#[cfg(test)]
mod tests;
