//! Signs of life, requests that are counted, and workers that stop to serve.

use model::scenario::WorkerClass;
use model::units::{Instant, Span};

use super::{TICK, look};
use crate::engine::{Engine, Event, Flow, Record, Role, ThreadState, Trace};
use crate::event_loop::Via;
use crate::observe::Limit;

impl<T: Trace> Engine<'_, T> {
    /// The supervisor begins to look at its workers.
    pub(crate) fn start_supervisor(&mut self) {
        if let Some(timeout) = self.scenario().service.worker_timeout {
            self.agenda.push(Instant::START + look(timeout), Event::SupervisorLooks);
        }
    }

    /// The supervisor kills workers that have been silent for too long.
    pub(crate) fn supervisor_looks(&mut self) {
        let Some(timeout) = self.scenario().service.worker_timeout else { return };
        // A look at workers that are well is nothing that happens to a request.
        self.events -= 1;
        self.agenda.push(self.now + look(timeout), Event::SupervisorLooks);
        for id in 0..self.workers.len() as u32 {
            let worker = &self.workers[id as usize];
            let idle = self.threads[worker.thread].state == ThreadState::Idle;
            let silent = self.now - worker.process.last_sign(timeout, idle, self.now);
            if silent > timeout {
                self.seen.process.killed += 1;
                self.seen.reach(Limit::WorkerTimeout);
                self.trace.record(self.now, Record::WorkerKilled { worker: id, silent });
                self.end_process(id);
            }
        }
    }

    /// The loop of `worker` looks at its timers.
    #[inline]
    pub(crate) fn looks_at_timers(&mut self, worker: u32) {
        let process = &mut self.workers[worker as usize].process;
        process.polled = self.now;
        if process.boots {
            process.boots = false;
            process.since = self.now;
            self.seen.process.down.leave(self.now);
            self.trace.record(self.now, Record::WorkerServes { worker });
        }
    }

    /// The handler of `task` begins: CPU time of so many more if it is the first of its process.
    pub(crate) fn first_request(&mut self, task: u32, span: Span) -> Flow {
        let worker = self.worker_of(task);
        let process = &mut self.workers[worker as usize].process;
        let begun = std::mem::replace(&mut process.begun, true);
        Flow::work(if begun { Span::ZERO } else { span })
    }

    /// `worker` has answered a request: it may be the last that it is to answer.
    pub(crate) fn count_answer(&mut self, worker: u32) {
        let process = &mut self.workers[worker as usize].process;
        process.answered += 1;
        if Some(process.answered) == process.answers_most {
            let at = match process.class {
                WorkerClass::Uvicorn => {
                    let ticks = (self.now - process.since).nanos() / TICK.nanos() + 1;
                    process.since + Span::from_nanos(ticks * TICK.nanos())
                }
                // They count for themselves.
                WorkerClass::Sync | WorkerClass::Gthread => self.now,
            };
            self.agenda.push(at, Event::Recycle { worker, life: process.life });
        }
    }

    /// `worker` stops to accept connections, closes those that are idle, and ends when it has
    /// answered what it has (uvicorn's `Server.shutdown`).
    pub(crate) fn recycle(&mut self, worker: u32, life: u32) {
        let process = &mut self.workers[worker as usize].process;
        if process.life != life {
            return;
        }
        process.drains = true;
        self.seen.process.recycled += 1;
        self.seen.reach(Limit::MaxRequests);
        self.trace.record(self.now, Record::WorkerDrains { worker });
        self.listener.wake(worker);
        self.pass_on_connections();
        for user in 0..self.users.len() as u32 {
            let entry = &self.users[user as usize];
            if entry.worker != worker || !self.is_open(user) {
                continue;
            }
            if entry.idle {
                self.end_connection(user, Via::Poll);
            } else if entry.reached < entry.iteration {
                self.service_closes(user);
            }
        }
        let loop_thread = self.workers[worker as usize].thread;
        if self.threads[loop_thread].state == ThreadState::Idle {
            self.end_if_drained(worker);
        }
    }

    /// Connections that wait are another loop's to accept, if one sleeps.
    pub(crate) fn pass_on_connections(&mut self) {
        if let Some(other) = self.listener.sleeper() {
            self.tell_listener(other);
        }
    }

    /// A thread of `worker` has nothing to do: if that was all, the process ends.
    pub(crate) fn end_if_drained(&mut self, worker: u32) {
        if self.workers[worker as usize].process.drains && self.inside(worker).is_empty() {
            self.end_process(worker);
        }
    }

    /// `worker` takes no connections: it ends, has not begun, or serves one at a time and has one.
    pub(crate) fn takes_none(&self, worker: u32) -> bool {
        let entry = &self.workers[worker as usize];
        let process = &entry.process;
        // Connections that are opened before the load begins are all accepted.
        let busy = process.class == WorkerClass::Sync && entry.clients > 0 && self.connecting == 0;
        process.drains || process.boots || process.has_answered_its_last() || busy
    }

    /// A new process has its application to load before it serves.
    pub(super) fn boot(&mut self, worker: u32) {
        let span = self.scenario().service.boot.scale(1.0 / self.scenario().cpu.speed);
        let thread = self.workers[worker as usize].thread;
        debug_assert!(self.threads[thread].role == Role::Loop);
        self.threads[thread].work = span;
        self.seen.process.down.enter(self.now);
        self.seen.event_loop.wakes(worker, self.now);
        self.listener.wake(worker);
        self.make_ready(thread);
    }
}
