//! The seconds of all rounds, put together.

use hdrhistogram::Histogram;
use model::report::{Interval, OverTime};
use model::statistics::round_significant;

use crate::load::{LoadSecond, Second};
use crate::run::round::Round;
use crate::times;

/// Good answers below which nothing is said of the slowest in a hundred.
const ENOUGH: u64 = 100;

/// What happened when; none if no second came to its end.
pub(super) fn over_time(rounds: &[&Round]) -> Option<OverTime> {
    let longest = rounds.iter().map(|round| round.seconds.len()).max().unwrap_or(0);
    let of = |index: usize| interval(rounds.iter().filter_map(|round| round.seconds.get(index)));
    let intervals: Vec<Interval> = (0..longest).filter_map(of).collect();
    let told = OverTime { runs: rounds.len() as u32, intervals };
    (!told.intervals.is_empty()).then_some(told)
}

/// The same second of several rounds; none without a length.
fn interval<'r>(seconds: impl Iterator<Item = &'r LoadSecond>) -> Option<Interval> {
    let seconds: Vec<&LoadSecond> = seconds.filter(|one| one.second.length > 0).collect();
    let first = seconds.first()?.second;
    let length: f64 = seconds.iter().map(|one| one.second.length as f64 / 1e9).sum();
    let mut times = times::histogram();
    for second in &seconds {
        // All have the same bounds.
        let _ = times.add(&second.times);
    }
    let rate = |pick: fn(&Second) -> u64| {
        let all: u64 = seconds.iter().map(|one| pick(&one.second)).sum();
        round_significant(all as f64 / length)
    };
    let in_flight: u64 = seconds.iter().map(|one| one.second.in_flight).sum();
    let from = first.index as f64;
    let mean = length / seconds.len() as f64;
    Some(Interval {
        from,
        to: round_significant(from + mean),
        sent: rate(|second| second.sent),
        good: rate(|second| second.good),
        errors: rate(|second| second.errors),
        p50: quantile(&times, 0.5, 1),
        p99: quantile(&times, 0.99, ENOUGH),
        in_flight: round_significant(in_flight as f64 / seconds.len() as f64),
    })
}

fn quantile(times: &Histogram<u64>, quantile: f64, enough: u64) -> Option<f64> {
    let nanos = (times.len() >= enough).then(|| times.value_at_quantile(quantile))?;
    Some(round_significant(nanos as f64 / 1e9))
}
