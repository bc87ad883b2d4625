//! The speed that samples show.

use model::statistics::round_significant;

use super::sample::Sample;
use super::work::{KINDS, Kind};

/// One in so many is left out: the slowest, which were interrupted.
const ONE_IN: usize = 10;

/// The mean of the fastest nine in ten.
pub(crate) fn usual(mut times: Vec<u64>) -> f64 {
    times.sort_unstable();
    times.truncate(times.len() - times.len() / ONE_IN);
    times.iter().sum::<u64>() as f64 / times.len().max(1) as f64
}

/// The speed that `samples` show: how much longer each kind of work takes than at the speed 1, its
/// mean over the kinds, and the inverse of that.
pub fn speed(samples: &[&Sample]) -> f64 {
    let slow = |(index, kind): (usize, &Kind)| {
        let times = samples.iter().filter_map(|sample| sample.warm.get(index).copied());
        usual(times.collect()) / kind.reference
    };
    let slowness = KINDS.iter().enumerate().map(slow).sum::<f64>() / KINDS.len() as f64;
    round_significant(1.0 / slowness.max(f64::MIN_POSITIVE))
}
