//! What is turned up until an objective breaks.

use model::objective::Objective;
use model::report::LoadKind;
use model::scenario::{Scenario, Source};

/// Most times as much, and least: beyond, a search for headroom ends.
const FARTHEST: f64 = 64.0;
/// Slowest and fastest processors that a scenario may have.
const SPEEDS: (f64, f64) = (0.01, 100.0);

/// What is turned up until an objective breaks. But for the load, its values are factors: 1 is the
/// scenario as it is, 2 is twice the latency, or twice the CPU time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dial {
    /// The load itself.
    Load(LoadKind),
    /// Every latency of the upstream with this index.
    Upstream(usize),
    /// Every CPU time of the service: its processors are slower by this factor.
    Cpu,
}

impl Dial {
    pub(super) fn is_load(self) -> bool {
        matches!(self, Dial::Load(_))
    }

    /// The load is counted in whole users.
    pub(super) fn is_users(self) -> bool {
        self == Dial::Load(LoadKind::Users)
    }

    /// The nearest value that can be run: whole users, or four digits.
    pub(super) fn round(self, value: f64) -> f64 {
        match self {
            Dial::Load(LoadKind::Users) => libm::round(value).max(1.0),
            _ => format!("{value:.3e}").parse().unwrap_or(value),
        }
    }

    /// The least and the largest value that are tried.
    pub(super) fn ends(self, scenario: &Scenario) -> (f64, f64) {
        match self {
            Dial::Load(_) => (0.0, f64::INFINITY),
            Dial::Upstream(_) => (1.0 / FARTHEST, FARTHEST),
            Dial::Cpu => {
                let speed = scenario.cpu.speed;
                let (slowest, fastest) = SPEEDS;
                ((speed / fastest).max(1.0 / FARTHEST), (speed / slowest).min(FARTHEST))
            }
        }
    }

    /// The scenario at a value.
    pub(super) fn turned(self, scenario: &Scenario, value: f64) -> Scenario {
        let mut scenario = scenario.clone();
        match self {
            Dial::Load(_) => match &mut scenario.load.source {
                Source::Closed { users: profile, .. } | Source::Open { rate: profile, .. } => {
                    profile.start = value;
                }
                Source::Replay { .. } | Source::Several(_) => {}
            },
            Dial::Upstream(index) => {
                let upstream = &mut scenario.upstreams[index];
                upstream.latency = upstream.latency.scale(value);
            }
            Dial::Cpu => scenario.cpu.speed /= value,
        }
        scenario
    }

    /// Whether an objective says nothing about how much is too much: less load can only break a
    /// lower limit.
    pub(super) fn leaves_out(self, objective: &Objective) -> bool {
        self.is_load() && !objective.relation.is_upper()
    }
}
