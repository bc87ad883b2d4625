//! Threads on processors: which are ready, which run, and what a running thread does next.

use model::place;
use model::units::Span;

use super::Host;
use crate::engine::{Engine, Event, Flow, NONE, Record, Role, Thread, ThreadState, Trace};
use crate::observe::Limit;

/// Time from a command to a look at its result: as short as can be, since what it costs is part of the
/// statement.
const LOOK: Span = Span::from_nanos(1);

impl<T: Trace> Engine<'_, T> {
    /// Gives idle cores to ready threads, on each machine. Afterwards no core idles while a thread is
    /// ready, unless it is about to wake up, or may not run.
    pub(crate) fn schedule(&mut self) {
        // Neither makes a thread of the other ready at once: commands and replies travel.
        for host in Host::ALL {
            if self.cpu[host].has_ready() {
                self.schedule_on(host);
            }
        }
    }

    fn schedule_on(&mut self, host: Host) {
        loop {
            let threads = &self.threads;
            let process_of = |thread: u32| threads[thread].process(thread);
            let Some((core, thread, switch)) = self.cpu[host].dispatch(self.now, process_of) else {
                break;
            };
            if host == Host::Service {
                self.seen.cpu.cores.enter(self.now);
            }
            self.dispatched(core, thread, switch);
        }
        while let Some(at) = self.cpu[host].rouse(self.now) {
            self.agenda.push(at, Event::CoreAwake);
        }
        if self.cpu[host].has_ready() {
            let sequence = self.agenda.ticket();
            self.cpu[host].limit_turns(self.now, sequence);
        }
    }

    /// A thread got a core.
    pub(crate) fn dispatched(&mut self, core: u32, thread: u32, switch: Span) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Running;
        entry.core = core;
        self.session_runs(thread);
        let entry = &self.threads[thread];
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
    pub(crate) fn run_thread(&mut self, thread: u32) {
        let entry = &self.threads[thread];
        let (host, core, task, work) = (entry.host, entry.core, entry.task, entry.work);
        if task != NONE {
            self.set_place(task, place::CPU);
        }
        let sequence = self.agenda.ticket();
        self.cpu[host].run(core, work, self.now, sequence);
    }

    /// A core's timer rings: the work is done, the turn is over, or the quota is used up.
    pub(crate) fn core_timer(&mut self, host: Host, core: u32) {
        let thread = self.cpu[host].thread(core);
        self.trace.record(self.now, Record::CoreTimer { host, core, thread });
        self.charge(thread);
        self.cpu[host].settle(self.now);
        if self.threads[thread].work.is_zero() {
            self.threads[thread].native = false;
            self.proceed(thread);
        } else if self.cpu[host].throttled() {
            self.throttle();
        } else if self.cpu[host].turn_is_over(core, self.now) {
            self.leave_core(thread);
            self.waits_for_core(thread);
            self.cpu[host].requeue(thread);
        } else {
            self.run_thread(thread);
        }
    }

    /// Takes what a running thread has done off its work.
    #[inline]
    pub(crate) fn charge(&mut self, thread: u32) {
        let Thread { host, core, .. } = self.threads[thread];
        let done = self.cpu[host].charge(core, self.now);
        self.spent(thread, done);
    }

    /// A thread has used the CPU for so long.
    fn spent(&mut self, thread: u32, done: Span) {
        let entry = &mut self.threads[thread];
        entry.work = entry.work.saturating_sub(done);
        self.seen.event_loop.spent(entry.worker, done);
    }

    /// The quota is used up: every running thread of the service stops where it is.
    pub(crate) fn throttle(&mut self) {
        self.seen.reach(Limit::Quota);
        for (thread, done) in self.cpu[Host::Service].stop_threads(self.now) {
            self.seen.cpu.cores.leave(self.now);
            self.stopped(thread, done);
        }
    }

    /// A thread that ran until now was stopped, and has `done` so much.
    pub(crate) fn stopped(&mut self, thread: u32, done: Span) {
        self.session_stops(thread);
        self.spent(thread, done);
        self.waits_for_core(thread);
    }

    /// A thread without pending work goes on until it needs CPU time, waits or has nothing
    /// left to do.
    pub(crate) fn proceed(&mut self, thread: u32) {
        if let Role::Session { task } = self.threads[thread].role {
            return self.session_done(thread, task);
        }
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
                    self.seen.cpu.bursts += u64::from(task != NONE);
                    let entry = &mut self.threads[thread];
                    entry.work = span;
                    entry.native = native;
                    if native {
                        self.release_lock(thread);
                    }
                    return self.run_thread(thread);
                }
                Flow::Detached => {
                    let looks = self.looks_again(thread, task);
                    self.threads[thread].task = NONE;
                    if task != NONE {
                        self.drop_if_gone(task);
                    }
                    if looks {
                        // The thread that it has woken may take the processor before it looks.
                        self.threads[thread].work = LOOK;
                        return self.run_thread(thread);
                    }
                }
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

    pub(crate) fn leave_core(&mut self, thread: u32) {
        let Thread { host, core, .. } = self.threads[thread];
        self.cpu[host].vacate(core, self.now);
        if host == Host::Service {
            self.seen.cpu.cores.leave(self.now);
        }
        self.session_stops(thread);
    }

    /// The thread has something to do, wakes up and joins the queue for a core.
    pub(crate) fn make_ready(&mut self, thread: u32) {
        self.waits_for_core(thread);
        self.cpu[self.threads[thread].host].wake(thread, self.now);
    }

    /// A thread that does not run ends.
    pub(crate) fn end_thread(&mut self, thread: u32) {
        self.cpu[self.threads[thread].host].withdraw(thread);
        self.threads.remove(thread);
    }

    /// The thread could run, and has no core.
    fn waits_for_core(&mut self, thread: u32) {
        let entry = &mut self.threads[thread];
        entry.state = ThreadState::Ready;
        let task = entry.task;
        if task != NONE {
            self.set_place(task, place::CPU_WAIT);
        }
        self.session_waits(thread);
    }
}
