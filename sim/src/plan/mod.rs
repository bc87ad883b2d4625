//! A scenario made ready to run: names become dense ids, steps a flat program.

mod compile;
mod op;

use std::collections::BTreeMap;

use model::distribution::Distribution;
use model::place::{self, PlaceId};
use model::scenario::{Concurrency, Group, Scenario};
use model::stream::Purpose;
use model::units::Span;
use model::workload::Workload;

use crate::{cpu, database, event_loop};

pub(crate) use compile::{Compiler, Scope};
pub use op::{Basic, DrawId, Op, Pc};

pub use crate::database::Op as DatabaseOp;
pub use crate::database::postgres::{Command, Op as PostgresOp};
pub use crate::database::sqlite::Op as SqliteOp;
pub use crate::lock::Op as LockOp;
pub use crate::threads::Op as ThreadsOp;
pub use crate::upstream::Op as UpstreamOp;

/// Everything that a run needs to know, for one seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of every draw.
    pub seed: u64,
    /// What is run.
    pub scenario: Scenario,
    /// The loads at once; one without a name where the scenario has no groups.
    pub groups: Vec<LoadGroup>,
    /// All clients are patient equally long: they give up in the order in which they sent.
    pub(crate) patience_in_order: bool,
    /// Request classes, in the scenario's order.
    pub classes: Vec<Class>,
    /// The program of all classes.
    pub ops: Vec<Op>,
    /// Where each instruction continues if it fails.
    pub unwind: Vec<Pc>,
    /// Where each instruction continues instead if its handler is dropped before it, because the
    /// client has gone.
    pub(crate) drop_at: Vec<Pc>,
    /// Start addresses of the branches of each fork.
    pub forks: Vec<Vec<Pc>>,
    /// What is drawn, and from which stream.
    pub draws: Vec<Draw>,
    /// Where a refused request continues.
    pub rejected: Pc,
    /// One thread of a process at a time, and how long a waiter is patient.
    pub(crate) interpreter: Option<Span>,
    /// The interpreter has a lock, and some instructions run outside it.
    pub(crate) native: bool,
    pub(crate) cpu: cpu::Plan,
    pub(crate) event_loop: event_loop::Plan,
    pub(crate) database: Option<database::Plan>,
    /// Locks that are held where an instruction may wait; left out where none is.
    pub(crate) locks_held: BTreeMap<Pc, Vec<u32>>,
    /// Where a request's time goes, by number.
    pub places: Vec<PlaceId>,
}

/// One of the loads at once.
#[derive(Clone, Debug)]
pub struct LoadGroup {
    /// What the scenario says of it.
    pub group: Group,
    /// Draws of classes, think times and patience.
    pub workload: Workload,
}

/// A request class.
#[derive(Clone, Debug)]
pub struct Class {
    /// The endpoint's name.
    pub name: String,
    /// First instruction.
    pub start: Pc,
    /// Whether waits are parked when the task is on the loop.
    pub concurrency: Concurrency,
}

/// A distribution and the stream that it is sampled from.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The stream.
    pub purpose: Purpose,
    /// The distribution.
    pub distribution: Distribution,
}

impl Plan {
    /// The plan of `scenario` under `seed`.
    ///
    /// # Panics
    /// If the scenario was not checked: a query without a cost, an unknown upstream.
    pub fn new(scenario: &Scenario, seed: u64) -> Plan {
        let program = compile::program(scenario, seed);
        let groups = scenario.load.groups();
        let interpreter = &scenario.costs.interpreter;
        Plan {
            seed,
            groups: groups
                .iter()
                .map(|group| LoadGroup {
                    workload: Workload::of(seed, group, &scenario.endpoints),
                    group: group.clone(),
                })
                .collect(),
            patience_in_order: groups.iter().all(|group| {
                let timeout = &group.load.timeout;
                *timeout == groups[0].load.timeout
                    && matches!(timeout, None | Some(Distribution::Constant(_)))
            }),
            classes: program.classes,
            interpreter: interpreter.lock.then_some(interpreter.switch_interval),
            native: interpreter.lock && program.ops.iter().any(Op::is_native),
            ops: program.ops,
            unwind: program.unwind,
            drop_at: program.drop_at,
            forks: program.forks,
            draws: program.draws,
            rejected: program.rejected,
            cpu: cpu::Plan::new(scenario, seed),
            event_loop: event_loop::Plan::new(scenario),
            database: database::Plan::new(scenario, seed),
            locks_held: program.locks_held,
            places: place::ids(scenario),
            scenario: scenario.clone(),
        }
    }

    /// How many places there are.
    pub fn place_count(&self) -> usize {
        self.places.len()
    }
}
