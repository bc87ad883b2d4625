//! The numbers that are compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number that both reports have.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Good answers per second.
    Throughput,
    /// Mean response time.
    Mean,
    /// Response time that half stay below.
    P50,
    /// Response time that nine of ten stay below.
    P90,
    /// Response time that 95 of 100 stay below.
    P95,
    /// Response time that 99 of 100 stay below.
    P99,
    /// Share of requests that ended in an error.
    ErrorShare,
    /// Share of a capacity in use; overall, that of the CPU.
    Utilisation,
    /// Requests in flight; at a station, those that wait or are served there.
    InFlight,
    /// Waiting time per visit of a station.
    WaitingTime,
}

/// How an error is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// As a share of the measured value: predicted / measured - 1.
    Relative,
    /// As the difference of two shares: 0.02 is two percentage points. A share is as good
    /// as known when it is small; relative to itself, one error instead of none would be
    /// infinitely wrong.
    Points,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Metric; 10] = [
        Metric::Throughput,
        Metric::Mean,
        Metric::P50,
        Metric::P90,
        Metric::P95,
        Metric::P99,
        Metric::ErrorShare,
        Metric::Utilisation,
        Metric::InFlight,
        Metric::WaitingTime,
    ];

    /// Numbers of the whole service.
    pub const OVERALL: [Metric; 9] = [
        Metric::Throughput,
        Metric::Mean,
        Metric::P50,
        Metric::P90,
        Metric::P95,
        Metric::P99,
        Metric::ErrorShare,
        Metric::Utilisation,
        Metric::InFlight,
    ];

    /// Numbers of each endpoint.
    pub const CLASS: [Metric; 5] =
        [Metric::Throughput, Metric::Mean, Metric::P50, Metric::P95, Metric::P99];

    /// Numbers of each station.
    pub const STATION: [Metric; 3] = [Metric::Utilisation, Metric::WaitingTime, Metric::InFlight];

    /// Its name in a comparison and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::Mean => "mean",
            Metric::P50 => "p50",
            Metric::P90 => "p90",
            Metric::P95 => "p95",
            Metric::P99 => "p99",
            Metric::ErrorShare => "error_share",
            Metric::Utilisation => "utilisation",
            Metric::InFlight => "in_flight",
            Metric::WaitingTime => "waiting_time",
        }
    }

    /// The metric with this name.
    pub fn from_name(name: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// The overall verdict depends on it. P90 lies between two that decide, and the number
    /// in flight follows from throughput and mean.
    pub fn is_headline(self) -> bool {
        !matches!(self, Metric::P90 | Metric::InFlight | Metric::WaitingTime)
    }

    /// How its error is counted.
    pub fn unit(self) -> Unit {
        match self {
            Metric::ErrorShare | Metric::Utilisation => Unit::Points,
            _ => Unit::Relative,
        }
    }

    /// It is a response time, or a mean or quantile of one.
    pub fn is_response_time(self) -> bool {
        matches!(self, Metric::Mean | Metric::P50 | Metric::P90 | Metric::P95 | Metric::P99)
    }

    /// Good answers without which it says nothing: ten of them beyond a far quantile,
    /// thirty for the middle.
    pub fn samples_needed(self) -> u64 {
        match self {
            Metric::Mean | Metric::P50 => 30,
            Metric::P90 => 100,
            Metric::P95 => 200,
            Metric::P99 => 1000,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_the_name_that_json_gives_it() {
        for metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            let json = serde_json::to_string(&metric).expect("a name");
            assert_eq!(json, format!("\"{}\"", metric.name()));
        }
        assert_eq!(Metric::from_name("P99"), None);
    }
}
