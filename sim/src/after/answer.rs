//! Work after replies in answers.

use model::report::{AfterWork, InFlight, Part};
use model::statistics::round_significant;

use crate::answer::Builder;
use crate::observe::Observations;

impl Builder<'_> {
    /// None where no endpoint has such work.
    pub(crate) fn after(&self) -> Option<AfterWork> {
        if self.scenario.endpoints.iter().all(|endpoint| endpoint.after.is_empty()) {
            return None;
        }
        let sum = |pick: fn(&Observations) -> u64| self.seen.iter().map(pick).sum::<u64>();
        let ended = sum(|o| o.after.ended);
        let each = |nanos: u128| match ended {
            0 => 0.0,
            ended => round_significant(nanos as f64 / ended as f64 / 1e9),
        };
        let at = |place: usize| self.seen.iter().map(|o| o.after.time[place]).sum::<u128>();
        let places = self.plan.places.iter().enumerate();
        let time = places
            .map(|(index, place)| Part { place: place.clone(), seconds: each(at(index)) })
            .filter(|part| part.seconds > 0.0)
            .collect();
        Some(AfterWork {
            in_flight: InFlight {
                mean: self.estimate(|o| self.mean(&o.after.at_work)),
                peak: self.seen.iter().map(|o| o.after.at_work.peak()).max().unwrap_or(0),
            },
            throughput: self.average(|o| o.after.ended as f64 / o.window.secs_f64()),
            seconds: each((0..self.plan.places.len()).map(at).sum()),
            failed: self.average(|o| o.after.failed as f64),
            unfinished: self.average(|o| o.after.at_work.value() as f64),
            time,
        })
    }
}
