//! Threads: who is ready, who runs, who holds the interpreter lock.

use model::units::Span;

use super::Engine;
use super::state::{ACCEPT, HANG_UP, NONE, Role, ThreadState};
use super::step::Flow;
use crate::event::Event;
use crate::observe::Limit;
use crate::station::callbacks::Via;
use crate::station::interpreter::TimerOutcome;
use crate::trace::{Record, Trace};
use model::place;

impl<T: Trace> Engine<'_, T> {
    /// Gives idle cores to ready threads. Afterwards no core idles while a thread is ready,
    /// unless it is about to wake up, or the quota forbids it.
    pub(super) fn schedule(&mut self) {
        if !self.cpu.has_ready() {
            return;
        }
        while let Some((core, thread, switch)) = self.cpu.dispatch(self.now) {
            self.seen.cores.enter(self.now);
            self.dispatched(core, thread, switch);
        }
        while let Some(at) = self.cpu.rouse(self.now) {
            self.agenda.push(at, Event::CoreAwake);
        }
        if self.cpu.has_ready() {
            let sequence = self.agenda.ticket();
            self.cpu.limit_turns(self.now, sequence);
        }
    }

    /// A thread got a core.
    fn dispatched(&mut self, core: u32, thread: u32, switch: Span) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Running;
        entry.core = core;
        let unfinished = !entry.work.is_zero() && !entry.native;
        if unfinished && !self.acquire_lock(thread) {
            return;
        }
        let entry = &mut self.threads[thread];
        entry.work += switch;
        if entry.work.is_zero() {
            self.proceed(thread);
        } else {
            self.run_thread(thread);
        }
    }

    /// Sets the core's timer for the work that the thread has.
    fn run_thread(&mut self, thread: u32) {
        let entry = &self.threads[thread];
        let (core, task, work) = (entry.core, entry.task, entry.work);
        if task != NONE {
            self.set_place(task, place::CPU);
        }
        let sequence = self.agenda.ticket();
        self.cpu.run(core, work, self.now, sequence);
    }

    /// A core's timer rings: the work is done, the turn is over, or the quota is used up.
    pub(super) fn core_timer(&mut self, core: u32) {
        let thread = self.cpu.thread(core);
        self.trace.record(self.now, Record::CoreTimer { core, thread });
        self.charge(thread);
        self.cpu.settle(self.now);
        if self.threads[thread].work.is_zero() {
            self.threads[thread].native = false;
            self.proceed(thread);
        } else if self.cpu.throttled() {
            self.throttle();
        } else if self.cpu.turn_is_over(core, self.now) {
            self.leave_core(thread);
            self.make_ready(thread);
        } else {
            self.run_thread(thread);
        }
    }

    /// Takes what a running thread has done off its work.
    fn charge(&mut self, thread: u32) {
        let done = self.cpu.charge(self.threads[thread].core, self.now);
        let entry = &mut self.threads[thread];
        entry.work = entry.work.saturating_sub(done);
    }

    /// The quota is used up: every running thread stops where it is.
    fn throttle(&mut self) {
        self.seen.reach(Limit::Quota);
        for (thread, done) in self.cpu.throttle(self.now) {
            self.seen.cores.leave(self.now);
            let entry = &mut self.threads[thread];
            entry.work = entry.work.saturating_sub(done);
            entry.state = ThreadState::Ready;
            let task = entry.task;
            if task != NONE {
                self.set_place(task, place::CPU_WAIT);
            }
        }
    }

    /// A thread without pending work goes on until it needs CPU time, waits or has nothing
    /// left to do.
    fn proceed(&mut self, thread: u32) {
        loop {
            let task = self.threads[thread].task;
            if self.enters_library(task) {
                self.release_lock(thread);
            } else if !self.acquire_lock(thread) {
                return;
            }
            let flow =
                if task == NONE { self.next_callback(thread) } else { self.step(thread, task) };
            match flow {
                Flow::Work { span, native } => {
                    self.seen.bursts += u64::from(task != NONE);
                    let entry = &mut self.threads[thread];
                    entry.work = span;
                    entry.native = native;
                    if native {
                        self.release_lock(thread);
                    }
                    return self.run_thread(thread);
                }
                Flow::Detached => self.threads[thread].task = NONE,
                Flow::Continue => {}
                Flow::Blocked => {
                    self.threads[thread].state = ThreadState::Blocked;
                    self.release_lock(thread);
                    return self.leave_core(thread);
                }
                Flow::Idle => {
                    self.release_lock(thread);
                    self.leave_core(thread);
                    return self.fall_idle(thread);
                }
            }
        }
    }

    /// True if what `task` does next needs no interpreter lock.
    #[inline]
    pub(super) fn enters_library(&self, task: u32) -> bool {
        self.plan.native && task != NONE && self.plan.ops[self.tasks[task].pc as usize].is_native()
    }

    /// What a thread that carries no task does next. Only a loop has a queue.
    fn next_callback(&mut self, thread: u32) -> Flow {
        let entry = &self.threads[thread];
        if entry.role != Role::Loop {
            return Flow::Idle;
        }
        let id = entry.worker;
        let worker = &mut self.workers[id as usize];
        if worker.callbacks.polls() {
            if !worker.accepting && self.listener.waiting(id) > 0 {
                worker.accepting = true;
                worker.callbacks.push(ACCEPT, Via::Poll);
            }
            worker.callbacks.begin_turn();
        }
        let Some(next) = worker.callbacks.pop() else { return Flow::Idle };
        match next {
            ACCEPT => return self.accept(id),
            HANG_UP => return Flow::Work { span: self.plan.hang_up, native: false },
            _ => {}
        }
        self.threads[thread].task = next;
        self.tasks[next].thread = thread;
        Flow::Continue
    }

    fn fall_idle(&mut self, thread: u32) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Idle;
        let id = entry.worker;
        match entry.role {
            Role::Loop => {
                self.seen.loops.leave(self.now);
                self.listener.sleep(id);
            }
            Role::Pool => self.workers[id as usize].idle_threads.push(thread),
            Role::Driver => {}
        }
    }

    pub(super) fn leave_core(&mut self, thread: u32) {
        self.cpu.vacate(self.threads[thread].core, self.now);
        self.seen.cores.leave(self.now);
    }

    /// The thread has something to do and joins the queue for a core.
    pub(super) fn make_ready(&mut self, thread: u32) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Ready;
        let task = entry.task;
        if task != NONE {
            self.set_place(task, place::CPU_WAIT);
        }
        self.cpu.ready(thread);
    }

    /// Puts a task in the queue of its worker's loop.
    pub(super) fn enqueue(&mut self, task: u32, via: Via) {
        self.set_place(task, place::LOOP);
        let worker = self.requests[self.tasks[task].request].worker;
        self.tasks[task].thread = NONE;
        self.workers[worker as usize].callbacks.push(task, via);
        self.wake_loop(worker);
    }

    /// Wakes a sleeping loop; it takes the first callback at once, so that what it then
    /// waits for is the CPU.
    pub(super) fn wake_loop(&mut self, id: u32) {
        let thread = self.workers[id as usize].thread;
        if self.threads[thread].state != ThreadState::Idle {
            return;
        }
        self.seen.loops.enter(self.now);
        self.listener.wake(id);
        let worker = &mut self.workers[id as usize];
        worker.callbacks.begin_turn();
        if let Some(first) = worker.callbacks.pop_unless(&[ACCEPT, HANG_UP]) {
            self.threads[thread].task = first;
            self.tasks[first].thread = thread;
        }
        self.make_ready(thread);
    }

    /// Takes the interpreter lock if the thread needs it and can have it. If not, it leaves
    /// its core and waits.
    fn acquire_lock(&mut self, thread: u32) -> bool {
        if self.plan.interpreter.is_none() {
            return true;
        }
        let id = self.threads[thread].worker;
        let lock = &mut self.workers[id as usize].lock;
        if lock.held_by(thread) {
            if !lock.must_drop(thread) {
                return true;
            }
            self.release_lock(thread);
            self.wait_for_lock(thread);
            return false;
        }
        if !lock.try_acquire(thread, self.now) {
            self.wait_for_lock(thread);
            return false;
        }
        if let Some(at) = lock.timer_after_handover() {
            self.agenda.push(at, Event::LockTimer { worker: id });
        }
        self.seen.interpreter.enter(self.now);
        true
    }

    fn wait_for_lock(&mut self, thread: u32) {
        self.leave_core(thread);
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::WaitsForLock;
        let (id, task) = (entry.worker, entry.task);
        if task != NONE {
            self.set_place(task, place::INTERPRETER);
        }
        if let Some(at) = self.workers[id as usize].lock.wait(thread, self.now) {
            self.agenda.push(at, Event::LockTimer { worker: id });
        }
    }

    /// Lets go of the interpreter lock if the thread holds it; the first waiter may try.
    fn release_lock(&mut self, thread: u32) {
        if self.plan.interpreter.is_none() {
            return;
        }
        let lock = &mut self.workers[self.threads[thread].worker as usize].lock;
        if !lock.held_by(thread) {
            return;
        }
        self.seen.interpreter.leave(self.now);
        if let Some(next) = lock.release() {
            self.make_ready(next);
        }
    }

    /// A waiter for the interpreter lock has slept for the switch interval.
    pub(super) fn lock_timer(&mut self, id: u32) {
        match self.workers[id as usize].lock.timer(self.now) {
            TimerOutcome::Nothing => {}
            TimerOutcome::Again(at) => self.agenda.push(at, Event::LockTimer { worker: id }),
            TimerOutcome::Drop(holder) => {
                // A holder without a core lets go as soon as it has one.
                if self.threads[holder].state == ThreadState::Running {
                    self.charge(holder);
                    // Nor does one whose work ends now: it lets go by itself as it goes on,
                    // perhaps into the library, and would sleep for a lock that it does not
                    // need while whoever else waits is forgotten.
                    if !self.threads[holder].work.is_zero() {
                        self.release_lock(holder);
                        self.wait_for_lock(holder);
                    }
                }
            }
        }
    }
}
