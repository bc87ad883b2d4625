//! SQLAlchemy's first connection of a process asks the server for its version and its settings
//! (`first_connect` in engine/create.py, `Dialect.initialize`). Other requests of the process open
//! connections meanwhile, and use none of them until that is done
//! (`_exec_w_sync_on_first_run` in event/attr.py).

use model::place;

use crate::engine::{Engine, Flow, Trace};
use crate::event_loop::Via;
use crate::plan::Pc;

/// What the pool of a worker knows of the server.
#[derive(Debug, Default)]
pub(crate) enum Introduction {
    /// Nothing.
    #[default]
    None,
    /// This task gets to know it, and those wait for that.
    Begun(u32, Vec<u32>),
    /// All.
    Done,
}

impl<T: Trace> Engine<'_, T> {
    pub(super) fn skip_if_known(&mut self, thread: u32, task: u32, to: Pc) -> Flow {
        match &mut self.pool(task).introduction {
            Introduction::Done => return self.jump(task, to),
            Introduction::Begun(_, waiting) => waiting.push(task),
            none => {
                *none = Introduction::Begun(task, Vec::new());
                return Flow::Continue;
            }
        }
        // It looks again.
        self.tasks[task].pc -= 1;
        self.suspend_in_driver(thread, task, place::SERVER)
    }

    pub(super) fn known(&mut self, task: u32) -> Flow {
        self.end_introduction(task, Introduction::Done);
        Flow::Continue
    }

    /// If `task` was getting to know the server, it does so no longer: those that wait go on.
    pub(crate) fn end_introduction(&mut self, task: u32, now: Introduction) {
        let known = &mut self.pool(task).introduction;
        if !matches!(known, Introduction::Begun(by, _) if *by == task) {
            return;
        }
        if let Introduction::Begun(_, waiting) = std::mem::replace(known, now) {
            waiting.into_iter().for_each(|task| self.resume(task, Via::Loop));
        }
    }
}
