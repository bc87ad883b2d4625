//! Response times in buckets.

use hdrhistogram::Histogram;
use model::report::{Bin, Report};

use super::family::Times;

/// Bounds of a power of ten, in tenths of its first one.
const STEPS: [u32; 9] = [10, 15, 20, 25, 30, 40, 50, 60, 75];
/// The powers of ten: tenths of a millisecond to one second, as divisors.
const DIVISORS: [u32; 5] = [10_000, 1_000, 100, 10, 1];
/// The last bound, in seconds.
const LAST: f64 = 100.0;

/// Upper bounds of the buckets in seconds: 1 ms to 100 s. Among them are all that the semantic
/// conventions of OpenTelemetry advise (5 ms to 10 s); the others keep a quantile from being wrong by
/// more than a bucket, which is half of the time at most.
pub(super) fn bounds() -> Vec<f64> {
    // Quotients of whole numbers: the nearest numbers to 0.0015 and the like.
    let decade = |divisor: &u32| STEPS.map(|step| f64::from(step) / f64::from(*divisor));
    DIVISORS.iter().flat_map(decade).chain([LAST]).collect()
}

/// Measured times in nanoseconds.
pub(super) fn measured(times: &Histogram<u64>) -> Times {
    let bounds = bounds();
    let mut counts = vec![0; bounds.len() + 1];
    for bin in times.iter_recorded() {
        let seconds = bin.value_iterated_to() as f64 / 1e9;
        counts[bounds.partition_point(|bound| *bound < seconds)] += bin.count_at_value();
    }
    let sum = if times.is_empty() { 0.0 } else { times.mean() / 1e9 * times.len() as f64 };
    Times { sum, counts }
}

/// The times of so many good answers, if they come as `predicted`; none if the prediction does not
/// say how its times are distributed.
pub(super) fn predicted(predicted: &Report, answers: f64) -> Option<Times> {
    let bins = &predicted.distribution;
    if bins.is_empty() {
        return None;
    }
    let (mut counts, mut before) = (Vec::new(), 0);
    for bound in bounds() {
        // The numbers up to a bound rise with the answers, and so do their whole parts.
        let up_to = (share_below(bins, bound) * answers) as u64;
        counts.push(up_to.saturating_sub(before));
        before = before.max(up_to);
    }
    counts.push((answers as u64).saturating_sub(before));
    Some(Times { sum: predicted.response_time.mean * answers, counts })
}

/// The share of the times that are shorter than `bound` seconds. Within a bin they are spread evenly on
/// a logarithmic axis.
fn share_below(bins: &[Bin], bound: f64) -> f64 {
    let part = |bin: &Bin| match bound {
        _ if bound >= bin.to => bin.share,
        _ if bound <= bin.from => 0.0,
        _ => bin.share * libm::log(bound / bin.from) / libm::log(bin.to / bin.from),
    };
    bins.iter().map(part).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use model::report::bins;

    use super::*;
    use crate::metrics::sample::report;
    use crate::times;

    /// What the semantic conventions advise for `http.server.request.duration`.
    const ADVISED: [f64; 14] =
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

    #[test]
    fn bounds_rise_and_have_the_advised_ones_among_them() {
        let bounds = bounds();
        assert!(bounds.windows(2).all(|pair| pair[0] < pair[1] && pair[1] <= 1.5001 * pair[0]));
        assert!(ADVISED.iter().all(|advised| bounds.contains(advised)));
        assert_eq!((bounds[0], bounds[bounds.len() - 1]), (0.001, 100.0));
    }

    #[test]
    fn a_time_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let mut times = times::histogram();
        for nanos in [500_000, 4_900_000, 5_000_000, 200_000_000_000] {
            times.record(nanos).expect("in range");
        }
        let found = measured(&times);
        let bounds = bounds();
        let at = |bound: f64| bounds.iter().position(|one| *one == bound).expect("a bound");
        assert_eq!((found.counts[0], found.counts[at(0.005)]), (1, 1));
        // The histogram knows 5 ms to three digits only: it may be just above.
        assert_eq!(found.counts[at(0.005)] + found.counts[at(0.006)], 2);
        assert_eq!((found.counts[bounds.len()], found.count()), (1, 4));
        assert!((found.sum - 200.0104).abs() < 0.2, "{}", found.sum);
    }

    #[test]
    fn a_prediction_has_as_many_times_as_answers_and_they_never_become_fewer() {
        let times = (1..=100).map(|hundredth| (hundredth * 10_000_000, 1));
        let report = model::report::Report { distribution: bins(times), ..report(100.0) };
        let mut before = vec![0; bounds().len() + 1];
        for tenth in 0..200 {
            let now = predicted(&report, f64::from(tenth) * 7.3).expect("times");
            assert_eq!(now.count(), (f64::from(tenth) * 7.3) as u64);
            let all = |counts: &[u64], up_to: usize| counts[..=up_to].iter().sum::<u64>();
            for up_to in 0..before.len() {
                assert!(all(&now.counts, up_to) >= all(&before, up_to), "{tenth} {up_to}");
            }
            before = now.counts;
        }
        // Half of the times are up to half a second.
        assert!((share_below(&report.distribution, 0.5) - 0.5).abs() < 0.02);
        assert_eq!(predicted(&Report { distribution: Vec::new(), ..report }, 1.0), None);
    }
}
