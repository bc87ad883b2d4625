//! The processors: threads of all worker processes take turns on them.
//!
//! A thread runs until its work is done, or until the scheduler gives its core to another one that is
//! ready. Where the kernel has a tick, that is when it sees that a slice is over. A bandwidth quota
//! stops all threads until its next period once they have used it up.

use model::scenario::{Cpu as Machine, Quota};
use model::units::{Instant, Span};

use super::scheduler::{Scheduler, Ticks};
use super::{Kernel, Switch};
use crate::engine::Due;

/// No thread.
pub(super) const NONE: u32 = u32::MAX;

/// The processors and the threads that are ready to run.
#[derive(Debug)]
pub(crate) struct Cores {
    cores: Vec<Core>,
    scheduler: Scheduler,
    switch: Switch,
    /// From asleep to running.
    idle_exit: Span,
    /// Its processes are stopped.
    halted: bool,
    running: u32,
    /// The core whose timer rings next.
    next: Due,
    next_core: u32,
    bandwidth: Option<Bandwidth>,
}

#[derive(Clone, Copy, Debug)]
struct Core {
    thread: u32,
    /// The thread that ran here last: changing costs a switch.
    last: u32,
    /// Its process.
    process: u32,
    /// When it was last charged for what it ran.
    charged: Instant,
    /// When its last thread left it: later than that it is asleep.
    vacated: Instant,
    /// When it will be awake, once it has been woken. None once it has run.
    awake: Option<Instant>,
    /// End of its work, of its slice or of the quota.
    timer: Due,
    /// The timer cuts the turn short if another thread is ready.
    sliced: bool,
}

#[derive(Debug)]
struct Bandwidth {
    quota: Quota,
    left: Span,
    settled: Instant,
}

impl Cores {
    /// Idle processors, asleep. The load begins at any time between two ticks.
    pub(crate) fn new(machine: &Machine, kernel: Kernel, idle_exit: Span) -> Cores {
        let idle = Core {
            thread: NONE,
            last: NONE,
            process: NONE,
            charged: Instant::START,
            vacated: Instant::START,
            awake: None,
            timer: Due::NEVER,
            sliced: false,
        };
        let phase = Span::from_nanos(share(machine.tick.nanos(), kernel.phase));
        Cores {
            cores: vec![idle; machine.cores as usize],
            scheduler: Scheduler::new(machine, Ticks { interval: machine.tick, phase }),
            switch: kernel.switch,
            idle_exit,
            halted: false,
            running: 0,
            next: Due::NEVER,
            next_core: 0,
            bandwidth: machine.quota.map(|quota| Bandwidth {
                quota,
                left: quota.budget,
                settled: Instant::START,
            }),
        }
    }

    /// `thread` wakes up and is ready to run.
    pub(crate) fn wake(&mut self, thread: u32, now: Instant) {
        self.scheduler.wake(thread, now);
    }

    /// `thread`, which has just left its core, is ready all the same: its turn was over.
    pub(crate) fn requeue(&mut self, thread: u32) {
        self.scheduler.requeue(thread);
    }

    /// A thread that does not run is gone.
    pub(crate) fn withdraw(&mut self, thread: u32) {
        self.scheduler.withdraw(thread);
    }

    /// True if a thread is ready.
    pub(crate) fn has_ready(&self) -> bool {
        self.waiting() > 0
    }

    /// Threads that are ready and have no core.
    pub(crate) fn waiting(&self) -> usize {
        self.scheduler.waiting()
    }

    /// Threads that the scheduler has in its queue: ready ones, and those whose leaving is delayed.
    pub(crate) fn queued(&self) -> Vec<u32> {
        self.scheduler.queued()
    }

    /// Cores in use.
    pub(crate) fn running(&self) -> u32 {
        self.running
    }

