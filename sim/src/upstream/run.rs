//! Calls of upstreams: semaphore, client connection, exchange, retries.

use model::distribution::unit_interval;
use model::place;
use model::scenario::{Client, Upstream};
use model::stream::lane_of_attempt;
use model::units::{Instant, Span};

use super::kept::{Given, Kept};
use super::server::{Job, Server, Taken};
use super::{ClientId, LookCost, Op};
use crate::database;
use crate::engine::{Engine, Event, Flow, NONE, Trace};
use crate::event_loop::Via;
use crate::lock;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{self, DrawId, Pc};
use crate::slots::Slots;
use crate::standstill::Awaited;

/// What it costs to look at all connections, once for each of so many waiting calls and once more.
///
/// httpcore 1.0.9 does so whenever a call begins or ends (`_assign_requests_to_connections`): it looks
/// for connections to close, and then goes through all connections again for each call in its queue,
/// also where none can be free. A queue costs waiting calls times connections; calls that line up at
/// the locks of a connection are in it no more.
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
            Op::Await { client, .. } => self.await_connection(thread, task, client),
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

    pub(crate) fn semaphore(&mut self, task: u32, upstream: u32) -> &mut Slots {
        let worker = self.worker_of(task) as usize;
        self.workers[worker].upstreams.semaphores[upstream as usize]
            .as_mut()
            .expect("planned with a limit")
    }

    pub(crate) fn client_pool(&mut self, task: u32, upstream: u32) -> &mut Slots {
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
        self.tasks[task].call.asked = self.now;
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
        let clients = &self.workers[worker].upstreams;
        let kept = &clients.kept[client as usize];
        if kept.queues() {
            return kept.waiting();
        }
        let pool = &clients.connections[client as usize / 2];
        pool.as_ref().map_or(0, |pool| pool.waiting() as u64)
    }

    /// Asks for a connection of the client, at a cost for each that it looks at.
    pub(crate) fn choose(&mut self, task: u32, client: ClientId, cost: LookCost) -> Flow {
        let now = self.now;
        let waiting = self.waiting_calls(task, client);
        let kept = self.kept(task, client);
        let span = look(kept, cost, now, waiting);
        if kept.queues() {
            let ticket = self.tasks[task].call.ticket;
            let ticket = self.kept(task, client).join(task, ticket);
            self.tasks[task].call.ticket = Some(ticket);
            self.assign(task, client);
            return Flow::work(span);
        }
        let (chosen, opens) = match kept.choose() {
            Some(chosen) => (chosen, false),
            None => (kept.open(), true),
        };
        let entry = &mut self.tasks[task];
        (entry.call.connection, entry.call.opens) = (chosen, opens);
        Flow::work(span)
    }

    /// Gives the calls that wait what there is. They go on when the loop has come round, and `task`,
    /// if it is one of them, at once.
    fn assign(&mut self, task: u32, client: ClientId) {
        for Given { task: other, connection, opens } in self.kept(task, client).assign() {
            let call = &mut self.tasks[other].call;
            (call.connection, call.opens) = (connection, opens);
            if opens {
                self.seen.upstreams[client as usize / 2].connections.enter(self.now);
            }
            if other == task {
                self.tasks[task].call.is_chosen = true;
            } else {
                self.waited(client);
                self.grant(other, Via::Loop);
            }
        }
    }

    /// A call has waited, and is counted when it enters.
    fn waited(&mut self, client: ClientId) {
        let waits = &mut self.seen.upstreams[client as usize / 2].waits;
        waits.enter(self.now);
        waits.leave(self.now);
    }

    /// Waits until the client has chosen a connection.
    fn await_connection(&mut self, thread: u32, task: u32, client: ClientId) -> Flow {
        if std::mem::take(&mut self.tasks[task].call.is_chosen) {
            return Flow::Continue;
        }
        let upstream = client / 2;
        self.seen.reach(Limit::Connections(upstream));
        let timeout = self.scenario().upstreams[upstream as usize].pool_timeout;
        self.give_up_after(task, timeout);
        self.suspend(thread, task, place::connections(upstream))
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
        if !self.kept(task, client).queues() {
            return self.suspend(thread, task, place::LOOP);
        }
        self.waited(client);
        self.suspend(thread, task, place::connections(client / 2))
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
            self.tasks[task].call.ticket = None;
            return Flow::work(span);
        }
        let chosen = self.tasks[task].call.connection;
        let kept = self.kept(task, client);
        if kept.take(chosen) {
            if kept.queues() {
                self.seen.upstreams[client as usize / 2].connections.enter(self.now);
            }
            self.tasks[task].call.ticket = None;
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
        let had_none = entry.call.outcome == Some(ErrorKind::ConnectionTimeout);
        let used = entry.call.connection;
        let waiting = self.waiting_calls(task, client);
        let kept = self.kept(task, client);
        if !had_none {
            kept.give_back(used, broken, now);
        }
        let span = look(kept, cost, now, waiting);
        if kept.queues() {
            if !had_none {
                self.seen.upstreams[client as usize / 2].connections.leave(now);
            }
            self.assign(task, client);
        }
        Flow::work(span)
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
            plan::Op::Upstream(Op::Await { client, give_up }) => {
                self.seen.reach(Limit::ConnectionTimeout(client / 2));
                if let Some(ticket) = self.tasks[task].call.ticket.take() {
                    self.kept(task, client).abandon(ticket);
                }
                let entry = &mut self.tasks[task];
                entry.call.outcome = Some(ErrorKind::ConnectionTimeout);
                entry.pc = give_up;
            }
            plan::Op::Upstream(Op::Exchange { upstream, .. }) => {
                self.seen.reach(Limit::UpstreamTimeout(upstream));
                self.tasks[task].call.outcome = Some(ErrorKind::UpstreamTimeout);
            }
            plan::Op::Database(database::Op::Checkout) => {
                self.seen.reach(Limit::PoolTimeout);
                if let Some(pool) = &mut self.workers[worker].database {
                    pool.abandon(task);
                }
                self.end_wait(task, Awaited::Connection);
                self.fail(task, ErrorKind::PoolTimeout);
            }
            plan::Op::Database(database::Op::Postgres(_)) => return self.query_wait_ends(task),
            plan::Op::Lock(lock::Op::Acquire { lock }) => self.give_up_lock(task, lock),
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
        let work = self.sample_attempt(task, latency, attempt);
        let latency = work + self.costs().network.upstream;
        self.seen.attempts += 1;
        let timeout = self.patience(task, spec);
        if spec.capacity.is_some() {
            self.tasks[task].call.outcome = self.fails(task, spec.failures, failure, attempt);
            return self.ask(thread, task, upstream, work, timeout);
        }
        let late = timeout.filter(|&timeout| latency > timeout);
        self.tasks[task].call.outcome = if late.is_some() {
            self.seen.reach(Limit::UpstreamTimeout(upstream));
            Some(ErrorKind::UpstreamTimeout)
        } else {
            self.fails(task, spec.failures, failure, attempt)
        };
        self.wait(thread, task, late.unwrap_or(latency), place::upstream(upstream))
    }

    /// The call reaches an upstream that works on so many at a time.
    fn ask(
        &mut self,
        thread: u32,
        task: u32,
        upstream: u32,
        latency: Span,
        patience: Option<Span>,
    ) -> Flow {
        let (now, index) = (self.now, upstream as usize);
        let entry = &mut self.tasks[task];
        entry.call.until = patience.map(|patience| now + patience);
        // The ticket of the wait that begins below: a reply in the last instant comes before its end.
        let ticket = entry.ticket.wrapping_add(1);
        let Some(server) = &mut self.servers[index] else { return Flow::Continue };
        match server.take(Job { task, ticket, latency }) {
            Taken::Begins => {
                self.seen.upstreams[index].servers.enter(now);
                self.agenda.push(now + latency, Event::UpstreamDone { upstream, task, ticket });
            }
            Taken::Queued => self.seen.upstreams[index].queued.enter(now),
            Taken::Refused => {
                self.seen.reach(Limit::Refused(upstream));
                self.tasks[task].call.outcome = Some(ErrorKind::UpstreamRefused);
                let way = self.costs().network.upstream;
                return self.wait(thread, task, way, place::upstream(upstream));
            }
        }
        self.give_up_after(task, patience);
        self.suspend(thread, task, place::upstream(upstream))
    }

    /// An upstream has done a call: the next one begins, and the reply is sent to the task, which
    /// may have given up.
    pub(crate) fn upstream_done(&mut self, upstream: u32, task: u32, ticket: u32) {
        let (now, index) = (self.now, upstream as usize);
        let next = self.servers[index].as_mut().and_then(Server::done);
        let seen = &mut self.seen.upstreams[index];
        match next {
            Some(Job { task, ticket, latency }) => {
                seen.queued.leave(now);
                self.agenda.push(now + latency, Event::UpstreamDone { upstream, task, ticket });
            }
            None => seen.servers.leave(now),
        }
        let back = self.costs().network.upstream;
        let arrives = now + back;
        let entry = &mut self.tasks[task];
        if entry.ticket == ticket && entry.call.until.is_none_or(|until| arrives <= until) {
            entry.ticket = ticket.wrapping_add(1);
            self.resume_after(task, back);
        }
    }

    /// How long the attempt is waited for, from now on.
    fn patience(&self, task: u32, spec: &Upstream) -> Option<Span> {
        let all = spec.timeout?;
        let limited = spec.max_connections.is_some() && Client::includes_waiting(spec.client);
        let waited = if limited { self.now - self.tasks[task].call.asked } else { Span::ZERO };
        Some(all.saturating_sub(waited))
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
        let asked = if kind == ErrorKind::UpstreamRefused { spec.retry_after } else { None };
        let pause = spec.pause_after(entry.call.attempt).max(asked.unwrap_or(Span::ZERO));
        entry.call.attempt += 1;
        entry.pc = again;
        debug_assert!(entry.thread != NONE);
        self.wait(thread, task, pause, place::backoff(upstream))
    }
}
