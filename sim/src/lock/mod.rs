//! Locks of the application: a number of holders at a time, around steps.

mod answer;
mod compile;
mod explain;
mod run;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;

use model::scenario::{LockScope, Scenario};

use crate::slots::Slots;

/// An index into the scenario's locks.
pub(crate) type LockId = u32;

/// Instructions of a lock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Waits for the lock and takes it.
    Acquire { lock: LockId },
    /// Gives it back.
    Release { lock: LockId },
}

impl Op {
    /// True if it may continue at its unwind address.
    pub(crate) fn can_fail(&self) -> bool {
        matches!(self, Op::Acquire { .. })
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::Acquire { .. } => "take the lock",
            Op::Release { .. } => "give the lock back",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        crate::plan::Op::Lock(op)
    }
}

/// The locks of a service: by lock, and for those that each worker has by itself by worker.
///
/// All are first come, first served, as asyncio's and tokio's are (CPython asyncio/locks.py, tokio
/// batch_semaphore.rs). A thread that asks for Python's `threading.Lock` may overtake another.
#[derive(Debug)]
pub(crate) struct Locks(Vec<Vec<Lock>>);

/// A lock, and the tasks that hold it.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) slots: Slots,
    holders: Vec<u32>,
}

impl Locks {
    pub(crate) fn new(scenario: &Scenario) -> Locks {
        let workers = scenario.service.workers;
        let of = |lock: &model::scenario::Lock| {
            let count = match lock.scope {
                LockScope::Worker => workers,
                LockScope::Service => 1,
            };
            let new = |_| Lock { slots: Slots::new(lock.holders), holders: Vec::new() };
            (0..count).map(new).collect()
        };
        Locks(scenario.locks.iter().map(of).collect())
    }

    /// The lock as `worker` sees it.
    pub(crate) fn of(&mut self, lock: LockId, worker: u32) -> &mut Lock {
        let all = &mut self.0[lock as usize];
        // One for all workers, or one for each.
        let index = if all.len() == 1 { 0 } else { worker as usize };
        &mut all[index]
    }

    /// All that go by the name of `lock`.
    pub(crate) fn all(&self, lock: LockId) -> &[Lock] {
        &self.0[lock as usize]
    }
}
