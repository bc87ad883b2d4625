//! Statements on a database server.

use model::place;
use model::units::Span;

use super::Op;
use crate::database;
use crate::engine::{Engine, Event, Flow, Trace};
use crate::plan::{self, DrawId};

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn postgres(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::Server { round_trip, .. } => self.send_statement(thread, task, round_trip),
        }
    }

    /// A statement travels to the database server, waits for a processor, and its reply
    /// travels back.
    pub(crate) fn send_statement(&mut self, thread: u32, task: u32, trip: DrawId) -> Flow {
        let there = self.sample(task, trip).scale(0.5);
        self.agenda.push(self.now + there, Event::ServerArrival { task });
        self.suspend_in_driver(thread, task, place::SERVER)
    }

    pub(crate) fn server_arrival(&mut self, task: u32) {
        let service_time = self.server_draw(task, |engine, _| engine);
        if self.database.server.arrive(task, service_time) {
            self.seen.postgres.busy.enter(self.now);
            self.agenda.push(self.now + service_time, Event::ServerDone { task });
        } else {
            self.seen.postgres.queue.enter(self.now);
        }
    }

    pub(crate) fn server_done(&mut self, task: u32) {
        self.processor_is_free();
        let trip = self.server_draw(task, |_, trip| trip);
        let back = trip - trip.scale(0.5);
        self.agenda.push(self.now + back, Event::Resume { task });
    }

    /// A processor of the database server takes the next statement.
    pub(crate) fn processor_is_free(&mut self) {
        match self.database.server.done() {
            Some((next, service_time)) => {
                self.seen.postgres.queue.leave(self.now);
                self.agenda.push(self.now + service_time, Event::ServerDone { task: next });
            }
            None => self.seen.postgres.busy.leave(self.now),
        }
    }

    pub(crate) fn server_draw(
        &mut self,
        task: u32,
        pick: impl Fn(DrawId, DrawId) -> DrawId,
    ) -> Span {
        match self.plan.ops[self.tasks[task].pc as usize - 1] {
            plan::Op::Database(database::Op::Postgres(Op::Server { engine, round_trip })) => {
                self.sample(task, pick(engine, round_trip))
            }
            other => unreachable!("{other:?} is not at the database server"),
        }
    }
}
