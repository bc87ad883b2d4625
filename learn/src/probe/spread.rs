//! How the CPU time of a request varies, and what becomes of that in the steps of its endpoint.

use render::number;

use super::session::Measured;
use crate::learned::{Figure, Latency, Step, Z99};
use crate::wait::fit;

/// A standard deviation below this share of the mean is left out. The mean wait of an M/G/1 queue
/// is `1 + cv²` times that of constant times (Pollaczek and Khinchine), 1 % more here; but a user
/// who waits for `n` others waits for the sum of their times, whose P99 is `1 + 2.33 cv / √n` times
/// its mean: 7 % more for 12 users.
const STEADY: f64 = 0.1;
/// Of the requests that took longest so large a share is left out: a single one of them would be
/// most of the variance, and may be the machine's.
const TRIMMED: f64 = 0.02;
/// Fewer requests say too little of how they vary.
const FEW: usize = 40;

/// CPU times of requests one at a time, relative to their mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    /// Ascending; their mean is 1.
    relative: Vec<f64>,
    /// Their standard deviation: the coefficient of variation of the CPU times.
    cv: f64,
}

impl Spread {
    /// That of an endpoint; none if too few requests were timed, or they hardly differ.
    pub(super) fn of(measured: &Measured) -> Option<Spread> {
        let times = measured.turns.iter().flat_map(|turn| turn.each.iter().copied());
        let spread = Spread::of_times(times.collect())?;
        (spread.cv >= STEADY).then_some(spread)
    }

    fn of_times(mut times: Vec<f64>) -> Option<Spread> {
        if times.len() < FEW {
            return None;
        }
        times.sort_by(f64::total_cmp);
        times.truncate(times.len() - (TRIMMED * times.len() as f64).ceil() as usize);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        if mean <= 0.0 {
            return None;
        }
        times.iter_mut().for_each(|time| *time /= mean);
        let squares: f64 = times.iter().map(|time| (time - 1.0).powi(2)).sum();
        Some(Spread { cv: libm::sqrt(squares / (count - 1.0)), relative: times })
    }

    /// Gives the `Step::Cpu` among these, which have the endpoint's mean CPU times, times that vary.
    ///
    /// A single one has the distribution that was seen. Several are drawn apart from each other:
    /// each is lognormal with a variance in proportion to its mean, so that their sum has the mean
    /// and the variance that were seen.
    pub(super) fn over(&self, steps: Vec<Step>) -> Vec<Step> {
        let means: Vec<f64> = steps.iter().filter_map(|step| Some(constant(step)?.value)).collect();
        let total: f64 = means.iter().sum();
        let varied = steps.into_iter().map(|step| match constant(&step) {
            Some(mean) if mean.value > 0.0 => Step::Cpu(match means.len() {
                1 => self.alone(mean),
                _ => self.lognormal(mean, self.cv / libm::sqrt(mean.value / total)),
            }),
            _ => step,
        });
        varied.collect()
    }

    /// The distribution that was seen, with this mean.
    fn alone(&self, mean: &Figure) -> Latency {
        if fit::is_lognormal(&self.relative) {
            return self.lognormal(mean, self.cv);
        }
        let table = fit::table(&self.relative);
        let areas = table.windows(2).map(|two| (two[1].0 - two[0].0) * (two[0].1 + two[1].1) / 2.0);
        // Straight lines between few points have another mean than what lies between them.
        let scale = mean.value / areas.sum::<f64>();
        let points = table.into_iter().map(|(share, time)| (share, time * scale)).collect();
        Latency::Quantiles(points, self.told(mean))
    }

    /// A lognormal distribution with this mean and coefficient of variation.
    fn lognormal(&self, mean: &Figure, cv: f64) -> Latency {
        let sigma = libm::sqrt(libm::log(1.0 + cv * cv));
        let half = libm::exp(-sigma * sigma / 2.0);
        let at = |factor: f64| {
            let figure = self.told(mean);
            let end = |end: Option<f64>| end.map(|end| end * factor);
            Figure {
                value: mean.value * factor,
                low: end(mean.low),
                high: end(mean.high),
                ..figure
            }
        };
        Latency::Lognormal { p50: at(half), p99: at(half * libm::exp(Z99 * sigma)) }
    }

