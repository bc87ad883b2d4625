//! A handler becomes one that runs on a pool thread.

use super::Op;
use crate::plan::{Basic, Compiler, Scope};

impl Compiler<'_> {
    /// What `handler` compiles runs on a thread of the pool.
    pub(crate) fn on_pool(&mut self, handler: impl FnOnce(&mut Self)) {
        let hop = self.cost(|c| c.hop);
        self.emit(Op::TokenAcquire);
        self.scopes.push(Scope::Token);
        self.burn(hop);
        handler(self);
        self.scopes.pop();
        self.leave_pool();
    }

    /// Back to the loop.
    pub(crate) fn leave_pool(&mut self) {
        let hop = self.cost(|c| c.hop);
        self.emit(Basic::ToLoop);
        self.emit(Op::TokenRelease);
        self.burn(hop);
    }
}
