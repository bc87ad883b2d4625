//! What the service is to keep: numbers with intervals that the report does not have.

use std::ops::Range;

use model::objective::{Judged, Measure, Statistic, judge};
use model::report::Report;
use model::statistics::Estimate;

use super::{Builder, Pooled};
use crate::observe::Observations;

impl Builder<'_> {
    /// Each objective of the scenario, held against `report`.
    pub(super) fn objectives(&self, report: &Report) -> Vec<Judged> {
        judge(&self.scenario.objectives, report, &|measure| self.number(measure))
    }

    fn number(&self, measure: &Measure) -> Option<Estimate> {
        let class = self.classes_of(measure.endpoint())?;
        match measure {
            Measure::Time(_, statistic) => self.response_time_of(class, *statistic),
            Measure::Errors(_) => Some(errors_of(self.seen, class, self.confidence)),
            _ => None,
        }
    }

    fn classes_of(&self, endpoint: Option<&str>) -> Option<Range<usize>> {
        let classes = &self.plan.classes;
        let Some(name) = endpoint else { return Some(0..classes.len()) };
        let index = classes.iter().position(|class| class.name == name)?;
        Some(index..index + 1)
    }

    /// The response time of all groups together, and how much single groups differ.
    fn response_time_of(&self, classes: Range<usize>, statistic: Statistic) -> Option<Estimate> {
        let groups = self.pooled(classes);
        let value = Pooled::sum(&groups).statistic(statistic)?;
        if statistic == Statistic::Max {
            return Some(Estimate::exact(value));
        }
        let each: Vec<f64> = groups.iter().filter_map(|group| group.statistic(statistic)).collect();
        let half = Estimate::of_mean(&each, self.confidence).half_width();
        Some(Estimate { value, low: (value - half).max(0.0), high: value + half })
    }
}

/// The share of errors of all runs together, and how much single runs differ.
pub(crate) fn errors_of(seen: &[Observations], classes: Range<usize>, confidence: f64) -> Estimate {
    let count = |o: &Observations| {
        let of = &o.classes[classes.clone()];
        let errors: u64 = of.iter().flat_map(|class| class.errors).sum();
        let good: u64 = of.iter().map(|class| class.good).sum();
        (errors as f64, (errors + good) as f64)
    };
    let (errors, all): (Vec<f64>, Vec<f64>) = seen.iter().map(count).unzip();
    let share = Estimate::of_ratio(&errors, &all, confidence);
    Estimate { low: share.low.max(0.0), high: share.high.min(1.0), ..share }
}
