//! The main numbers of a prediction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Report;
use crate::station::StationId;
use crate::statistics::Estimate;

/// The main numbers of a prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Good answers per second.
    pub throughput: Estimate,
    /// Response time that half stay below, in seconds; none without a good answer.
    pub p50: Option<Estimate>,
    /// Response time that 95 of 100 stay below, in seconds; none without a good answer.
    pub p95: Option<Estimate>,
    /// Response time that 99 of 100 stay below, in seconds; none without a good answer.
    pub p99: Option<Estimate>,
    /// Share of the CPU in use.
    pub cpu: Option<f64>,
    /// Share of requests that ended in an error.
    pub error_share: f64,
    /// The station that is full.
    pub full: Option<String>,
}

impl Figures {
    /// Those of `report`.
    pub fn of(report: &Report) -> Figures {
        let time = |name: &str| {
            let interval = report.response_time_intervals.get(name).copied();
            let value = || report.response_time.get(name).map(Estimate::exact);
            interval.or_else(value).filter(|_| report.run.samples > 0)
        };
        Figures {
            throughput: report.throughput,
            p50: time("p50"),
            p95: time("p95"),
            p99: time("p99"),
            cpu: report.station(&StationId::Cpu).map(|cpu| cpu.utilisation),
            error_share: report.error_share,
            full: report.full().map(|station| station.id.to_string()),
        }
    }
}
