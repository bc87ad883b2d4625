//! The event loop of each worker: its callbacks, and the socket that it accepts from.

mod answer;
mod callbacks;
mod listener;
mod run;

pub(crate) use answer::{Observed, Worker};
pub(crate) use answer::{bounds, candidates, stations};
pub(crate) use callbacks::{Callbacks, Via};
pub(crate) use listener::Listener;

use model::scenario::{EventLoop, Scenario, Scheduler};
use model::units::Span;

/// The entry of a loop's queue that accepts connections.
pub(crate) const ACCEPT: u32 = u32::MAX - 1;
/// The entry of a loop's queue that closes a connection.
pub(crate) const HANG_UP: u32 = u32::MAX - 2;

/// CPU time of the loop for connections.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// To accept one.
    pub(crate) accept: Span,
    /// To close one.
    pub(crate) hang_up: Span,
    /// A callback that has handed work to another thread looks at the result before it ends its turn.
    pub(crate) looks_again: bool,
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario) -> Plan {
        let costs = &scenario.costs;
        let scale = costs.cpu_scale(scenario.service.server) / scenario.cpu.speed;
        let cpu = costs.cpu(scenario.service.concurrency);
        Plan {
            accept: cpu.accept.scale(scale),
            hang_up: cpu.hang_up.scale(scale),
            looks_again: scenario.service.event_loop == EventLoop::Tokio
                && scenario.cpu.scheduler != Scheduler::RoundRobin
                && !costs.interpreter.lock,
        }
    }
}
