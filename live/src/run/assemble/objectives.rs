//! What the service is to keep: quantiles that a report does not have.

use hdrhistogram::Histogram;
use model::objective::{Judged, Measure, judge};
use model::report::Report;
use model::statistics::{Estimate, round_significant};

use super::Builder;

impl Builder<'_> {
    /// Each objective of the scenario, held against `report`.
    pub(super) fn objectives(&self, report: &Report) -> Vec<Judged> {
        let scenario = &self.resolved.scenario;
        judge(&scenario.objectives, report, &|measure| self.other_quantile(measure))
    }

    /// A quantile that reports have no name for, without an interval.
    fn other_quantile(&self, measure: &Measure) -> Option<Estimate> {
        let Measure::Time(endpoint, statistic) = measure else { return None };
        let quantile = statistic.quantile().filter(|_| !statistic.is_reported())?;
        let endpoints = &self.resolved.scenario.endpoints;
        let of = |index: usize| {
            endpoint
                .as_ref()
                .is_none_or(|name| endpoints.get(index).is_some_and(|e| e.name == *name))
        };
        let mut times: Option<Histogram<u64>> = None;
        for round in &self.rounds {
            let classes = round.tally.classes.iter().enumerate().filter(|(index, _)| of(*index));
            for (_, class) in classes {
                match &mut times {
                    // All have the same bounds.
                    Some(times) => {
                        let _ = times.add(&class.response_times);
                    }
                    None => times = Some(class.response_times.clone()),
                }
            }
        }
        let times = times.filter(|times| !times.is_empty())?;
        Some(Estimate::exact(round_significant(times.value_at_quantile(quantile) as f64 / 1e9)))
    }
}
