//! The interpreter: what each instruction does.

use model::costs::Work;
use model::scenario::Concurrency;
use model::units::Span;

use super::Engine;
use super::state::{NONE, Role, Thread};
use crate::event::Event;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{Op, Pc};
use crate::station::callbacks::Via;
use crate::trace::{Record, Trace};
use model::place::{self, Place};

/// What a thread does after an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flow {
    /// Goes on at once.
    Continue,
    /// Needs the CPU for `span`; a `native` stretch needs no interpreter lock.
    Work { span: Span, native: bool },
    /// The task left this thread: it is parked, elsewhere or finished.
    Detached,
    /// The thread sleeps with its task.
    Blocked,
    /// The thread has nothing to do.
    Idle,
}

impl<T: Trace> Engine<'_, T> {
    /// Executes instructions of `task` on `thread` until one needs time, moves the task, or
    /// goes into or out of the database library, where the interpreter lock changes hands.
    pub(super) fn step(&mut self, thread: u32, task: u32) -> Flow {
        let inside = self.enters_library(task);
        loop {
            let flow = self.execute(thread, task);
            if flow != Flow::Continue || self.enters_library(task) != inside {
                return flow;
            }
        }
    }

    fn execute(&mut self, thread: u32, task: u32) -> Flow {
        let pc = self.tasks[task].pc;
        let op = self.plan.ops[pc as usize];
        self.trace.record(self.now, Record::Step { task, thread, op });
        self.tasks[task].pc = pc + 1;
        match op {
            Op::Admit => self.admit(task),
            Op::Request { draw, in_flight } => {
                let others = self.workers[self.worker_of(task) as usize].tasks.saturating_sub(1);
                let span = self.sample(task, draw) + in_flight * u64::from(others);
                work(span, false)
            }
            Op::Cpu { draw } => work(self.sample(task, draw), false),
            Op::Native { draw } => work(self.sample(task, draw), true),
            Op::Burn { span } => Flow::Work { span, native: false },
            Op::Refill { work, cold } => self.refill(task, work, cold),
            Op::Block { draw } => {
                let span = self.sample(task, draw);
                self.block(task, span, place::BLOCK)
            }
            Op::Sleep { draw } => {
                let span = self.sample(task, draw);
                self.wait(thread, task, span, place::SLEEP)
            }
            Op::TokenAcquire => self.token_acquire(task),
            Op::TokenRelease => self.token_release(task),
            Op::ToLoop => {
                self.enqueue(task, Via::Thread);
                Flow::Detached
            }
            Op::Turn => {
                self.enqueue(task, Via::Loop);
                Flow::Detached
            }
            Op::ToDriver => self.hand_to_driver(task),
            Op::Checkout => self.checkout(thread, task),
            Op::SkipIfOpen { open } => self.skip_if_open(task, open),
            Op::Crowded { span } => self.crowded(span),
            Op::Opened => self.opened(task),
            Op::SkipIfKept { keep } => self.skip_if_kept(task, keep),
            Op::LastCloseCpu { span } => self.last_close_cpu(span),
            Op::LastClose { sync } => self.last_close(thread, task, sync),
            Op::Closed => self.closed(task),
            Op::Checkin => self.checkin(task),
            Op::BeginRead | Op::BeginWrite | Op::CommitLock => self.lock(thread, task, op),
            Op::EndRead => self.unlock(task, false),
            Op::Change { pages } => self.change(task, pages),
            Op::CommitCpu { span } => self.commit_cpu(task, span),
            Op::CommitSync { sync } => self.commit_sync(thread, task, sync),
            Op::CommitEnd => self.unlock(task, true),
            Op::Checkpoint { sync } => self.checkpoint(thread, task, sync),
            Op::CheckpointEnd => self.checkpoint_end(task),
            Op::Rollback => self.unlock(task, false),
            Op::Server { round_trip, .. } => self.server(thread, task, round_trip),
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
            Op::Retry { upstream, again } => self.retry(thread, task, upstream, again),
            Op::Fork { fork } => self.fork(task, pc, fork),
            Op::BranchEnd => self.branch_end(task),
            Op::Jump { to } => self.jump(task, to),
            Op::Respond => self.respond(task),
        }
    }

    /// Brings back into the caches what the worker has not used since it last did `kind`. The
    /// others of its processor have their own memory, and so nothing to keep warm for it.
    fn refill(&mut self, task: u32, kind: Work, cold: Span) -> Flow {
        let worker = self.worker_of(task);
        let last = self.workers[worker as usize].used[kind as usize].replace(self.now);
        let lost = last.map_or(1.0, |last| self.plan.cache.lost(self.now - last));
        work(cold.scale(lost), false)
    }

    /// Brings back into the caches what other requests have displaced. Those of all workers
    /// share the caches of the processors that they run on, no more than there are workers.
    fn crowded(&mut self, span: Span) -> Flow {
        let all: u32 = self.workers.iter().map(|worker| worker.tasks).sum();
        let processors = self.plan.cpu.cores.min(self.workers.len() as u32);
        let others = f64::from(all.saturating_sub(1)) / f64::from(processors);
        work(span.scale(self.plan.cache.displaced(others)), false)
    }

    pub(super) fn jump(&mut self, task: u32, to: Pc) -> Flow {
        self.tasks[task].pc = to;
        Flow::Continue
    }

    /// The instruction before the current address failed: its scopes are undone.
    pub(super) fn fail(&mut self, task: u32, kind: ErrorKind) -> Flow {
        let entry = &mut self.tasks[task];
        let unwind = self.plan.unwind[entry.pc as usize - 1];
        assert!(unwind != Pc::MAX, "an instruction that can fail has an unwind address");
        entry.failed.get_or_insert(kind);
        entry.pc = unwind;
        Flow::Continue
    }

    pub(super) fn worker_of(&self, task: u32) -> u32 {
        self.requests[self.tasks[task].request].worker
    }

    /// True if a wait of `task` on `thread` leaves the thread to others.
    fn parks(&self, thread: u32, task: u32) -> bool {
        let class = self.requests[self.tasks[task].request].class;
        self.threads[thread].role == Role::Loop
            && self.plan.classes[class as usize].concurrency == Concurrency::Async
    }

    /// The task waits at `place` for something that will resume it.
    pub(super) fn suspend(&mut self, thread: u32, task: u32, place: Place) -> Flow {
        self.set_place(task, place);
        if self.parks(thread, task) {
            self.tasks[task].thread = NONE;
            Flow::Detached
        } else {
            Flow::Blocked
        }
    }

    /// The task waits at `place` for `span`.
    pub(super) fn wait(&mut self, thread: u32, task: u32, span: Span, place: Place) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.agenda.push(self.now + span, Event::Resume { task });
        self.suspend(thread, task, place)
    }

    /// The task waits and its thread with it, whatever the concurrency model.
    fn block(&mut self, task: u32, span: Span, place: Place) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.agenda.push(self.now + span, Event::Resume { task });
        self.set_place(task, place);
        Flow::Blocked
    }

    /// uvicorn refuses when its connections, this one included, or its tasks reach the
    /// limit.
    fn admit(&mut self, task: u32) -> Flow {
        let worker = &mut self.workers[self.requests[self.tasks[task].request].worker as usize];
        let full = self
            .plan
            .service
            .limit_concurrency
            .is_some_and(|limit| worker.clients >= limit || worker.tasks >= limit);
        if full {
            self.seen.reach(Limit::Concurrency);
            let entry = &mut self.tasks[task];
            entry.failed = Some(ErrorKind::Rejected);
            entry.pc = self.plan.rejected;
            return Flow::Continue;
        }
        worker.tasks += 1;
        let request = self.tasks[task].request;
        self.requests[request].admitted = true;
        Flow::Continue
    }

    fn token_acquire(&mut self, task: u32) -> Flow {
        let worker = self.worker_of(task);
        self.tasks[task].thread = NONE;
        if self.workers[worker as usize].tokens.acquire(task) {
            self.seen.threads.enter(self.now);
            self.start_on_pool(worker, task);
        } else {
            self.seen.reach(Limit::Threads);
            self.set_place(task, place::THREADS);
        }
        Flow::Detached
    }

    fn token_release(&mut self, task: u32) -> Flow {
        let worker = self.worker_of(task);
        match self.workers[worker as usize].tokens.release() {
            Some(next) => self.start_on_pool(worker, next),
            None => self.seen.threads.leave(self.now),
        }
        Flow::Continue
    }

    /// A task that has a token gets a pool thread: the one that was idle last, or a new one.
    fn start_on_pool(&mut self, worker: u32, task: u32) {
        let idle = self.workers[worker as usize].idle_threads.pop();
        let thread =
            idle.unwrap_or_else(|| self.threads.insert(Thread::new(worker, Role::Pool), |_, _| {}));
        self.carry(thread, task);
    }

    /// `thread` takes over `task` and joins the queue for a core.
    pub(super) fn carry(&mut self, thread: u32, task: u32) {
        self.threads[thread].task = task;
        self.tasks[task].thread = thread;
        self.make_ready(thread);
    }

    fn fork(&mut self, task: u32, pc: Pc, fork: u32) -> Flow {
        let branches = self.plan.forks[fork as usize].len();
        if branches == 0 {
            return Flow::Continue;
        }
        let request = self.tasks[task].request;
        self.set_place(task, place::GATHER);
        let entry = &mut self.tasks[task];
        entry.ticket = entry.ticket.wrapping_add(1);
        entry.branches = branches as u32;
        entry.thread = NONE;
        entry.pc = pc;
        self.requests[request].tasks += branches as u32;
        for branch in 0..branches {
            let start = self.plan.forks[fork as usize][branch];
            let child = self.new_task(request, start, task, place::LOOP);
            self.enqueue(child, Via::Loop);
        }
        Flow::Detached
    }

    /// The last branch resumes its parent; a failed one resumes it at once, as
    /// `asyncio.gather` does, while the others run on.
    fn branch_end(&mut self, child: u32) -> Flow {
        self.book(child);
        let entry = &self.tasks[child];
        let (parent, failed) = (entry.parent, entry.failed);
        if self.tasks[parent].ticket == entry.parent_ticket {
            let waiting = &mut self.tasks[parent];
            waiting.branches -= 1;
            if waiting.branches == 0 || failed.is_some() {
                self.join(parent, child);
            }
        }
        self.free_task(child);
        Flow::Detached
    }

    /// The parent goes on. Its time since the fork is the time of `child`, which began
    /// then and ends now.
    fn join(&mut self, parent: u32, child: u32) {
        let failed = self.tasks[child].failed;
        let stride = self.plan.places.len();
        for place in 0..stride {
            self.accounts[parent as usize * stride + place] +=
                self.accounts[child as usize * stride + place];
        }
        let entry = &mut self.tasks[parent];
        entry.since = self.now;
        entry.ticket = entry.ticket.wrapping_add(1);
        entry.pc += 1;
        if let Some(kind) = failed {
            self.fail(parent, kind);
        }
        self.enqueue(parent, Via::Loop);
    }

    /// The worker is done with the request; its reply is on its way to the client.
    fn respond(&mut self, task: u32) -> Flow {
        let entry = &self.requests[self.tasks[task].request];
        let (worker, user, settled) = (entry.worker, entry.user, entry.settled);
        // Whoever was refused is to come again on another connection.
        let last = !self.plan.load.keep_alive || !entry.admitted;
        if entry.admitted {
            self.workers[worker as usize].tasks -= 1;
        }
        // It is the server that ends the connection, with its reply. Who has left has ended it,
        // and may have another by now.
        if last && !settled {
            self.end_connection(user, Via::Loop);
        }
        let there = self.plan.network.client.scale(0.5);
        let back = self.plan.network.client - there;
        if settled || back.is_zero() {
            self.deliver(task);
        } else {
            self.set_place(task, place::REPLY);
            self.tasks[task].thread = NONE;
            self.agenda.push(self.now + back, Event::Deliver { task });
        }
        Flow::Detached
    }

    /// The reply reaches the client, if that still waits.
    pub(super) fn deliver(&mut self, task: u32) {
        self.book(task);
        let request = self.tasks[task].request;
        let failed = self.tasks[task].failed;
        if !self.requests[request].settled {
            self.close_account(task);
            self.settle(request, failed);
        }
        self.free_task(task);
    }

    /// Books the time of an answered request by place.
    fn close_account(&mut self, task: u32) {
        let stride = self.plan.places.len();
        let row = task as usize * stride;
        let account = &self.accounts[row..row + stride];
        let entry = &self.requests[self.tasks[task].request];
        let elapsed = (self.now - entry.sent).nanos();
        assert_eq!(account.iter().sum::<u64>(), elapsed, "the parts of a response time add up");
        if self.tasks[task].failed.is_none() {
            let time = &mut self.seen.classes[entry.class as usize].time;
            // Most requests visit few of the places.
            for (total, part) in time.iter_mut().zip(account).filter(|(_, part)| **part > 0) {
                *total += u128::from(*part);
            }
        }
    }
}

/// Work, or nothing if there is none.
pub(super) fn work(span: Span, native: bool) -> Flow {
    if span.is_zero() { Flow::Continue } else { Flow::Work { span, native } }
}
