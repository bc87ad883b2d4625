//! How much memory a run needs, as far as its plan and its load tell: an estimate from above, so that a
//! run that may not need so much is given up before it has it.

use model::scenario::Source;

use crate::observe::HISTOGRAM_BYTES;
use crate::plan::Plan;
use crate::replicate::{Effort, GROUPS};
use crate::standstill::Waits;

/// Bytes of a request in flight with its tasks, beside its time at each place.
const REQUEST: u64 = 1024;
/// Bytes of a user with its timers.
const USER: u64 = 256;
/// Bytes of what is counted for a class at a place in one run, or for a request.
const COUNT: u64 = 16;

/// Bytes that a run needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footprint {
    /// From its start, what is kept of the other runs of an answer included.
    pub(super) fixed: u64,
    /// For each request in flight.
    each: u64,
}

impl Footprint {
    pub(super) fn of(plan: &Plan) -> Footprint {
        let places = plan.place_count() as u64;
        let kinds = (plan.classes.len() + plan.groups.len()) as u64;
        let runs = u64::from(Effort::default().replications_max);
        let users = plan.groups.iter().map(|of| match &of.group.load.source {
            Source::Closed { users, .. } => users.peak() as u64,
            Source::Open { .. } | Source::Replay { .. } | Source::Several(_) => 0,
        });
        let parts = [
            kinds * GROUPS as u64 * HISTOGRAM_BYTES,
            kinds.saturating_mul(places).saturating_mul(runs * COUNT),
            Waits::bytes(&plan.scenario),
            users.sum::<u64>().saturating_mul(USER),
        ];
        let fixed = parts.into_iter().fold(0, u64::saturating_add);
        Footprint { fixed, each: REQUEST + places * COUNT }
    }

    /// With so many requests in flight.
    pub(super) fn with(self, in_flight: u64) -> u64 {
        self.fixed.saturating_add(in_flight.saturating_mul(self.each))
    }

    /// How many requests may be in flight with so much memory.
    pub(super) fn most(self, memory: u64) -> u64 {
        memory.saturating_sub(self.fixed) / self.each
    }
}
