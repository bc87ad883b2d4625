//! How often which response time occurs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::statistics::round_significant;

/// Bins of a power of ten.
const PER_DECADE: f64 = 20.0;

/// Response times from `from` (inclusive) to `to`: a part of a histogram whose bins are equally wide
/// on a logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// Lower end, in seconds.
    pub from: f64,
    /// Upper end, in seconds.
    pub to: f64,
    /// Share of the good answers.
    pub share: f64,
}

/// The histogram of response times in nanoseconds and how often each occurs: twenty bins to a
/// power of ten, without a gap, from the first that is not empty to the last. Times below a
/// nanosecond are counted as one.
pub fn bins(times: impl IntoIterator<Item = (u64, u64)>) -> Vec<Bin> {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for (nanos, count) in times.into_iter().filter(|(_, count)| *count > 0) {
        *counts.entry(bin(nanos)).or_default() += count;
    }
    let all: u64 = counts.values().sum();
    let (Some((&first, _)), Some((&last, _))) = (counts.first_key_value(), counts.last_key_value())
    else {
        return Vec::new();
    };
    let share = |bin: i64| counts.get(&bin).map_or(0.0, |count| *count as f64 / all as f64);
    (first..=last)
        .map(|bin| Bin { from: end(bin), to: end(bin + 1), share: round_significant(share(bin)) })
        .collect()
}

/// The bin of a time.
fn bin(nanos: u64) -> i64 {
    libm::floor(PER_DECADE * libm::log10(nanos.max(1) as f64)) as i64
}

/// The lower end of a bin, in seconds.
fn end(bin: i64) -> f64 {
    round_significant(libm::pow(10.0, bin as f64 / PER_DECADE - 9.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_the_bin_whose_ends_are_around_it() {
        for nanos in [1, 2, 999, 1_000, 1_123, 5_000_000, 10_000_000_000] {
            let [one] = bins([(nanos, 3)])[..] else { panic!("one bin of {nanos}") };
            let seconds = nanos as f64 / 1e9;
            assert!(one.from <= seconds * (1.0 + 1e-8) && seconds < one.to, "{nanos}: {one:?}");
            assert_eq!(one.share, 1.0);
        }
    }

    #[test]
    fn bins_have_no_gap_and_add_up_to_all() {
        let all = bins([(1_000_000, 1), (40_000_000, 2), (0, 0), (1_000_000, 1)]);
        assert_eq!(all.len(), 33);
        assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(all.iter().map(|bin| bin.share).sum::<f64>(), 1.0);
        assert_eq!((all[0].share, all[1].share, all[32].share), (0.5, 0.0, 0.5));
        assert!(bins([]).is_empty());
    }
}
