//! Rate, bursts, stages and trend of arrivals.

use model::statistics::{Estimate, t_quantile};

use crate::records::Request;

/// How far counts of requests vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dispersion {
    /// Seconds of each interval in which requests were counted.
    pub interval: f64,
    /// The variance of the counts divided by their mean: 1 where arrivals know nothing of each other
    /// (Poisson), 0 where they are evenly spaced, more in bursts.
    ///
    /// Index of dispersion for counts: Cox and Lewis, "The Statistical Analysis of Series of Events"
    /// (1966). The variance is that of differences between neighbours (von Neumann 1941), so that a slow
    /// change of the rate is no burst.
    pub index: f64,
}

/// A part of the record in which the rate did not change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Seconds from the beginning of the record.
    pub start: f64,
    /// Its length in seconds.
    pub seconds: f64,
    /// Requests per second.
    pub rate: f64,
}

/// A steady change of the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Requests per second at the beginning.
    pub from: f64,
    /// Requests per second at the end.
    pub to: f64,
}

/// Intervals in which requests are counted, in seconds.
const INTERVALS: [f64; 4] = [0.1, 1.0, 10.0, 100.0];
/// Counts without which no variance is told.
const COUNTS: usize = 20;
/// Parts of a record of which the rate is looked at: a day of half hours.
const PARTS: usize = 48;
/// Requests that a part should hold.
const REQUESTS_PER_PART: usize = 50;
/// Seconds of the shortest part: what is shorter is a burst.
const SHORTEST: f64 = 10.0;
/// Parts for the interval of the rate.
const BATCHES: usize = 20;
/// The smallest change of the rate that is told, as a share.
const CHANGE: f64 = 0.2;

/// Times are multiples of a second, of a millisecond, or finer.
pub(super) fn resolution(arrivals: &[Request]) -> f64 {
    let whole = |unit: f64| {
        let off = |arrival: &Request| {
            // A start that was counted back from an end is as coarse as the end. The middle of a unit
            // stands for all of it.
            let ends = [arrival.start, arrival.start + arrival.stay().unwrap_or(0.0)];
            let halves = |time: f64| 2.0 * time / unit;
            ends.iter().all(|time| (halves(*time) - halves(*time).round()).abs() > 2e-3)
        };
        !arrivals.iter().take(1000).any(off)
    };
    if !arrivals.is_empty() && whole(1.0) { 1.0 } else { 0.0 }
}

/// Requests in each of the whole intervals of `length` from the first request on.
fn counts(arrivals: &[Request], length: f64) -> Vec<f64> {
    let Some((first, last)) = arrivals.first().zip(arrivals.last()) else { return Vec::new() };
    let all = ((last.start - first.start) / length).floor();
    if !(1.0..=1e7).contains(&all) {
        return Vec::new();
    }
    let mut counts = vec![0.0; all as usize];
    for arrival in arrivals {
        if let Some(count) = counts.get_mut(((arrival.start - first.start) / length) as usize) {
            *count += 1.0;
        }
    }
    counts
}

fn span(arrivals: &[Request]) -> f64 {
    match (arrivals.first(), arrivals.last()) {
        (Some(first), Some(last)) => last.start - first.start,
        _ => 0.0,
    }
}

/// Requests per second, with the interval that the parts of the record give.
pub(super) fn rate(arrivals: &[Request]) -> Option<Estimate> {
    let seconds = span(arrivals);
    if seconds <= 0.0 || arrivals.len() < 2 {
        return None;
    }
    let length = seconds / BATCHES as f64;
    let rates: Vec<f64> = counts(arrivals, length).iter().map(|count| count / length).collect();
    let value = (arrivals.len() - 1) as f64 / seconds;
    let spread = Estimate::of_mean(&rates, 0.95).half_width();
    let half = if rates.len() > 1 && arrivals.len() >= BATCHES { spread } else { value };
    Some(Estimate { value, low: (value - half).max(0.0), high: value + half })
}

