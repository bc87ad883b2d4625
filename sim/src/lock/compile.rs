//! Steps under a lock become instructions.

use model::scenario::Step;

use super::Op;
use crate::plan::{Compiler, Scope};

impl Compiler<'_> {
    /// `steps` while the lock of this name is held. A connection that they take may be held beyond
    /// them.
    pub(crate) fn locked(&mut self, name: &str, steps: &[Step], path: &str) {
        let known = self.scenario.locks.iter().position(|lock| lock.name == name);
        let lock = known.expect("a checked scenario") as u32;
        self.emit(Op::Acquire { lock });
        self.scopes.push(Scope::Lock(lock));
        for (index, step) in steps.iter().enumerate() {
            self.step(step, &format!("{path}.{index}"));
        }
        if let Some(at) = self.scopes.iter().rposition(|scope| *scope == Scope::Lock(lock)) {
            self.scopes.remove(at);
        }
        self.undropped(|c| c.emit(Op::Release { lock }));
    }
}
