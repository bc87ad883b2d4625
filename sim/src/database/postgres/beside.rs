//! A connection goes back in a task of its own: sqlx asks it whether it still answers, and others get
//! it only then (`PoolConnection::drop`, `return_to_pool`).

use model::place;

use crate::engine::{Engine, Flow, NONE, Trace};
use crate::event_loop::Via;
use crate::plan::Pc;

impl<T: Trace> Engine<'_, T> {
    /// Another task gives the connection of `task` back, which goes on at `on`.
    pub(super) fn return_beside(&mut self, task: u32, on: Pc) -> Flow {
        let connection = self.tasks[task].database.connection;
        if !self.database.connections[connection].open {
            // There is nothing to ask.
            self.checkin(task);
            return self.jump(task, on);
        }
        let (request, pc) = (self.tasks[task].request, self.tasks[task].pc);
        let other = self.new_task(request, pc, NONE, place::LOOP);
        self.requests[request].tasks += 1;
        (self.tasks[other].beside, self.tasks[other].written) = (true, true);
        let entry = &mut self.database.connections[connection];
        self.tasks[task].database.connection = std::mem::replace(&mut entry.outer, NONE);
        self.tasks[other].database.connection = connection;
        self.enqueue(other, Via::Loop);
        self.jump(task, on)
    }

    /// The task that gave a connection back ends.
    pub(super) fn returned(&mut self, task: u32) -> Flow {
        self.free_task(task);
        Flow::Detached
    }
}
