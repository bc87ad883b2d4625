//! Connections of the database: taken, opened, closed and given back.

use model::place::{self, Place};
use model::scenario::{Concurrency, Connections};
use model::units::{Instant, Span};

use super::pool::{Checkin, Checkout, Pool};
use super::postgres::Introduction;
use super::sqlite::Hold;
use super::{Connection, Op};
use crate::engine::{Engine, Flow, NONE, Role, Thread, ThreadState, Trace};
use crate::event_loop::Via;
use crate::observe::Limit;
use crate::plan::Pc;
use crate::standstill::Awaited;

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn database(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::ToDriver => self.hand_to_driver(task),
            Op::Checkout => self.checkout(thread, task),
            Op::SkipIfOpen { open } => self.skip_if_open(task, open),
            Op::Opened => self.opened(task),
            Op::SkipIfKept { keep } => self.skip_if_kept(task, keep),
            Op::Closed => self.closed(task),
            Op::Checkin => self.checkin(task),
            Op::Sqlite(op) => self.sqlite(thread, task, op),
            Op::Postgres(op) => self.postgres(thread, task, op),
        }
    }

    pub(crate) fn pool(&mut self, task: u32) -> &mut Pool {
        let worker = self.worker_of(task) as usize;
        self.workers[worker].database.as_mut().expect("planned with a database")
    }

    /// The task waits in a database call: a driver that is not awaited blocks its thread,
    /// the loop included.
    pub(crate) fn suspend_in_driver(&mut self, thread: u32, task: u32, place: Place) -> Flow {
        let awaited = self.plan.database.as_ref().is_some_and(|database| database.awaited);
        if awaited || self.tasks[task].beside {
            return self.suspend(thread, task, place);
        }
        self.set_place(task, place);
        Flow::Blocked
    }

    pub(crate) fn wait_in_driver(
        &mut self,
        thread: u32,
        task: u32,
        span: Span,
        place: Place,
    ) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.resume_after(task, span);
        self.suspend_in_driver(thread, task, place)
    }

    pub(crate) fn checkout(&mut self, thread: u32, task: u32) -> Flow {
        // A task that is told to ask again goes on waiting.
        if self.tasks[task].place != place::POOL {
            self.tasks[task].database.asked = self.now;
        }
        match self.pool(task).checkout(task) {
            Checkout::Idle(connection) => {
                self.take_connection(task, connection);
                self.seen.database.connections.enter(self.now);
                Flow::Continue
            }
            Checkout::New => {
                self.new_connection(task);
                self.seen.database.connections.enter(self.now);
                Flow::Continue
            }
            Checkout::Wait => {
                self.seen.reach(Limit::Pool);
                let rule = self.scenario().database.as_ref().map(|database| database.connections);
                let timeout = match rule {
                    Some(Connections::Pool { timeout, .. }) => timeout,
                    _ => None,
                };
                self.give_up_after(task, timeout);
                self.begin_wait(task, Awaited::Connection);
                self.suspend_in_driver(thread, task, place::POOL)
            }
        }
    }

    /// A connection record for `task`, closed as yet; with a thread under an async driver.
    pub(crate) fn new_connection(&mut self, task: u32) {
        let request = &self.requests[self.tasks[task].request];
        let (worker, class) = (request.worker, request.class);
        let threaded = self.plan.database.as_ref().is_some_and(|d| d.connection_threads)
            && self.plan.classes[class as usize].concurrency == Concurrency::Async;
        let thread = if threaded { self.driver_thread(worker) } else { NONE };
        let connection = Connection {
            thread,
            open: false,
            fresh: true,
            hold: Hold::default(),
            session: Default::default(),
            since: self.now,
            outer: NONE,
        };
        let connection = self.database.connections.insert(connection, |_, _| {});
        self.take_connection(task, connection);
    }

    /// The connection is the task's, beside the one that it may hold already.
    fn take_connection(&mut self, task: u32, connection: u32) {
        let held = &mut self.tasks[task].database.connection;
        self.database.connections[connection].outer = std::mem::replace(held, connection);
    }

    pub(crate) fn driver_thread(&mut self, worker: u32) -> u32 {
        self.threads.insert(Thread::new(worker, Role::Driver), |_, _| {})
    }

    pub(crate) fn hand_to_driver(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].database.connection;
        let mut thread = self.database.connections[connection].thread;
        if thread == NONE {
            // A connection that a handler of another model opened gets its thread now.
            thread = self.driver_thread(self.worker_of(task));
            self.database.connections[connection].thread = thread;
        }
        debug_assert!(self.threads[thread].state == ThreadState::Idle);
        self.carry(thread, task);
        Flow::Detached
    }

    pub(crate) fn skip_if_open(&mut self, task: u32, open: Pc) -> Flow {
        let connection = self.tasks[task].database.connection;
        if !self.database.connections[connection].open {
            return Flow::Continue;
        }
        let invalidated = self.pool(task).invalidated;
        if self.is_stale(connection, invalidated) {
            self.database.connections[connection].since = self.now;
            return self.closed(task);
        }
        self.jump(task, open)
    }

    pub(crate) fn opened(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].database.connection;
        let entry = &mut self.database.connections[connection];
        (entry.open, entry.since) = (true, self.now);
        if let Some(locks) = &mut self.database.locks {
            locks.open();
        }
        Flow::Continue
    }

    pub(crate) fn skip_if_kept(&mut self, task: u32, keep: Pc) -> Flow {
        // One that could not be opened need not be closed.
        let open = self.database.connections[self.tasks[task].database.connection].open;
        if !open || self.pool(task).keeps() {
            return self.jump(task, keep);
        }
        Flow::Continue
    }

    pub(crate) fn closed(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].database.connection;
        self.database.connections[connection].open = false;
        self.end_session(connection);
        if let Some(locks) = &mut self.database.locks {
            locks.close();
        }
        Flow::Continue
    }

    pub(crate) fn checkin(&mut self, task: u32) -> Flow {
        let connection = self.tasks[task].database.connection;
        let entry = &self.database.connections[connection];
        let (open, thread) = (entry.open, entry.thread);
        self.tasks[task].database.connection = entry.outer;
        self.end_introduction(task, Introduction::None);
        // A transaction whose handler was dropped is rolled back before the connection is used again.
        self.database.connections[connection].session.begun = false;
        self.database.connections[connection].session.idle_since = Instant::NEVER;
        self.release_rows(connection, None);
        self.unlink_idle(connection);
        match self.pool(task).checkin(connection, open) {
            Checkin::Handed(waiter) => {
                self.end_wait(waiter, Awaited::Connection);
                self.take_connection(waiter, connection);
                self.grant(waiter, Via::Loop);
            }
            Checkin::Told(waiter) => {
                self.seen.database.connections.leave(self.now);
                self.end_wait(waiter, Awaited::Connection);
                // It asks again when it runs, at the end of the queue if it comes too late.
                self.tasks[waiter].pc -= 1;
                self.grant(waiter, Via::Loop);
            }
            Checkin::Kept => self.seen.database.connections.leave(self.now),
            Checkin::Discarded(waiter) => {
                self.database.connections.remove(connection);
                if thread != NONE {
                    self.end_thread(thread);
                }
                match waiter {
                    Some(waiter) => {
                        self.end_wait(waiter, Awaited::Connection);
                        self.new_connection(waiter);
                        self.grant(waiter, Via::Loop);
                    }
                    None => self.seen.database.connections.leave(self.now),
                }
            }
        }
        Flow::Continue
    }
}
