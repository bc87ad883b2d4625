//! A number that changes over time, counted as it happens.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::stack::GaugeReading;

/// How many there are, from any thread, and the integral of that over time.
#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    value: u64,
    since: u64,
    area: u128,
    peak: u64,
    entries: u64,
}

impl Gauge {
    /// None, from now on.
    pub(super) fn new() -> Gauge {
        Gauge::default()
    }

    /// One more.
    pub(super) fn enter(&self) {
        let mut state = self.settle();
        state.value += 1;
        state.entries += 1;
        state.peak = state.peak.max(state.value);
    }

    /// One fewer.
    pub(super) fn leave(&self) {
        let mut state = self.settle();
        state.value = state.value.checked_sub(1).expect("every leave follows an enter");
    }

    /// One fewer since `at`, which has passed.
    pub(super) fn leave_at(&self, at: u64) {
        let mut state = self.settle();
        state.value = state.value.checked_sub(1).expect("every leave follows an enter");
        let over = state.since.saturating_sub(at);
        state.area = state.area.saturating_sub(u128::from(over));
    }

    /// `nanos` more of an entry that has been counted.
    pub(super) fn extend(&self, nanos: u64) {
        self.settle().area += u128::from(nanos);
    }

    /// One that was here for `nanos` and is gone already.
    pub(super) fn add(&self, nanos: u64) {
        let mut state = self.settle();
        state.area += u128::from(nanos);
        state.entries += 1;
    }

    /// How many there are.
    pub(super) fn value(&self) -> u64 {
        self.settle().value
    }

    /// The gauge now.
    pub(super) fn read(&self) -> GaugeReading {
        let state = self.settle();
        GaugeReading {
            value: state.value,
            area: u64::try_from(state.area).unwrap_or(u64::MAX),
            peak: state.peak,
            entries: state.entries,
        }
    }

    /// The state, with the area up to now.
    fn settle(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: instants that settle it then rise.
        let now = clock::now();
        state.area += u128::from(state.value) * u128::from(now - state.since);
        state.since = now;
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_area_is_value_times_time() {
        let gauge = Gauge::new();
        let began = clock::now();
        gauge.enter();
        gauge.enter();
        thread::sleep(Duration::from_millis(4));
        gauge.leave();
        gauge.leave();
        let ended = clock::now();
        let reading = gauge.read();
        assert_eq!((reading.value, reading.peak, reading.entries), (0, 2, 2));
        assert!(reading.area >= 2 * 4_000_000);
        assert!(reading.area <= 2 * (ended - began));
        // The value is zero: nothing is added.
        assert_eq!(gauge.read(), reading);
        gauge.add(5);
        assert_eq!(gauge.read(), GaugeReading { area: reading.area + 5, entries: 3, ..reading });
    }

    #[test]
    fn an_entry_that_left_before_is_counted_up_to_then() {
        let gauge = Gauge::new();
        let began = clock::now();
        gauge.enter();
        let left = clock::now();
        thread::sleep(Duration::from_millis(4));
        gauge.leave_at(left);
        let reading = gauge.read();
        assert_eq!((reading.value, reading.entries), (0, 1));
        assert!(reading.area <= left - began, "{reading:?}");
        gauge.extend(7);
        assert_eq!(gauge.read(), GaugeReading { area: reading.area + 7, ..reading });
    }

    #[test]
    fn threads_count_together() {
        let gauge = Gauge::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        gauge.enter();
                        gauge.leave();
                    }
                });
            }
        });
        let reading = gauge.read();
        assert_eq!((reading.value, reading.entries), (0, 4_000));
        assert!((1..=4).contains(&reading.peak));
    }
}
