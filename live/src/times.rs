//! Histograms of times, in nanoseconds.

use hdrhistogram::Histogram;

/// Shortest and longest time that is distinguished, to three digits, as in a prediction.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 1_000_000 * 1_000_000_000;
const DIGITS: u8 = 3;

/// An empty histogram of times. All have the same bounds, and can be added to each other.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS).expect("valid constant bounds")
}
