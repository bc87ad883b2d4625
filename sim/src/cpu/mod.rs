//! The processors, and the threads of all worker processes that take turns on them.

mod answer;
mod cores;
mod hosts;
mod run;
mod scheduler;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations};
pub(crate) use cores::Cores;
pub(crate) use hosts::{Host, Hosts};

use model::scenario::Scenario;
use model::stream::Purpose;
use model::units::Span;

/// What the machines of one replication are like beside what the scenario says.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) service: Kernel,
    /// The machine of a database server of its own.
    pub(crate) database: Kernel,
}

/// What the kernel of a machine does by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    /// When the first tick comes, as a share of the time between two: of 2^64.
    pub(crate) phase: u64,
    /// CPU time lost at each change of threads, and what a change of processes takes beside it.
    pub(crate) switch: Switch,
}

/// CPU time that a processor loses when it takes another thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switch {
    /// At each change of threads.
    pub(crate) thread: Span,
    /// More of it where the thread is one of another process.
    pub(crate) process: Span,
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Plan {
        let costs = &scenario.costs.machine;
        let switch = |speed: f64| Switch {
            thread: costs.context_switch.scale(1.0 / speed),
            process: costs.process_switch.scale(1.0 / speed),
        };
        let kernel = |clock: &str, speed: f64| Kernel {
            phase: phase(clock, scenario.seed, seed),
            switch: switch(speed),
        };
        Plan {
            service: kernel("tick", scenario.cpu.speed),
            database: kernel("tick of the database server", 1.0),
        }
    }
}

/// When the first tick of a `clock` comes under `seed`, which is one of those of the scenario's replications.
/// The first replication draws it. The seed of the next is greater by 2^64 over the golden ratio
/// ([`model::stream::replication_seed`]), and so is its phase: such a sequence (Weyl's) is spread
/// evenly from its beginning, so that the mean of three replications is not that of three throws.
fn phase(clock: &str, first: u64, seed: u64) -> u64 {
    Purpose::new(first, clock).draw(0, 0).wrapping_add(seed.wrapping_sub(first))
}

#[cfg(test)]
mod tests {
    use model::stream::replication_seed;

    use super::*;

    #[test]
    fn the_ticks_of_replications_are_spread_evenly() {
        // Whatever the first draws, three are never within a third of the time between two.
        for first in 0..200 {
            let phase =
                |index| phase("tick", first, replication_seed(first, index)) as f64 / 2f64.powi(64);
            let mut few: Vec<f64> = (0..3).map(phase).collect();
            few.sort_by(f64::total_cmp);
            let gaps = [few[1] - few[0], few[2] - few[1], 1.0 + few[0] - few[2]];
            assert!(gaps.iter().all(|gap| *gap < 0.63), "{few:?}");
            let mean = (0..40).map(phase).sum::<f64>() / 40.0;
            assert!((mean - 0.5).abs() < 0.03, "{mean}");
        }
        let early = (0..400).filter(|&first| phase("tick", first, first) < 1 << 63).count();
        assert!(early.abs_diff(200) < 50, "scenarios with other seeds draw others: {early}");
    }
}