    /// Gives an idle core to the ready thread that is next; `process_of` knows its process.
    /// Returns core, thread and the CPU time lost to the switch.
    pub(crate) fn dispatch(
        &mut self,
        now: Instant,
        process_of: impl Fn(u32) -> u32,
    ) -> Option<(u32, u32, Span)> {
        if !self.has_ready() || self.running == self.cores.len() as u32 || self.stands_still() {
            return None;
        }
        let thread = self.scheduler.next()?;
        let core = self.idle_core(thread, now)?;
        self.settle(now);
        self.running += 1;
        let slot = &mut self.cores[core];
        let mut lost = Span::ZERO;
        if slot.last != thread {
            lost = self.switch.thread;
            let process = process_of(thread);
            // The first one finds nothing of its own, whichever it is.
            if slot.process != process && slot.process != NONE {
                lost += self.switch.process;
            }
            slot.process = process;
        }
        slot.thread = thread;
        slot.last = thread;
        slot.awake = None;
        slot.charged = now;
        // The switch is the kernel's: the slice begins after it.
        self.scheduler.start(core, thread, now + lost);
        Some((core as u32, thread, lost))
    }

    /// An idle core that is awake, the one where `thread` ran last if it can be had.
    fn idle_core(&self, thread: u32, now: Instant) -> Option<usize> {
        let can = |core: &Core| core.thread == NONE && self.is_awake(core, now);
        if let [only] = &self.cores[..] {
            return can(only).then_some(0);
        }
        self.cores
            .iter()
            .position(|core| can(core) && core.last == thread)
            .or_else(|| self.cores.iter().position(can))
    }

    /// An idle core can take a thread at once if it has only just come free or has been
    /// woken.
    fn is_awake(&self, core: &Core, now: Instant) -> bool {
        self.idle_exit.is_zero() || core.vacated == now || core.awake == Some(now)
    }

    /// A thread is ready: wakes an idle core that sleeps, unless enough of them are on their
    /// way. Returns when it will be awake.
    pub(crate) fn rouse(&mut self, now: Instant) -> Option<Instant> {
        if self.idle_exit.is_zero() || self.stands_still() {
            return None;
        }
        let idle = |core: &&mut Core| core.thread == NONE;
        let rising = |core: &Core| core.awake.is_some_and(|at| at > now);
        let coming = self.cores.iter().filter(|core| core.thread == NONE && rising(core)).count();
        if coming >= self.waiting() {
            return None;
        }
        let sleeper = self.cores.iter_mut().filter(idle).find(|core| !rising(core))?;
        let at = now + self.idle_exit;
        sleeper.awake = Some(at);
        Some(at)
    }

    /// True if an idle core is on its way to being awake.
    pub(crate) fn is_waking(&self, now: Instant) -> bool {
        self.cores.iter().any(|core| core.thread == NONE && core.awake.is_some_and(|at| at > now))
    }

    /// The thread on `core` leaves it: it sleeps unless it is put back at the same instant.
    pub(crate) fn vacate(&mut self, core: u32, now: Instant) {
        self.settle(now);
        self.running -= 1;
        let slot = &mut self.cores[core as usize];
        self.scheduler.stop(slot.thread, now);
        slot.thread = NONE;
        slot.timer = Due::NEVER;
        slot.vacated = now;
        self.tighten_timers(now);
        self.find_next();
    }

    /// A thread has left a quota to the others. Each may have set its timer when more was
    /// left, before the thread that is gone took its part.
    fn tighten_timers(&mut self, now: Instant) {
        if self.running == 0 || self.bandwidth.is_none() {
            return;
        }
        let limit = self.quota_limit(now);
        for slot in self.cores.iter_mut().filter(|slot| slot.timer != Due::NEVER) {
            slot.timer = slot.timer.no_later_than(limit);
        }
    }

    /// The thread on `core` has `work` to do: sets the core's timer.
    pub(crate) fn run(&mut self, core: u32, work: Span, now: Instant, sequence: u64) {
        let contended = self.has_ready();
        let limit = self.quota_limit(now);
        let mut at = now + work;
        if contended {
            at = at.min(self.end_of_turn(core as usize, now));
        }
        let slot = &mut self.cores[core as usize];
        slot.charged = now;
        slot.sliced = contended;
        slot.timer = Due::new(at.min(limit), sequence);
        self.find_next();
    }

