//! Rounds of one scenario folded into numbers with intervals.

use hdrhistogram::Histogram;
use model::report::ResponseTime;
use model::statistics::{Estimate, round_significant};

use super::round::Round;
use crate::load::LoadSecond;
use crate::times;

/// Most batches into which a single round is cut.
const BATCHES: usize = 20;
/// Samples beyond a quantile that each group needs to have one worth the name.
const BEYOND: f64 = 10.0;

/// Groups of observations whose spread gives the intervals: the rounds, or, where there is
/// only one, stretches of it.
#[derive(Debug)]
pub(super) struct Groups {
    /// Each with its length in seconds.
    pub groups: Vec<Group>,
}

/// One group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Its length in seconds.
    pub seconds: f64,
    /// Good answers by class.
    pub good: Vec<u64>,
    /// Requests in flight, mean over time.
    pub in_flight: f64,
    /// Response times of good answers, in nanoseconds.
    pub times: Histogram<u64>,
}

impl Group {
    /// A whole round as one group.
    pub(super) fn whole(round: &Round) -> Group {
        let tally = &round.tally;
        let mut times = times::histogram();
        tally.classes.iter().for_each(|class| {
            // All have the same bounds.
            let _ = times.add(&class.response_times);
        });
        Group {
            seconds: round.seconds_counted(),
            good: tally.classes.iter().map(|class| class.good).collect(),
            in_flight: tally.in_flight_mean(),
            times,
        }
    }

    /// The whole seconds of a round that lie in its window, each as a group.
    pub(super) fn seconds_of(round: &Round) -> Vec<Group> {
        let tally = &round.tally;
        let begin = |index: u64| tally.started + index * 1_000_000_000;
        let inside = round.seconds.iter().filter(|LoadSecond { second, .. }| {
            let from = begin(second.index);
            from >= tally.opened && from + second.length <= tally.closed && second.length > 0
        });
        inside
            .map(|LoadSecond { second, times, good, .. }| Group {
                seconds: second.length as f64 / 1e9,
                good: good.clone(),
                in_flight: second.in_flight as f64,
                times: times.clone(),
            })
            .collect()
    }

    fn rate(&self, count: u64) -> f64 {
        if self.seconds > 0.0 { count as f64 / self.seconds } else { 0.0 }
    }

    fn join(&mut self, other: &Group) {
        let seconds = self.seconds + other.seconds;
        self.in_flight = (self.in_flight * self.seconds + other.in_flight * other.seconds)
            / seconds.max(f64::MIN_POSITIVE);
        self.seconds = seconds;
        self.good.iter_mut().zip(&other.good).for_each(|(good, more)| *good += more);
        // Both have the bounds of every histogram here.
        let _ = self.times.add(&other.times);
    }
}

impl Groups {
    /// Each round by itself.
    pub(super) fn of_rounds(rounds: Vec<Group>) -> Groups {
        Groups { groups: rounds }
    }

    /// The seconds of one round, in at most so many batches of equal length.
    pub(super) fn of_seconds(seconds: &[Group]) -> Groups {
        let size = seconds.len().div_ceil(BATCHES).max(1);
        let groups = seconds.chunks_exact(size).filter_map(|chunk| {
            let (first, rest) = chunk.split_first()?;
            let mut group = first.clone();
            rest.iter().for_each(|second| group.join(second));
            Some(group)
        });
        Groups { groups: groups.collect() }
    }

    /// `value` with the interval that the groups' spread gives it.
    fn around(&self, value: f64, confidence: f64, pick: impl Fn(&Group) -> f64) -> Estimate {
        let samples: Vec<f64> = self.groups.iter().map(pick).collect();
        let half = Estimate::of_mean(&samples, confidence).half_width();
        Estimate { value, low: (value - half).max(0.0), high: value + half }.rounded()
    }

    /// Good answers per second.
    pub(super) fn throughput(&self, value: f64, confidence: f64) -> Estimate {
        self.around(value, confidence, |group| group.rate(group.good.iter().sum()))
    }

    /// Good answers per second of one class.
    pub(super) fn class_throughput(&self, class: usize, value: f64, confidence: f64) -> Estimate {
        self.around(value, confidence, |group| group.rate(group.good[class]))
    }

    /// Requests in flight.
    pub(super) fn in_flight(&self, value: f64, confidence: f64) -> Estimate {
        self.around(value, confidence, |group| group.in_flight)
    }

