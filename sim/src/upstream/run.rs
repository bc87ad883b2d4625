//! Calls of upstreams: semaphore, client connection, exchange, retries.

use model::distribution::unit_interval;
use model::place;
use model::stream::lane_of_attempt;
use model::units::{Instant, Span};

use super::kept::Kept;
use super::{ClientId, LookCost, Op};
use crate::database;
use crate::engine::{Engine, Event, Flow, NONE, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{self, DrawId, Pc};
use crate::slots::Slots;
use crate::standstill::Awaited;

/// What it costs to look at all connections, once for each of so many waiting calls and once more.
///
/// httpcore 1.0.9 does so whenever a call begins or ends (`_assign_requests_to_connections`): it looks
/// for connections to close, and then goes through all connections again for each call in its queue,
/// also where none can be free. A long queue costs waiting calls times connections.
fn look(kept: &mut Kept, cost: LookCost, now: Instant, waiting: u64) -> Span {
    let (idle, in_use) = kept.look(now);
    let (idle, in_use) = (u64::from(idle), u64::from(in_use));
    cost.idle * idle + cost.in_use * in_use + cost.in_use * ((idle + in_use) * waiting)
}

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn call(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::SemaphoreAcquire { upstream } => self.semaphore_acquire(thread, task, upstream),
            Op::SemaphoreRelease { upstream } => self.semaphore_release(task, upstream),
            Op::ConnectionAcquire { upstream, .. } => {
                self.connection_acquire(thread, task, upstream)
            }
            Op::Choose { client, look } => self.choose(task, client, look),
            Op::Lock { client, lock } => self.lock_connection(thread, task, client, lock),
            Op::Unlock { client, lock } => self.unlock_connection(task, client, lock),
            Op::Connect { client, span, miss, again } => {
                self.connect(task, client, span, miss, again)
            }
            Op::Disconnect { client, look } => self.disconnect(task, client, look),
            Op::Exchange { upstream, latency, failure } => {
                self.exchange(thread, task, upstream, latency, failure)
            }
            Op::ConnectionRelease { upstream } => self.connection_release(task, upstream),
            Op::Failure { span } => self.failure(task, span),
            Op::Retry { upstream, again } => self.retry(thread, task, upstream, again),
        }
    }

    fn semaphore(&mut self, task: u32, upstream: u32) -> &mut Slots {
        let worker = self.worker_of(task) as usize;
        self.workers[worker].upstreams.semaphores[upstream as usize]
            .as_mut()
            .expect("planned with a limit")
    }

    fn client_pool(&mut self, task: u32, upstream: u32) -> &mut Slots {
        let worker = self.worker_of(task) as usize;
        self.workers[worker].upstreams.connections[upstream as usize]
            .as_mut()
            .expect("planned with a limit")
    }

    pub(crate) fn semaphore_acquire(&mut self, thread: u32, task: u32, upstream: u32) -> Flow {
        if self.semaphore(task, upstream).acquire(task) {
            self.seen.upstreams[upstream as usize].semaphore.enter(self.now);
            return Flow::Continue;
        }
        self.seen.reach(Limit::Semaphore(upstream));
        self.suspend(thread, task, place::semaphore(upstream))
    }

    pub(crate) fn semaphore_release(&mut self, task: u32, upstream: u32) -> Flow {
        match self.semaphore(task, upstream).release() {
            Some(next) => self.resume(next, Via::Loop),
            None => self.seen.upstreams[upstream as usize].semaphore.leave(self.now),
        }
        Flow::Continue
    }

    pub(crate) fn connection_acquire(&mut self, thread: u32, task: u32, upstream: u32) -> Flow {
        if self.client_pool(task, upstream).acquire(task) {
            self.seen.upstreams[upstream as usize].connections.enter(self.now);
            return Flow::Continue;
        }
        self.seen.reach(Limit::Connections(upstream));
        let timeout = self.scenario().upstreams[upstream as usize].pool_timeout;
        self.give_up_after(task, timeout);
        self.suspend(thread, task, place::connections(upstream))
    }

    pub(crate) fn connection_release(&mut self, task: u32, upstream: u32) -> Flow {
        match self.client_pool(task, upstream).release() {
            Some(next) => self.grant(next, Via::Loop),
            None => self.seen.upstreams[upstream as usize].connections.leave(self.now),
        }
        Flow::Continue
    }

    fn kept(&mut self, task: u32, client: ClientId) -> &mut Kept {
        let worker = self.worker_of(task) as usize;
        &mut self.workers[worker].upstreams.kept[client as usize]
    }

    /// Calls that wait for a connection of the client.
    fn waiting_calls(&self, task: u32, client: ClientId) -> u64 {
        let worker = self.worker_of(task) as usize;
        let pool = &self.workers[worker].upstreams.connections[client as usize / 2];
        pool.as_ref().map_or(0, |pool| pool.waiting() as u64)
    }

    /// Chooses a connection of the client, at a cost for each that it looks at.
    pub(crate) fn choose(&mut self, task: u32, client: ClientId, cost: LookCost) -> Flow {
        let now = self.now;
        let waiting = self.waiting_calls(task, client);
        let kept = self.kept(task, client);
        let span = look(kept, cost, now, waiting);
        let (chosen, opens) = match kept.choose() {
            Some(chosen) => (chosen, false),
            None => (kept.open(), true),
        };
        let entry = &mut self.tasks[task];
        (entry.call.connection, entry.call.opens) = (chosen, opens);
        Flow::work(span)
    }

    /// Locks the chosen connection. A task that takes anyio's lock goes on after all others have
    /// had their turn; the lock passes from one waiter to the next in the same way.
    pub(crate) fn lock_connection(
        &mut self,
        thread: u32,
        task: u32,
        client: ClientId,
        lock: u32,
    ) -> Flow {
        let chosen = self.tasks[task].call.connection;
        if self.kept(task, client).lock(chosen, lock, task) {
            self.enqueue(task, Via::Loop);
            return Flow::Detached;
        }
        self.suspend(thread, task, place::LOOP)
    }

    pub(crate) fn unlock_connection(&mut self, task: u32, client: ClientId, lock: u32) -> Flow {
        let chosen = self.tasks[task].call.connection;
        if let Some(next) = self.kept(task, client).unlock(chosen, lock) {
            self.resume(next, Via::Loop);
        }
        Flow::Continue
    }

    /// Takes the chosen connection, or goes back to choose `again` if another has it.
    pub(crate) fn connect(
        &mut self,
        task: u32,
        client: ClientId,
        span: Span,
        miss: Span,
        again: Pc,
    ) -> Flow {
        if self.tasks[task].call.opens {
            return Flow::work(span);
        }
        let chosen = self.tasks[task].call.connection;
        if self.kept(task, client).take(chosen) {
            return Flow::Continue;
        }
        self.tasks[task].pc = again;
        Flow::work(miss)
    }

    /// A connection whose reply was not awaited to its end cannot be used again.
    pub(crate) fn disconnect(&mut self, task: u32, client: ClientId, cost: LookCost) -> Flow {
        let now = self.now;
        let entry = &self.tasks[task];
        let broken = entry.call.outcome == Some(ErrorKind::UpstreamTimeout);
        let used = entry.call.connection;
        let waiting = self.waiting_calls(task, client);
        let kept = self.kept(task, client);
        kept.give_back(used, broken, now);
        Flow::work(look(kept, cost, now, waiting))
    }

    /// Bounds the wait that `task` begins now.
    pub(crate) fn give_up_after(&mut self, task: u32, timeout: Option<Span>) {
        let entry = &mut self.tasks[task];
        entry.ticket = entry.ticket.wrapping_add(1);
        if let Some(timeout) = timeout {
            let ticket = entry.ticket;
            self.agenda.push(self.now + timeout, Event::GiveUp { task, ticket });
        }
    }

    /// What `task` waited for is its own: it can no longer give up.
    pub(crate) fn grant(&mut self, task: u32, via: Via) {
        let entry = &mut self.tasks[task];
        entry.ticket = entry.ticket.wrapping_add(1);
        self.resume(task, via);
    }

    /// A bounded wait is over without success.
    pub(crate) fn give_up(&mut self, task: u32, ticket: u32) {
        let entry = &self.tasks[task];
        if entry.ticket != ticket {
            return;
        }
        let worker = self.worker_of(task) as usize;
        match self.plan.ops[self.tasks[task].pc as usize - 1] {
            plan::Op::Upstream(Op::ConnectionAcquire { upstream, give_up }) => {
                self.seen.reach(Limit::ConnectionTimeout(upstream));
                self.client_pool(task, upstream).abandon(task);
                let entry = &mut self.tasks[task];
                entry.call.outcome = Some(ErrorKind::ConnectionTimeout);
                entry.pc = give_up;
            }
            plan::Op::Database(database::Op::Checkout) => {
                self.seen.reach(Limit::PoolTimeout);
                if let Some(pool) = &mut self.workers[worker].database {
                    pool.abandon(task);
                }
                self.end_wait(task, Awaited::Connection);
                self.fail(task, ErrorKind::PoolTimeout);
            }
            other => unreachable!("{other:?} waits without a bound"),
        }
        self.grant(task, Via::Poll);
    }

    /// One attempt: its latency is known when it starts, so its end is one event.
    pub(crate) fn exchange(
        &mut self,
        thread: u32,
        task: u32,
        upstream: u32,
        latency: DrawId,
        failure: DrawId,
    ) -> Flow {
        let spec = &self.scenario().upstreams[upstream as usize];
        let attempt = self.tasks[task].call.attempt;
        let latency = self.sample_attempt(task, latency, attempt) + self.costs().network.upstream;
        self.seen.attempts += 1;
        let late = spec.timeout.filter(|&timeout| latency > timeout);
        self.tasks[task].call.outcome = if late.is_some() {
            self.seen.reach(Limit::UpstreamTimeout(upstream));
            Some(ErrorKind::UpstreamTimeout)
        } else {
            self.fails(task, spec.failures, failure, attempt)
        };
        self.wait(thread, task, late.unwrap_or(latency), place::upstream(upstream))
    }

    fn fails(&mut self, task: u32, share: f64, draw: DrawId, attempt: u32) -> Option<ErrorKind> {
        if share == 0.0 {
            return None;
        }
        let key = self.requests[self.tasks[task].request].key;
        let lane = lane_of_attempt(key.lane, attempt);
        let purpose = &self.plan.draws[draw as usize].purpose;
        let u = unit_interval(self.draws.draw(purpose, lane, key.index));
        (u < share).then_some(ErrorKind::UpstreamFailed)
    }

    /// CPU for the error of the attempt, if it failed.
    fn failure(&self, task: u32, span: Span) -> Flow {
        match self.tasks[task].call.outcome {
            Some(_) => Flow::work(span),
            None => Flow::Continue,
        }
    }

    /// After an attempt: on with the request, a pause and another attempt, or failure.
    pub(crate) fn retry(&mut self, thread: u32, task: u32, upstream: u32, again: Pc) -> Flow {
        let spec = &self.scenario().upstreams[upstream as usize];
        let entry = &mut self.tasks[task];
        let Some(kind) = entry.call.outcome.take() else {
            entry.call.attempt = 0;
            return Flow::Continue;
        };
        if entry.call.attempt >= spec.retries {
            entry.call.attempt = 0;
            return self.fail(task, kind);
        }
        let pause = spec.pause_after(entry.call.attempt);
        entry.call.attempt += 1;
        entry.pc = again;
        debug_assert!(entry.thread != NONE);
        self.wait(thread, task, pause, place::backoff(upstream))
    }
}