    /// Takes the work done on `core` since it was last charged.
    pub(crate) fn charge(&mut self, core: u32, now: Instant) -> Span {
        let slot = &mut self.cores[core as usize];
        let done = now - slot.charged;
        slot.charged = now;
        done
    }

    /// A thread is ready and no core is idle: turns now end with their slice.
    pub(crate) fn limit_turns(&mut self, now: Instant, sequence: u64) {
        let mut changed = false;
        let sooner = self.scheduler.found_no_core(now);
        for core in 0..self.cores.len() {
            if self.cores[core].thread == NONE || (self.cores[core].sliced && !sooner) {
                continue;
            }
            let end = self.end_of_turn(core, now);
            let slot = &mut self.cores[core];
            slot.sliced = true;
            if end < slot.timer.at() {
                slot.timer = Due::new(end, sequence);
                changed = true;
            }
        }
        if changed {
            self.find_next();
        }
    }

    /// True if the turn on `core` is over because another thread is ready.
    pub(crate) fn turn_is_over(&mut self, core: u32, now: Instant) -> bool {
        self.scheduler.is_over(core as usize, self.cores[core as usize].thread, now)
    }

    /// When the kernel looks whether the turn on `core` is over, with another thread ready: not before
    /// `now`.
    fn end_of_turn(&mut self, core: usize, now: Instant) -> Instant {
        self.scheduler.looks(core, self.cores[core].thread, now)
    }

    /// When the next core timer rings, and on which core.
    pub(crate) fn next(&self) -> (Due, u32) {
        (self.next, self.next_core)
    }

    /// The thread on `core`.
    pub(crate) fn thread(&self, core: u32) -> u32 {
        self.cores[core as usize].thread
    }

    fn find_next(&mut self) {
        if let [core] = &self.cores[..] {
            self.next = core.timer;
            return;
        }
        let earliest = self.cores.iter().enumerate().min_by_key(|(_, core)| core.timer);
        if let Some((index, core)) = earliest {
            (self.next, self.next_core) = (core.timer, index as u32);
        }
    }

    /// True if the quota of this period is used up.
    pub(crate) fn throttled(&self) -> bool {
        // What cannot give every running thread a nanosecond is as good as nothing.
        self.bandwidth.as_ref().is_some_and(|b| b.left.nanos() <= u64::from(self.running))
    }

    /// True if no thread may run now.
    pub(crate) fn stands_still(&self) -> bool {
        self.halted || self.throttled()
    }

    /// All processes are stopped until [`Self::go_on`]. Returns the threads that ran, as
    /// [`Self::stop_threads`].
    pub(crate) fn halt(&mut self, now: Instant) -> Vec<(u32, Span)> {
        self.halted = true;
        self.stop_threads(now)
    }

    /// Processes that were stopped run again.
    pub(crate) fn go_on(&mut self) {
        self.halted = false;
    }

    /// The quota's period, if there is one.
    pub(crate) fn period(&self) -> Option<Span> {
        self.bandwidth.as_ref().map(|b| b.quota.period)
    }

    /// A new period begins.
    pub(crate) fn refill(&mut self, now: Instant) {
        self.settle(now);
        if let Some(b) = &mut self.bandwidth {
            b.left = b.quota.budget;
        }
    }

    /// The threads that run now are stopped where they are, and put at the head of the queue. Returns
    /// them with the work that each has done.
    pub(crate) fn stop_threads(&mut self, now: Instant) -> Vec<(u32, Span)> {
        let mut stopped = Vec::new();
        for core in (0..self.cores.len() as u32).rev() {
            let thread = self.thread(core);
            if thread != NONE {
                let done = self.charge(core, now);
                self.vacate(core, now);
                self.scheduler.put_back(thread);
                stopped.push((thread, done));
            }
        }
        stopped
    }

