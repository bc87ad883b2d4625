//! What the instructions of the caches do.

use model::costs::Work;
use model::units::Span;

use super::Op;
use crate::engine::{Engine, Flow, Trace};

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn cache(&mut self, task: u32, op: Op) -> Flow {
        match op {
            Op::Refill { work, cold } => self.refill(task, work, cold),
            Op::Crowded { span } => self.crowded(span),
        }
    }

    /// Brings back into the caches what the worker has not used since it last did `kind`. The
    /// other workers on its processor have their own memory, and so keep nothing warm for it.
    fn refill(&mut self, task: u32, kind: Work, cold: Span) -> Flow {
        let worker = self.worker_of(task);
        let last = self.workers[worker as usize].used[kind as usize].replace(self.now);
        let lost = last.map_or(1.0, |last| self.costs().cache.lost(self.now - last));
        Flow::work(cold.scale(lost))
    }

    /// Brings back into the caches what other requests have displaced. Those of all workers
    /// share the caches of the processors that they run on, no more than there are workers.
    fn crowded(&mut self, span: Span) -> Flow {
        let all: u32 = self.workers.iter().map(|worker| worker.tasks).sum();
        let processors = self.scenario().cpu.cores.min(self.workers.len() as u32);
        let others = f64::from(all.saturating_sub(1)) / f64::from(processors);
        Flow::work(span.scale(self.costs().cache.displaced(others)))
    }
}