pub(super) fn dispersion(arrivals: &[Request], resolution: f64) -> Vec<Dispersion> {
    let known = INTERVALS.into_iter().filter(|interval| *interval >= resolution);
    let one = |interval: f64| {
        let counts = counts(arrivals, interval);
        if counts.len() < COUNTS {
            return None;
        }
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let squares: f64 = counts.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
        let variance = squares / (2.0 * (counts.len() - 1) as f64);
        (mean > 0.0).then_some(Dispersion { interval, index: variance / mean })
    };
    known.filter_map(one).collect()
}

/// The course of the rate: neighbours that differ by less than chance explains are one stage.
pub(super) fn stages(arrivals: &[Request]) -> Vec<Stage> {
    let seconds = span(arrivals);
    let long = (seconds / SHORTEST) as usize;
    let parts = (arrivals.len() / REQUESTS_PER_PART).min(long).clamp(1, PARTS);
    if seconds <= 0.0 {
        return Vec::new();
    }
    let length = seconds / parts as f64;
    let counts = counts(arrivals, length * (1.0 - 1e-9));
    // Variance per request: at least that of a Poisson process, more where counts come in bursts.
    let index = dispersion(arrivals, 0.0).iter().map(|of| of.index).fold(1.0, f64::max);
    let mut stages: Vec<(f64, f64, usize)> =
        counts.iter().enumerate().map(|(i, &count)| (i as f64 * length, count, 1)).collect();
    loop {
        // The pair of neighbours that differs least, in units of its spread.
        let far = |pair: &[(f64, f64, usize)]| {
            let [(_, a, n), (_, b, m)] = [pair[0], pair[1]];
            let (n, m) = (n as f64, m as f64);
            let spread = (index * (a.max(1.0) / (n * n) + b.max(1.0) / (m * m))).sqrt();
            let change = (a / n - b / m).abs();
            if change < CHANGE * (a / n).max(b / m) { 0.0 } else { change / spread }
        };
        let nearest = stages
            .windows(2)
            .map(far)
            .enumerate()
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .filter(|(_, far)| *far < 3.0);
        let Some((at, _)) = nearest else { break };
        let (_, count, parts) = stages.remove(at + 1);
        stages[at].1 += count;
        stages[at].2 += parts;
    }
    let stage = |(start, count, parts): (f64, f64, usize)| {
        let seconds = parts as f64 * length;
        Stage { start, seconds, rate: count / seconds }
    };
    stages.into_iter().map(stage).collect()
}

/// A straight line through the rates of all parts, if its slope is not chance.
pub(super) fn trend(arrivals: &[Request]) -> Option<Trend> {
    let seconds = span(arrivals);
    let parts = (arrivals.len() / REQUESTS_PER_PART).min(PARTS);
    if parts < 8 || seconds <= 0.0 {
        return None;
    }
    let length = seconds / parts as f64;
    let rates: Vec<f64> =
        counts(arrivals, length * (1.0 - 1e-9)).iter().map(|n| n / length).collect();
    let n = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / n;
    let x = |i: usize| i as f64 - (n - 1.0) / 2.0;
    let squares: f64 = (0..rates.len()).map(|i| x(i) * x(i)).sum();
    let slope = rates.iter().enumerate().map(|(i, rate)| x(i) * rate).sum::<f64>() / squares;
    let residual: f64 =
        rates.iter().enumerate().map(|(i, rate)| (rate - mean - slope * x(i)).powi(2)).sum();
    let error = (residual / (n - 2.0) / squares).sqrt();
    let whole = slope * n;
    let told = slope.abs() > t_quantile(n - 2.0, 0.99) * error && whole.abs() > CHANGE * mean;
    told.then(|| Trend { from: (mean - whole / 2.0).max(0.0), to: (mean + whole / 2.0).max(0.0) })
}