    /// Brings the use of the quota up to `now`.
    pub(crate) fn settle(&mut self, now: Instant) {
        if let Some(b) = &mut self.bandwidth {
            let used = now.since(b.settled) * u64::from(self.running);
            b.left = b.left.saturating_sub(used);
            b.settled = now;
        }
    }

    /// When the quota will be used up if what runs now runs on.
    fn quota_limit(&mut self, now: Instant) -> Instant {
        self.settle(now);
        match &self.bandwidth {
            Some(b) => now + Span::from_nanos(b.left.nanos() / u64::from(self.running.max(1))),
            None => Instant::NEVER,
        }
    }
}

/// So many parts of 2^64 of `whole`.
fn share(whole: u64, parts: u64) -> u64 {
    ((u128::from(whole) * u128::from(parts)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use model::scenario::Scheduler as Rules;

    use super::*;

    const FREE: Kernel = kernel(0, 0);
    const TWO_MICROS: Kernel = kernel(2, 0);

    const fn kernel(thread: u64, process: u64) -> Kernel {
        let micros = Span::from_micros;
        Kernel { phase: 0, switch: Switch { thread: micros(thread), process: micros(process) } }
    }

    /// All threads are of one process.
    fn same(_: u32) -> u32 {
        0
    }

    fn machine(cores: u32, quota: Option<Quota>) -> Machine {
        let (slice, tick) = (Span::from_millis(1), Span::ZERO);
        Machine { cores, speed: 1.0, scheduler: Rules::RoundRobin, slice, tick, quota }
    }

    fn at(micros: u64) -> Instant {
        Instant::from_nanos(micros * 1_000)
    }

    #[test]
    fn a_thread_alone_runs_to_the_end_of_its_work() {
        let mut cpu = Cores::new(&machine(1, None), TWO_MICROS, Span::ZERO);
        cpu.wake(7, at(0));
        let (core, thread, switch) = cpu.dispatch(at(0), same).expect("an idle core");
        assert_eq!((core, thread, switch), (0, 7, Span::from_micros(2)));
        cpu.run(core, Span::from_millis(20), at(0), 1);
        assert_eq!(cpu.next().0.at(), at(20_000));
    }

    #[test]
    fn a_newcomer_ends_the_turn_after_its_slice() {
        let mut cpu = Cores::new(&machine(1, None), FREE, Span::ZERO);
        cpu.wake(7, at(0));
        cpu.dispatch(at(0), same).expect("an idle core");
        cpu.run(0, Span::from_millis(20), at(0), 1);
        cpu.wake(8, at(0));
        assert!(cpu.dispatch(at(400), same).is_none());
        cpu.limit_turns(at(400), 2);
        assert_eq!(cpu.next().0.at(), at(1_000), "the slice counts from the start of the turn");
        assert_eq!(cpu.charge(0, at(1_000)), Span::from_millis(1));
        assert!(cpu.turn_is_over(0, at(1_000)));

        let mut late = Cores::new(&machine(1, None), FREE, Span::ZERO);
        late.wake(7, at(0));
        late.dispatch(at(0), same).expect("an idle core");
        late.run(0, Span::from_millis(20), at(0), 1);
        late.wake(8, at(0));
        late.limit_turns(at(5_000), 2);
        assert_eq!(late.next().0.at(), at(5_000), "a turn longer than a slice ends at once");
    }

    #[test]
    fn a_turn_ends_at_the_first_tick_after_its_slice() {
        let ticking = Machine { tick: Span::from_millis(4), ..machine(1, None) };
        // The first tick comes after an eighth of them, 0.5 ms.
        let phase = 1 << 61;
        let turn_of = |from: u64| {
            let mut cpu = Cores::new(&ticking, Kernel { phase, ..FREE }, Span::ZERO);
            cpu.wake(7, at(0));
            cpu.wake(8, at(0));
            cpu.dispatch(at(from), same).expect("an idle core");
            cpu.run(0, Span::from_millis(20), at(from), 1);
            assert!(!cpu.turn_is_over(0, at(from)));
            let end = cpu.next().0.at();
            assert!(cpu.turn_is_over(0, end) && !cpu.turn_is_over(0, end + Span::from_nanos(1)));
            end
        };
        assert_eq!(turn_of(0), at(4_500), "at the first tick it had run for half a slice");
        assert_eq!(turn_of(3_500), at(4_500), "a slice that ends with a tick");
        assert_eq!(turn_of(3_501), at(8_500));
        assert_eq!(turn_of(4_500), at(8_500));
    }

    #[test]
    fn a_thread_returns_to_its_core_and_pays_no_switch() {
        let mut cpu = Cores::new(&machine(2, None), TWO_MICROS, Span::ZERO);
        for thread in [1, 2] {
            cpu.wake(thread, at(0));
            cpu.dispatch(at(0), same).expect("an idle core");
        }
        cpu.vacate(0, at(1));
        cpu.vacate(1, at(1));
        cpu.wake(2, at(0));
        assert_eq!(cpu.dispatch(at(2), same), Some((1, 2, Span::ZERO)));
    }

    #[test]
    fn a_quota_stops_all_threads_until_the_next_period() {
        let quota = Quota { budget: Span::from_millis(10), period: Span::from_millis(100) };
        let mut cpu = Cores::new(&machine(2, Some(quota)), FREE, Span::ZERO);
        for thread in [1, 2] {
            cpu.wake(thread, at(0));
            let (core, ..) = cpu.dispatch(at(0), same).expect("an idle core");
            cpu.run(core, Span::from_millis(50), at(0), 1);
        }
        cpu.run(0, Span::from_millis(50), at(0), 2);
        // Two threads use ten milliseconds in five.
        assert_eq!(cpu.next().0.at(), at(5_000));
        cpu.settle(at(5_000));
        assert!(cpu.throttled());
        let stopped = cpu.stop_threads(at(5_000));
        assert_eq!(stopped.len(), 2);
        assert!(cpu.dispatch(at(5_000), same).is_none());
        cpu.refill(at(100_000));
        assert_eq!(cpu.dispatch(at(100_000), same).map(|d| d.1), Some(1));
    }

    #[test]
    fn a_thread_that_leaves_has_used_its_part_of_the_quota() {
        let quota = Quota { budget: Span::from_millis(10), period: Span::from_millis(100) };
        let mut cpu = Cores::new(&machine(2, Some(quota)), FREE, Span::ZERO);
        cpu.wake(1, at(0));
        cpu.dispatch(at(0), same).expect("an idle core");
        cpu.run(0, Span::from_millis(50), at(0), 1);
        assert_eq!(cpu.next().0.at(), at(10_000));
        cpu.wake(2, at(0));
        cpu.dispatch(at(0), same).expect("an idle core");
        cpu.run(1, Span::from_millis(3), at(0), 2);
        // Both use three milliseconds; four are left to the one that stays.
        cpu.vacate(1, at(3_000));
        assert_eq!(cpu.next(), (Due::new(at(7_000), 1), 0));
    }

    #[test]
    fn a_change_of_processes_costs_more_than_one_of_threads() {
        let mut cpu = Cores::new(&machine(1, None), kernel(2, 100), Span::ZERO);
        // Threads 0 and 1 are of one process, 2 of another.
        let process_of = |thread: u32| thread / 2;
        let mut lost = |thread: u32, time: u64| {
            cpu.wake(thread, at(0));
            let (core, _, lost) = cpu.dispatch(at(time), process_of).expect("an idle core");
            cpu.vacate(core, at(time));
            lost.nanos() / 1000
        };
        let all: Vec<u64> =
            (0..).zip([0, 1, 1, 2, 1]).map(|(at, thread)| lost(thread, at)).collect();
        assert_eq!(all, [2, 2, 0, 102, 102], "the first finds nothing whichever it is");
    }
}
