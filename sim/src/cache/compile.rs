//! Work of the libraries becomes instructions of the caches.

use model::costs::Work;

use super::Op;
use crate::plan::Compiler;

impl Compiler<'_> {
    /// CPU for what the caches have lost since the worker last did `work`.
    pub(crate) fn refill(&mut self, work: Work) {
        let cold = self.scenario.costs.cache.cold(self.concurrency, work).scale(self.scale);
        if !cold.is_zero() {
            self.emit(Op::Refill { work, cold });
        }
    }

    /// CPU on a new connection for what other requests have displaced from the caches.
    pub(crate) fn crowded(&mut self) {
        let span = self.cost(|c| c.crowded_open);
        if !span.is_zero() {
            self.emit(Op::Crowded { span });
        }
    }
}
