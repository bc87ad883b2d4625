//! Clients that go before they have an answer, and what becomes of their handlers.
//!
//! uvicorn lets a handler run on. hyper drops it together with the connection: it reads the
//! connection whenever it polls a handler, and before it does so for the first time (hyper 1.12.0,
//! `proto/h1/dispatch.rs`, `poll_read`; `conn.rs`, `mid_message_detect_eof`). A handler that waits is
//! woken by the close of its connection. What it computes it computes to the end, on a thread of the
//! pool too, and so does a statement that a connection's thread or a server works on. Branches are
//! tasks of their own and run on.

use model::place::PlaceId;
use model::scenario::Server;

use crate::engine::{Engine, Flow, NONE, Trace};
use crate::event_loop::Via;
use crate::observe::ErrorKind;
use crate::plan::{Op, Pc};
use crate::standstill::Awaited;
use crate::{database, lock, upstream};

impl<T: Trace> Engine<'_, T> {
    /// The client of `request` closes its connection before it has an answer.
    pub(super) fn hang_up_on(&mut self, request: u32) {
        if self.scenario().service.server != Server::Axum {
            return;
        }
        let entry = &mut self.requests[request];
        entry.gone = true;
        let handler = entry.handler;
        if handler != NONE {
            self.drop_if_gone(handler);
        }
    }

    /// `task` has left its thread. If it is a handler that waits, and its client has gone, it waits no
    /// longer: its loop is to drop it.
    #[inline]
    pub(crate) fn drop_if_gone(&mut self, task: u32) {
        let request = &self.requests[self.tasks[task].request];
        if request.gone && request.handler == task && self.tasks[task].thread == NONE {
            self.end_any_wait(task);
        }
    }

    #[inline(never)]
    fn end_any_wait(&mut self, task: u32) {
        let entry = &self.tasks[task];
        let (place, pc) = (&self.plan.places[entry.place.index()], entry.pc);
        // It waits at the instruction before, and is dropped there, but for those that go on elsewhere.
        let at = match place {
            PlaceId::Backoff(_) | PlaceId::Gather | PlaceId::Upstream(_) => pc,
            _ => pc.saturating_sub(1),
        };
        let has_connection = matches!(place, PlaceId::Upstream(_));
        if self.plan.drop_at[at as usize] == Pc::MAX && !has_connection {
            return;
        }
        match (place, self.plan.ops[at as usize]) {
            (PlaceId::Sleep | PlaceId::Backoff(_) | PlaceId::Gather, _) => {}
            // The connection of a reply that is not awaited is closed.
            (PlaceId::Upstream(_), _) => {
                self.tasks[task].call.outcome = Some(ErrorKind::UpstreamTimeout);
            }
            (PlaceId::Semaphore(_), Op::Upstream(upstream::Op::SemaphoreAcquire { upstream })) => {
                self.semaphore(task, upstream).abandon(task);
            }
            (
                PlaceId::Connections(_),
                Op::Upstream(upstream::Op::ConnectionAcquire { upstream, .. }),
            ) => {
                self.client_pool(task, upstream).abandon(task);
            }
            (PlaceId::DatabasePool, Op::Database(database::Op::Checkout)) => {
                self.pool(task).abandon(task);
                self.end_wait(task, Awaited::Connection);
            }
            (PlaceId::Threads, _) => {
                let worker = self.worker_of(task) as usize;
                self.workers[worker].pool_threads.tokens.abandon(task);
                self.end_wait(task, Awaited::Thread);
            }
            (PlaceId::Lock(_), Op::Lock(lock::Op::Acquire { lock })) => self.leave_lock(task, lock),
            _ => return,
        }
        let entry = &mut self.tasks[task];
        entry.pc = at;
        // Timers of the wait, and what is under way for it, find nothing to wake.
        entry.ticket = entry.ticket.wrapping_add(1);
        self.enqueue(task, Via::Poll);
    }

    /// Ends a handler, which holds nothing any more.
    pub(crate) fn drop_handler(&mut self, task: u32) -> Flow {
        let entry = &self.requests[self.tasks[task].request];
        if entry.admitted {
            self.workers[entry.worker as usize].tasks -= 1;
        }
        self.seen.client.dropped += 1;
        self.free_task(task);
        Flow::Detached
    }
}
