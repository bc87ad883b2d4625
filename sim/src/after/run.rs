//! Work after the reply begins and ends.

use crate::engine::{Engine, Flow, Task, Trace};

impl<T: Trace> Engine<'_, T> {
    /// The reply of `task` has left, with the account of the request: another one begins.
    pub(crate) fn begin_after(&mut self, task: u32, admitted: bool) -> Flow {
        self.book(task);
        self.accounts.open(task);
        self.tasks[task].after = true;
        self.seen.after.at_work.enter(self.now);
        if admitted {
            let worker = self.worker_of(task) as usize;
            self.workers[worker].tasks += 1;
        }
        Flow::Continue
    }

    pub(crate) fn end_after(&mut self, task: u32, admitted: bool) -> Flow {
        self.book(task);
        let failed = self.tasks[task].failed.is_some();
        self.seen.after.end(self.now, task, &self.accounts, failed);
        self.tasks[task].after = false;
        if admitted {
            let worker = self.worker_of(task) as usize;
            self.workers[worker].tasks -= 1;
        }
        Flow::Continue
    }

    /// Work after replies that waits where requests wait for one another.
    pub(crate) fn after_in_queues(&self) -> u64 {
        if self.seen.after.at_work.value() == 0 {
            return 0;
        }
        let waits = |task: &Task| task.after && self.plan.places[task.place.index()].is_queue();
        self.tasks.live().filter(|(_, task)| waits(task)).count() as u64
    }
}
