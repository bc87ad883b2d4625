//! What was counted of a scenario so far.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::message::Sample;
use crate::times;

/// What was counted in some seconds of a scenario. Times are in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct SoFar {
    /// How long the seconds are together.
    pub(crate) length: u64,
    /// Response times of good answers.
    pub(crate) times: Histogram<u64>,
    /// Good answers by endpoint.
    pub(crate) good: Vec<u64>,
    /// Errors by kind.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Requests begun.
    pub(super) sent: u64,
    /// Arrivals that found every user busy.
    pub(crate) dropped: u64,
    /// Requests in flight, as an integral over time.
    in_flight: f64,
    /// Time of the answers by place.
    places: Vec<u128>,
    /// What was known of the processors.
    cpu: Cpu,
}

/// Shares of the service's processors as integrals over the time in which they were known.
#[derive(Clone, Copy, Debug, Default)]
struct Cpu {
    known: f64,
    /// By the service.
    used: f64,
    /// By others, and for how long that was known.
    others: (f64, f64),
}

impl Default for SoFar {
    fn default() -> SoFar {
        SoFar {
            length: 0,
            times: times::histogram(),
            good: Vec::new(),
            errors: BTreeMap::new(),
            sent: 0,
            dropped: 0,
            in_flight: 0.0,
            places: Vec::new(),
            cpu: Cpu::default(),
        }
    }
}

impl SoFar {
    /// What was counted in `samples`.
    pub(super) fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> SoFar {
        let mut all = SoFar::default();
        samples.into_iter().for_each(|sample| all.add(sample));
        all
    }

    /// Adds a second.
    pub(crate) fn add(&mut self, sample: &Sample) {
        self.length += sample.length;
        for &(nanos, count) in &sample.times {
            self.times.saturating_record_n(nanos, count);
        }
        self.good.resize(self.good.len().max(sample.good.len()), 0);
        self.good.iter_mut().zip(&sample.good).for_each(|(sum, count)| *sum += count);
        for (kind, count) in &sample.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
        self.sent += sample.sent;
        self.dropped += sample.dropped;
        self.in_flight += sample.in_flight as f64 * sample.length as f64;
        self.places.resize(self.places.len().max(sample.places.len()), 0);
        let places = self.places.iter_mut().zip(&sample.places);
        places.for_each(|(sum, nanos)| *sum += u128::from(*nanos));
        let length = sample.length as f64;
        if let Some(used) = sample.used() {
            self.cpu.used += used * length;
            self.cpu.known += length;
            if let (Some(busy), false) = (sample.busy, sample.workers.is_empty()) {
                self.cpu.others.0 += (busy - used).max(0.0) * length;
                self.cpu.others.1 += length;
            }
        }
    }

    /// Nothing was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// `count` per second; none without a second.
    pub(crate) fn rate(&self, count: u64) -> Option<f64> {
        (self.length > 0).then(|| count as f64 * 1e9 / self.length as f64)
    }

    /// Good answers.
    pub(crate) fn answers(&self) -> u64 {
        self.good.iter().sum()
    }

    /// Errors of all kinds.
    pub(super) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Share of the settled requests that ended in an error; none if none was settled.
    pub(super) fn error_share(&self) -> Option<f64> {
        let (failed, all) = (self.failed(), self.failed() + self.answers());
        (all > 0).then(|| failed as f64 / all as f64)
    }

    /// A quantile of the response times in seconds; none without answers.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        (!self.times.is_empty()).then(|| self.times.value_at_quantile(quantile) as f64 / 1e9)
    }

    /// The mean response time in seconds; none without answers.
    pub(crate) fn mean(&self) -> Option<f64> {
        (!self.times.is_empty()).then(|| self.times.mean() / 1e9)
    }

    /// Mean number of requests in flight.
    pub(super) fn in_flight(&self) -> Option<f64> {
        (self.length > 0).then(|| self.in_flight / self.length as f64)
    }

    /// Mean number of requests at the place with this number, by Little's law.
    pub(crate) fn at(&self, place: usize) -> f64 {
        let nanos = self.places.get(place).copied().unwrap_or(0);
        nanos as f64 / self.length.max(1) as f64
    }

    /// Something is known of where requests were.
    pub(crate) fn knows_places(&self) -> bool {
        self.places.iter().any(|nanos| *nanos > 0)
    }

    /// Share of the service's processors that it used, where that is known.
    pub(crate) fn used(&self) -> Option<f64> {
        (self.cpu.known > 0.0).then(|| self.cpu.used / self.cpu.known)
    }

    /// Share of them that others used: programs, the kernel, and the witness of the machine's speed.
    pub(super) fn others(&self) -> Option<f64> {
        let (others, known) = self.cpu.others;
        (known > 0.0).then(|| others / known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::{SECOND, second};

    #[test]
    fn seconds_add_up() {
        let so_far = SoFar::of(&[second(0, 100), second(1, 300)]);
        assert_eq!((so_far.length, so_far.answers(), so_far.failed()), (2 * SECOND, 400, 2));
        assert_eq!(so_far.rate(so_far.answers()), Some(200.0));
        assert_eq!(so_far.error_share(), Some(2.0 / 402.0));
        assert_eq!(so_far.in_flight(), Some(4.0));
        // A hundred answers with 10 ms at the place, then three hundred, in two seconds.
        assert_eq!(so_far.at(sample_place()), 2.0);
        let [used, others] = [so_far.used(), so_far.others()].map(|share| share.expect("known"));
        assert!((used - 0.45).abs() < 1e-9 && (others - 0.05).abs() < 1e-9, "{used} {others}");
        let p99 = so_far.quantile(0.99).expect("answers");
        assert!((p99 - 0.020).abs() < 0.0001, "{p99}");
    }

    fn sample_place() -> usize {
        crate::watch::sample::PARTNER
    }

    #[test]
    fn what_others_use_is_not_the_services() {
        let unseen = Sample { workers: Vec::new(), ..second(0, 1) };
        let so_far = SoFar::of([&unseen]);
        assert_eq!((so_far.used(), so_far.others()), (Some(0.5), None));
        let mut first = second(0, 1);
        first.workers[0].cpu = None;
        assert_eq!(SoFar::of([&first]).used(), None);
        // Two processors are in use by half, and the service uses 0.45 of one.
        let so_far = SoFar::of([&Sample { cores: 2, ..second(0, 1) }]);
        assert_eq!((so_far.used(), so_far.others()), (Some(0.225), Some(0.275)));
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        let nothing = SoFar::default();
        assert!(nothing.is_empty() && !nothing.knows_places());
        let numbers = [nothing.rate(0), nothing.error_share(), nothing.quantile(0.5)];
        assert_eq!(numbers, [None; 3]);
        assert_eq!([nothing.mean(), nothing.in_flight(), nothing.used()], [None; 3]);
    }
}
