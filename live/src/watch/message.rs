//! What a measurement tells while it runs.

use model::place::PlaceId;
use model::station::StationId;
use serde::{Deserialize, Serialize};

use crate::machine::Cpus;

/// Something happened. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// This is going to be measured.
    Plan(Plan),
    /// A round begins: its processes are started and its data made.
    Round {
        /// Which of the plan's scenarios.
        scenario: usize,
        /// The round of that scenario, from 0.
        round: u32,
        /// Where the load generator runs, and what draws the screen is to run.
        cpus: Cpus,
    },
    /// The load of the round begins.
    Load,
    /// A second of the load is over.
    Second(Box<Sample>),
    /// The load of the round has ended: its processes are stopped.
    Ended,
}

/// What is going to be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What the scenarios run on.
    pub target: String,
    /// Rounds of each scenario.
    pub rounds: u32,
    /// The scenarios, which take turns.
    pub scenarios: Vec<Planned>,
}

/// A scenario that is going to be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// Load that does not count.
    pub warmup: u64,
    /// Load that counts.
    pub duration: u64,
    /// Its endpoints.
    pub endpoints: Vec<String>,
    /// Where requests can be, by the number of the place.
    pub places: Vec<PlaceId>,
    /// The limits whose use can be seen.
    pub slots: Vec<Slots>,
}

/// A limit on the requests that are at one place at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// What limits them.
    pub station: StationId,
    /// How many it lets through at a time.
    pub most: u64,
    /// Where they are, by the number of the place.
    pub place: usize,
}

/// One second of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number, from 0 at the start of the load.
    pub index: u64,
    /// How long it is: less than a second if the load ended in it.
    pub length: u64,
    /// Requests begun.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
    /// Good answers by endpoint.
    pub good: Vec<u64>,
    /// Errors by kind, those that occurred: the name in a report, and how many.
    pub errors: Vec<(String, u64)>,
    /// Requests in flight at its end.
    pub in_flight: u64,
    /// Response times of the good answers, rising, and how many of each.
    pub times: Vec<(u64, u64)>,
    /// Where the time of the good answers went, by the number of the place; of those whose service
    /// says it.
    pub places: Vec<u64>,
    /// Processors that the service may run on.
    pub cores: u32,
    /// Share of those in use, by whatever program; none where the kernel does not tell.
    pub busy: Option<f64>,
    /// The processes of the service that can be seen.
    pub workers: Vec<WorkerSample>,
}

impl Sample {
    /// Good answers per second.
    pub(super) fn rate(&self) -> f64 {
        self.good.iter().sum::<u64>() as f64 * 1e9 / self.length.max(1) as f64
    }

    /// Share of its processors that the service used; none in the second in which its processes
    /// were first seen. Where they cannot be seen, all that was used is taken for the service's.
    pub(super) fn used(&self) -> Option<f64> {
        if self.workers.is_empty() {
            return self.busy;
        }
        let all = self.workers.iter().map(|worker| worker.cpu).sum::<Option<f64>>()?;
        Some(all / f64::from(self.cores.max(1)))
    }

    /// A quantile of the response times in seconds; none without answers.
    pub(super) fn quantile(&self, quantile: f64) -> Option<f64> {
        let all: u64 = self.times.iter().map(|(_, count)| count).sum();
        let rank = (quantile * all as f64).ceil().max(1.0) as u64;
        let mut before = 0;
        let found = self.times.iter().find(|(_, count)| {
            before += count;
            before >= rank
        });
        found.map(|&(nanos, _)| nanos as f64 / 1e9)
    }
}

/// A process of the service in one second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerSample {
    /// What it is called.
    pub name: String,
    /// The number of the process.
    pub process: u32,
    /// Processors that its threads used; none in the second in which it was first seen.
    pub cpu: Option<f64>,
    /// Resident memory in bytes, where the kernel tells.
    pub memory: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::{MILLISECOND, second};

    #[test]
    fn a_second_has_a_rate_and_quantiles() {
        let times = vec![(10 * MILLISECOND, 98), (20 * MILLISECOND, 1), (30 * MILLISECOND, 1)];
        let sample = Sample { times, ..second(0, 100) };
        let quantiles = [0.0, 0.5, 0.98, 0.99, 1.0].map(|quantile| sample.quantile(quantile));
        assert_eq!(quantiles, [Some(0.01), Some(0.01), Some(0.01), Some(0.02), Some(0.03)]);
        assert_eq!(sample.rate(), 100.0);
        assert_eq!(Sample::default().quantile(0.5), None);
    }
}
