//! A handler becomes one that runs on a pool thread.

use super::Op;
use crate::plan::{Basic, Compiler, Scope};

impl Compiler<'_> {
    /// What `handler` compiles runs on a thread of the pool, which `acquire` takes.
    pub(crate) fn on_pool(&mut self, acquire: Op, handler: impl FnOnce(&mut Self)) {
        let hop = self.cost(|c| c.hop);
        self.emit(acquire);
        self.scopes.push(Scope::Token);
        self.burn(hop);
        handler(self);
        self.scopes.pop();
        self.leave_pool();
    }

    /// The session's dependency gives its connection back: on a thread without a token, or on the
    /// loop if the dependency is `async`.
    pub(crate) fn leave_session(&mut self) {
        if !self.session_on_thread {
            return self.emit_checkin();
        }
        let hop = self.cost(|c| c.hop);
        self.emit(Op::Exit);
        self.burn(hop);
        self.emit_checkin();
        self.emit(Basic::ToLoop);
        self.burn(hop);
    }

    /// Back to the loop.
    pub(crate) fn leave_pool(&mut self) {
        let hop = self.cost(|c| c.hop);
        self.undropped(|c| {
            c.emit(Basic::ToLoop);
            c.emit(Op::TokenRelease);
        });
        self.burn(hop);
    }
}