    /// The same number, with a word on how it varies.
    fn told(&self, mean: &Figure) -> Figure {
        let how = format!(
            "{}; the standard deviation of {} requests one at a time is {} of their mean",
            mean.how,
            self.relative.len(),
            number::percent(self.cv),
        );
        Figure { how, ..mean.clone() }
    }
}

/// The CPU time of a step that computes.
fn constant(step: &Step) -> Option<&Figure> {
    match step {
        Step::Cpu(Latency::Constant(mean)) => Some(mean),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Turn;
    use super::*;

    fn mean(value: f64) -> Figure {
        Figure::measured(value, [0.9 * value, 1.2 * value], "CPU of the processes")
    }

    fn constant(value: f64) -> Step {
        Step::Cpu(Latency::Constant(mean(value)))
    }

    /// Nine of ten take 1 ms, one takes 21 ms: a mean of 3 ms and a standard deviation of 6 ms. The
    /// 11 of 511 that take longest are left out.
    fn two_kinds() -> Spread {
        let times = (0..511).map(|n| match n {
            500.. => 9.0,
            n if n % 10 == 0 => 21e-3,
            _ => 1e-3,
        });
        Spread::of_times(times.collect()).expect("they are enough")
    }

    #[test]
    fn what_hardly_varies_is_left_as_it_is() {
        let turn = |each: &dyn Fn(usize) -> f64, count: usize| Measured {
            turns: vec![Turn {
                times: vec![2e-3; count],
                cpu: 1e-3,
                each: (0..count).map(each).collect(),
                delayed: 0.0,
                off_main: 0.0,
                others: Vec::new(),
            }],
            ..Measured::default()
        };
        let steady = |n: usize| 1e-3 * (0.95 + 0.1 * (n % 2) as f64);
        let little = |n: usize| 1e-3 * (0.85 + 0.3 * (n % 2) as f64);
        let wide = |n: usize| 1e-3 * (0.5 + (n % 2) as f64);
        assert_eq!(Spread::of(&turn(&steady, 100)), None);
        assert!(Spread::of(&turn(&little, 100)).is_some_and(|spread| spread.cv < 0.2));
        assert_eq!(Spread::of(&turn(&wide, FEW - 1)), None, "too few");
        let one = |n: usize| if n == 7 { 0.5 } else { 1e-3 };
        assert_eq!(Spread::of(&turn(&one, 100)), None, "a single one");
        let spread = Spread::of(&turn(&wide, 100)).expect("it varies");
        assert!((spread.cv - 0.5076).abs() < 1e-3, "{}", spread.cv);
    }

    #[test]
    fn a_single_step_keeps_the_two_kinds_of_requests_and_their_mean() {
        let steps = two_kinds().over(vec![constant(6e-3), Step::Query("items".into())]);
        let Step::Cpu(Latency::Quantiles(points, figure)) = &steps[0] else {
            panic!("{steps:?}");
        };
        assert!(figure.how.contains("requests one at a time is 200 % of their mean"), "{figure:?}");
        let areas =
            points.windows(2).map(|two| (two[1].0 - two[0].0) * (two[0].1 + two[1].1) / 2.0);
        assert!((areas.sum::<f64>() - 6e-3).abs() < 1e-12, "twice as much as was seen");
        let ratio = points.last().expect("the last").1 / points[0].1;
        assert!((ratio - 21.0).abs() < 1e-9, "{points:?}");
        assert!(matches!(&steps[1], Step::Query(_)));
    }

    #[test]
    fn the_sum_of_several_steps_has_the_mean_and_the_variance_that_were_seen() {
        let spread = two_kinds();
        let steps = spread.over(vec![constant(1e-3), constant(3e-3), constant(0.0)]);
        let (mut mean, mut variance) = (0.0, 0.0);
        for step in &steps[..2] {
            let Step::Cpu(Latency::Lognormal { p50, p99 }) = step else { panic!("{step:?}") };
            let sigma = (p99.value / p50.value).ln() / Z99;
            let this = p50.value * (sigma * sigma / 2.0).exp();
            mean += this;
            variance += this * this * ((sigma * sigma).exp() - 1.0);
            let low = p50.low.expect("its mean has one");
            assert!((low - 0.9 * p50.value).abs() < 1e-12);
        }
        assert!((mean - 4e-3).abs() < 1e-12, "{mean}");
        assert!((variance.sqrt() / mean - spread.cv).abs() < 1e-9);
        assert!(matches!(&steps[2], Step::Cpu(Latency::Constant(_))));
    }
}