    /// A quantile or the mean of response times, by name. None if a group has too few
    /// samples for it: it would be the longest time of each group, and its spread that of
    /// something else.
    pub(super) fn response_time(
        &self,
        name: &str,
        value: f64,
        confidence: f64,
    ) -> Option<Estimate> {
        let fewest = self.groups.iter().map(|group| group.times.len()).min()?;
        if self.groups.len() < 2 || fewest < samples_for(quantile_of(name)) {
            return None;
        }
        Some(self.around(value, confidence, |group| match quantile_of(name) {
            Some(q) => group.times.value_at_quantile(q) as f64 / 1e9,
            None => group.times.mean() / 1e9,
        }))
    }
}

/// The quantile of this name; none for the mean.
fn quantile_of(name: &str) -> Option<f64> {
    ResponseTime::QUANTILES.into_iter().find(|(known, _)| *known == name).map(|(_, q)| q)
}

/// Fewest samples of a group with a quantile; a mean needs one.
fn samples_for(quantile: Option<f64>) -> u64 {
    quantile.map_or(1, |q| (BEYOND / (1.0 - q)).round() as u64)
}

/// Response times of `times`; sum and longest are known exactly.
pub(super) fn response_time(times: &Histogram<u64>, sum: u128, max: u64) -> ResponseTime {
    let mut out = ResponseTime::default();
    if times.is_empty() {
        return out;
    }
    for (name, q) in ResponseTime::QUANTILES {
        // A bucket's upper end may lie beyond the longest time that was seen.
        let nanos = times.value_at_quantile(q).min(max);
        out.set(name, round_significant(nanos as f64 / 1e9));
    }
    out.mean = round_significant(sum as f64 / times.len() as f64 / 1e9);
    out.max = round_significant(max as f64 / 1e9);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second with `count` good answers, each of which took `nanos`.
    fn second(count: u64, nanos: u64) -> Group {
        let mut times = times::histogram();
        times.saturating_record_n(nanos, count);
        Group { seconds: 1.0, good: vec![count, 0], in_flight: count as f64, times }
    }

    #[test]
    fn seconds_are_put_together_in_batches_of_equal_length() {
        let seconds: Vec<Group> = (0..47).map(|index| second(index, 1_000_000)).collect();
        let Groups { groups } = Groups::of_seconds(&seconds);
        // Three seconds each; what is left over is no batch.
        assert_eq!(groups.len(), 15);
        assert!(groups.iter().all(|group| group.seconds == 3.0));
        assert_eq!((groups[1].good[0], groups[1].times.len()), (3 + 4 + 5, 12));
        assert_eq!(groups[1].in_flight, 4.0);
        assert!(Groups::of_seconds(&[]).groups.is_empty());
    }

    #[test]
    fn the_spread_of_groups_is_the_interval() {
        let groups = Groups::of_rounds(vec![second(90, 1_000), second(110, 1_000)]);
        let estimate = groups.throughput(100.0, 0.95);
        assert_eq!(estimate.value, 100.0);
        assert!(estimate.low < 90.0 && estimate.high > 110.0, "{estimate:?}");
        let even = Groups::of_rounds(vec![second(90, 1_000), second(90, 1_000)]);
        assert_eq!(even.throughput(90.0, 0.95).half_width(), 0.0);
        assert_eq!(even.class_throughput(1, 0.0, 0.95), Estimate::exact(0.0));
        assert!(groups.in_flight(100.0, 0.95).half_width() > 0.0);
        // Nothing is less than nothing.
        assert!(estimate.low >= 0.0);
    }

    #[test]
    fn a_window_without_length_divides_nothing() {
        let empty = Group { seconds: 0.0, ..second(0, 1_000) };
        for groups in [vec![], vec![empty.clone()], vec![empty.clone(), empty]] {
            let groups = Groups::of_rounds(groups);
            let all = [
                groups.throughput(0.0, 0.95),
                groups.class_throughput(0, 0.0, 0.95),
                groups.in_flight(0.0, 0.95),
            ];
            assert_eq!(all, [Estimate::exact(0.0); 3]);
            assert_eq!(groups.response_time("mean", 0.0, 0.95), None);
        }
    }

    #[test]
    fn a_quantile_needs_samples_beyond_it_in_every_group() {
        let has = |fewest: u64, name: &str| {
            let groups =
                Groups::of_rounds(vec![second(50_000, 1_000_000), second(fewest, 2_000_000)]);
            groups.response_time(name, 0.0015, 0.95).is_some()
        };
        for (name, fewest) in
            [("mean", 1), ("p50", 20), ("p90", 100), ("p99", 1000), ("p999", 10_000)]
        {
            assert!(has(fewest, name), "{name}");
            assert!(!has(fewest - 1, name), "{name}");
        }
        let one = Groups::of_rounds(vec![second(50_000, 1_000_000)]);
        assert_eq!(one.response_time("mean", 0.001, 0.95), None);
    }
}
