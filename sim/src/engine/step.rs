//! The interpreter: what each instruction does.

use model::place::{self, Place};
use model::scenario::{Concurrency, Scenario, WorkerClass};
use model::units::Span;

use super::{Engine, Event, NONE, Record, Role, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{Basic, Op, Pc};

/// What a thread does after an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flow {
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

impl Flow {
    /// CPU that holds the interpreter lock, or nothing if there is none.
    #[inline]
    pub(crate) fn work(span: Span) -> Flow {
        if span.is_zero() { Flow::Continue } else { Flow::Work { span, native: false } }
    }
}

impl<T: Trace> Engine<'_, T> {
    /// Executes instructions of `task` on `thread` until one needs time, moves the task, or
    /// goes into or out of the database library, where the interpreter lock changes hands.
    #[inline(always)]
    pub(crate) fn step(&mut self, thread: u32, task: u32) -> Flow {
        let inside = self.enters_library(task);
        loop {
            let flow = self.execute(thread, task);
            if !matches!(flow, Flow::Continue) || self.enters_library(task) != inside {
                return flow;
            }
        }
    }

    #[inline(always)]
    fn execute(&mut self, thread: u32, task: u32) -> Flow {
        let plan = self.plan;
        let entry = &mut self.tasks[task];
        let pc = entry.pc;
        if entry.dropped && plan.drop_at[pc as usize] != Pc::MAX {
            (entry.dropped, entry.pc) = (false, plan.drop_at[pc as usize]);
            return Flow::Continue;
        }
        entry.pc = pc + 1;
        let op = &plan.ops[pc as usize];
        self.trace.record(self.now, Record::Step { task, thread, op: *op });
        match *op {
            Op::Basic(op) => self.basic(thread, task, op),
            Op::Cache(op) => self.cache(task, op),
            Op::Threads(op) => self.thread_pool(task, op),
            Op::Database(op) => self.database(thread, task, op),
            Op::Upstream(op) => self.call(thread, task, op),
            Op::Lock(op) => self.application_lock(thread, task, op),
        }
    }

    #[inline]
    fn basic(&mut self, thread: u32, task: u32, op: Basic) -> Flow {
        match op {
            Basic::Admit => self.admit(task),
            Basic::Request { draw, in_flight } => {
                let others = self.workers[self.worker_of(task) as usize].tasks.saturating_sub(1);
                Flow::work(self.sample(task, draw) + in_flight * u64::from(others))
            }
            Basic::Cpu { draw } => Flow::work(self.sample(task, draw)),
            Basic::Burn { span } => Flow::Work { span, native: false },
            Basic::First { span } => self.first_request(task, span),
            Basic::Block { draw } => {
                let span = self.sample(task, draw);
                self.block(task, span, place::BLOCK)
            }
            Basic::Sleep { draw } => {
                let span = self.sample(task, draw);
                self.wait(thread, task, span, place::SLEEP)
            }
            Basic::ToLoop => {
                self.enqueue(task, Via::Thread);
                Flow::Detached
            }
            Basic::Turn => {
                self.enqueue(task, Via::Loop);
                Flow::Detached
            }
            Basic::Fork { fork } => self.fork(task, self.tasks[task].pc - 1, fork),
            Basic::BranchEnd => self.branch_end(task),
            Basic::Jump { to } => self.jump(task, to),
            Basic::Respond => self.respond(task),
            Basic::Reply => self.reply(task),
            Basic::After { admitted } => self.begin_after(task, admitted),
            Basic::AfterEnd { admitted } => self.end_after(task, admitted),
            Basic::End => {
                self.free_task(task);
                Flow::Detached
            }
            Basic::Drop => self.drop_handler(task),
        }
    }

    pub(crate) fn jump(&mut self, task: u32, to: Pc) -> Flow {
        self.tasks[task].pc = to;
        Flow::Continue
    }

    /// The instruction before the current address failed: its scopes are undone.
    pub(crate) fn fail(&mut self, task: u32, kind: ErrorKind) -> Flow {
        let entry = &mut self.tasks[task];
        let unwind = self.plan.unwind[entry.pc as usize - 1];
        assert!(unwind != Pc::MAX, "an instruction that can fail has an unwind address");
        entry.failed.get_or_insert(kind);
        entry.pc = unwind;
        Flow::Continue
    }

    pub(crate) fn worker_of(&self, task: u32) -> u32 {
        self.requests[self.tasks[task].request].worker
    }

    /// True if a wait of `task` on `thread` leaves the thread to others.
    fn parks(&self, thread: u32, task: u32) -> bool {
        let class = self.requests[self.tasks[task].request].class;
        self.threads[thread].role == Role::Loop
            && (self.tasks[task].beside
                || self.plan.classes[class as usize].concurrency == Concurrency::Async)
    }

    /// The task waits at `place` for something that will resume it.
    pub(crate) fn suspend(&mut self, thread: u32, task: u32, place: Place) -> Flow {
        self.set_place(task, place);
        if self.parks(thread, task) {
            self.tasks[task].thread = NONE;
            Flow::Detached
        } else {
            Flow::Blocked
        }
    }

    /// The task waits at `place` for `span`.
    pub(crate) fn wait(&mut self, thread: u32, task: u32, span: Span, place: Place) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.resume_after(task, span);
        self.suspend(thread, task, place)
    }

    /// The task waits and its thread with it, whatever the concurrency model.
    fn block(&mut self, task: u32, span: Span, place: Place) -> Flow {
        if span.is_zero() {
            return Flow::Continue;
        }
        self.resume_after(task, span);
        self.set_place(task, place);
        Flow::Blocked
    }

    /// uvicorn refuses when its connections, this one included, or its tasks reach the
    /// limit.
    fn admit(&mut self, task: u32) -> Flow {
        let limit = self.scenario().service.limit_concurrency;
        let worker = &mut self.workers[self.requests[self.tasks[task].request].worker as usize];
        let full = limit.is_some_and(|limit| worker.clients >= limit || worker.tasks >= limit);
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

    /// `thread` takes over `task` and joins the queue for a core.
    pub(crate) fn carry(&mut self, thread: u32, task: u32) {
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
        self.accounts.merge(parent, child);
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
        // A refused client has to open another connection.
        let last = !self.group_of(user).group.load.keep_alive
            || self.closes_with_reply()
            || !entry.admitted
            || self.workers[worker as usize].process.drains;
        if entry.admitted {
            self.workers[worker as usize].tasks -= 1;
        }
        // The server closes the connection with its reply. A client that timed out has already
        // closed it, and may have another by now.
        if last && !settled {
            self.end_connection(user, Via::Loop);
        }
        self.count_answer(worker);
        let there = self.costs().network.client.scale(0.5);
        let back = self.costs().network.client - there;
        if settled || back.is_zero() {
            self.deliver(task);
        } else {
            self.set_place(task, place::REPLY);
            self.tasks[task].thread = NONE;
            self.agenda.push(self.now + back, Event::Deliver { task });
        }
        Flow::Detached
    }

    /// The service says with its reply that it closes the connection. uvicorn says nothing of it: a
    /// client that keeps connections for a time of its own may send into one that is closed.
    fn closes_with_reply(&self) -> bool {
        let Scenario { service, load, .. } = self.scenario();
        service.keep_alive.is_zero()
            && (service.worker_class != WorkerClass::Uvicorn || load.keep_alive_timeout.is_none())
    }

    /// The reply leaves as a task of its own, with the account of the request; `task` goes on
    /// with what the worker does after it.
    fn reply(&mut self, task: u32) -> Flow {
        self.book(task);
        let (request, place) = (self.tasks[task].request, self.tasks[task].place);
        self.requests[request].handler = NONE;
        let reply = self.new_task(request, self.tasks[task].pc, NONE, place);
        self.requests[request].tasks += 1;
        self.accounts.merge(reply, task);
        self.respond(reply);
        Flow::Continue
    }

    /// The reply reaches the client, if that still waits.
    pub(crate) fn deliver(&mut self, task: u32) {
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
        let entry = &self.requests[self.tasks[task].request];
        let good = self.tasks[task].failed.is_none();
        let time = &mut self.seen.classes[entry.class as usize].time;
        let mut sum = 0;
        for (total, &part) in time.iter_mut().zip(self.accounts.of(task)) {
            // Most requests visit few of the places.
            if part > 0 {
                sum += part;
                *total += u128::from(if good { part } else { 0 });
            }
        }
        let elapsed = (self.now - entry.sent).nanos();
        assert_eq!(sum, elapsed, "the parts of a response time add up");
        if good {
            time[place::RETRY.index()] += u128::from((entry.sent - entry.first).nanos());
        }
    }
}
