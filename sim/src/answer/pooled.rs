//! Response times of many replications: moments exactly, quantiles from histograms.

use std::ops::Range;

use hdrhistogram::Histogram;

use model::objective::Statistic;
use model::report::{Bin, ResponseTime, bins};
use model::statistics::round_significant;

use crate::observe::{Histograms, Observations, empty_histogram};

/// Response times of several classes and replications together.
pub(super) struct Pooled {
    histogram: Histogram<u32>,
    pub(super) good: u64,
    sum: u128,
    max: u64,
}

impl Pooled {
    /// The response times of `classes` in some replications, whose histograms are in these groups.
    pub(super) fn new<'o>(
        members: impl Iterator<Item = &'o Observations>,
        groups: &[Histograms],
        classes: Range<usize>,
    ) -> Pooled {
        let mut pooled = Pooled::empty();
        for class in members.flat_map(|o| &o.classes[classes.clone()]) {
            pooled.good += class.good;
            pooled.sum += class.sum;
            pooled.max = pooled.max.max(class.max.nanos());
        }
        // A group without replications has none.
        for histogram in groups.iter().filter_map(|group| group.get(classes.clone())).flatten() {
            pooled.histogram.add(histogram).expect("the same bounds");
        }
        pooled
    }

    /// The response times of the load `group` in one group of replications.
    pub(super) fn of_load<'o>(
        members: impl Iterator<Item = &'o Observations>,
        histograms: &Histograms,
        group: usize,
    ) -> Pooled {
        let mut pooled = Pooled::empty();
        for seen in members {
            let answers = &seen.groups[group].answers;
            pooled.good += answers.good;
            pooled.sum += answers.sum;
            pooled.max = pooled.max.max(answers.max.nanos());
            // A group without replications has none.
            if pooled.histogram.is_empty()
                && let Some(histogram) = histograms.get(seen.classes.len() + group)
            {
                pooled.histogram.add(histogram).expect("the same bounds");
            }
        }
        pooled
    }

    fn empty() -> Pooled {
        Pooled { histogram: empty_histogram(), good: 0, sum: 0, max: 0 }
    }

    pub(super) fn sum(parts: &[Pooled]) -> Pooled {
        let mut all = Pooled::empty();
        for part in parts {
            all.histogram.add(&part.histogram).expect("the same bounds");
            all.good += part.good;
            all.sum += part.sum;
            all.max = all.max.max(part.max);
        }
        all
    }

    /// One number, in seconds; none without a sample.
    pub(super) fn statistic(&self, statistic: Statistic) -> Option<f64> {
        if self.good == 0 {
            return None;
        }
        let nanos = match (statistic, statistic.quantile()) {
            (_, Some(quantile)) => self.histogram.value_at_quantile(quantile).min(self.max) as f64,
            (Statistic::Mean, _) => self.sum as f64 / self.good as f64,
            _ => self.max as f64,
        };
        Some(round_significant(nanos / 1e9))
    }

    /// How the response times are distributed.
    pub(super) fn distribution(&self) -> Vec<Bin> {
        let recorded = self.histogram.iter_recorded();
        bins(recorded.map(|step| (step.value_iterated_to(), step.count_at_value().into())))
    }

    /// In seconds; all zero without a sample.
    pub(super) fn response_time(&self) -> ResponseTime {
        let mut times = ResponseTime::default();
        if self.good == 0 {
            return times;
        }
        times.mean = round_significant(self.sum as f64 / self.good as f64 / 1e9);
        times.max = round_significant(self.max as f64 / 1e9);
        for (name, quantile) in ResponseTime::QUANTILES {
            // A bucket reports its upper end, which may lie above the longest sample.
            let nanos = self.histogram.value_at_quantile(quantile).min(self.max);
            times.set(name, round_significant(nanos as f64 / 1e9));
        }
        times
    }
}
