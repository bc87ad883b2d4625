//! The processors: threads of all worker processes take turns on them.
//!
//! A thread runs until its work is done, or until it has run for a slice while another is
//! ready; it then goes to the end of the queue. Where the kernel has a tick, that is when it
//! sees that a slice is over. A bandwidth quota stops all threads until
//! its next period once they have used it up.

use std::collections::VecDeque;

use model::scenario::{Cpu as Machine, Quota};
use model::units::{Instant, Span};

use crate::engine::Due;

/// No thread.
pub(super) const NONE: u32 = u32::MAX;

/// The processors and the threads that are ready to run.
#[derive(Debug)]
pub(crate) struct Cores {
    cores: Vec<Core>,
    ready: VecDeque<u32>,
    slice: Span,
    tick: Span,
    /// When the first tick comes.
    phase: Span,
    switch: Span,
    /// From asleep to running.
    idle_exit: Span,
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
    /// When its turn began.
    turn: Instant,
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
    /// Idle processors, asleep. The load begins at any time between two ticks: `phase` says when,
    /// as a share of 2^64.
    pub(crate) fn new(
        machine: &Machine,
        context_switch: Span,
        idle_exit: Span,
        phase: u64,
    ) -> Cores {
        let idle = Core {
            thread: NONE,
            last: NONE,
            turn: Instant::START,
            charged: Instant::START,
            vacated: Instant::START,
            awake: None,
            timer: Due::NEVER,
            sliced: false,
        };
        Cores {
            cores: vec![idle; machine.cores as usize],
            ready: VecDeque::new(),
            slice: machine.slice,
            tick: machine.tick,
            phase: Span::from_nanos(share(machine.tick.nanos(), phase)),
            switch: context_switch,
            idle_exit,
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

    /// `thread` is ready to run.
    pub(crate) fn ready(&mut self, thread: u32) {
        self.ready.push_back(thread);
    }

    /// A thread that was ready is gone.
    pub(crate) fn withdraw(&mut self, thread: u32) {
        self.ready.retain(|&ready| ready != thread);
    }

    /// True if a thread is ready.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Threads that are ready and have no core.
    pub(crate) fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Cores in use.
    pub(crate) fn running(&self) -> u32 {
        self.running
    }

    /// Gives an idle core to the thread that has been ready longest. Returns core, thread
    /// and the CPU time lost to the switch.
    pub(crate) fn dispatch(&mut self, now: Instant) -> Option<(u32, u32, Span)> {
        if self.ready.is_empty() || self.running == self.cores.len() as u32 || self.throttled() {
            return None;
        }
        let core = self.idle_core(*self.ready.front()?, now)?;
        let thread = self.ready.pop_front()?;
        self.settle(now);
        self.running += 1;
        let slot = &mut self.cores[core];
        let switch = if slot.last == thread { Span::ZERO } else { self.switch };
        slot.thread = thread;
        slot.last = thread;
        slot.awake = None;
        // The switch is the kernel's: the slice begins after it.
        slot.turn = now + switch;
        slot.charged = now;
        Some((core as u32, thread, switch))
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
        if self.idle_exit.is_zero() || self.throttled() {
            return None;
        }
        let idle = |core: &&mut Core| core.thread == NONE;
        let rising = |core: &Core| core.awake.is_some_and(|at| at > now);
        let coming = self.cores.iter().filter(|core| core.thread == NONE && rising(core)).count();
        if coming >= self.ready.len() {
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

    /// The thread on `core` leaves it.
    pub(crate) fn vacate(&mut self, core: u32, now: Instant) {
        self.settle(now);
        self.running -= 1;
        let slot = &mut self.cores[core as usize];
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
        let contended = !self.ready.is_empty();
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
        for core in 0..self.cores.len() {
            if self.cores[core].thread == NONE || self.cores[core].sliced {
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
    pub(crate) fn turn_is_over(&self, core: u32, now: Instant) -> bool {
        !self.ready.is_empty() && now >= self.end_of_turn(core as usize, now)
    }

    /// When the turn on `core` ends if another thread is ready: not before `now`.
    fn end_of_turn(&self, core: usize, now: Instant) -> Instant {
        let end = (self.cores[core].turn + self.slice).max(now);
        if self.tick.is_zero() {
            return end;
        }
        let since_first = end.nanos().saturating_sub(self.phase.nanos());
        Instant::START + self.phase + self.tick * since_first.div_ceil(self.tick.nanos())
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

    /// The threads that run now, which a used-up quota stops, are put at the head of the
    /// queue. Returns them with the work that each has done.
    pub(crate) fn throttle(&mut self, now: Instant) -> Vec<(u32, Span)> {
        let mut stopped = Vec::new();
        for core in (0..self.cores.len() as u32).rev() {
            let thread = self.thread(core);
            if thread != NONE {
                let done = self.charge(core, now);
                self.vacate(core, now);
                self.ready.push_front(thread);
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
    use super::*;

    fn machine(cores: u32, quota: Option<Quota>) -> Machine {
        Machine { cores, speed: 1.0, slice: Span::from_millis(1), tick: Span::ZERO, quota }
    }

    fn at(micros: u64) -> Instant {
        Instant::from_nanos(micros * 1_000)
    }

    #[test]
    fn a_thread_alone_runs_to_the_end_of_its_work() {
        let mut cpu = Cores::new(&machine(1, None), Span::from_micros(2), Span::ZERO, 0);
        cpu.ready(7);
        let (core, thread, switch) = cpu.dispatch(at(0)).expect("an idle core");
        assert_eq!((core, thread, switch), (0, 7, Span::from_micros(2)));
        cpu.run(core, Span::from_millis(20), at(0), 1);
        assert_eq!(cpu.next().0.at(), at(20_000));
    }

    #[test]
    fn a_newcomer_ends_the_turn_after_its_slice() {
        let mut cpu = Cores::new(&machine(1, None), Span::ZERO, Span::ZERO, 0);
        cpu.ready(7);
        cpu.dispatch(at(0)).expect("an idle core");
        cpu.run(0, Span::from_millis(20), at(0), 1);
        cpu.ready(8);
        assert!(cpu.dispatch(at(400)).is_none());
        cpu.limit_turns(at(400), 2);
        assert_eq!(cpu.next().0.at(), at(1_000), "the slice counts from the start of the turn");
        assert_eq!(cpu.charge(0, at(1_000)), Span::from_millis(1));
        assert!(cpu.turn_is_over(0, at(1_000)));

        let mut late = Cores::new(&machine(1, None), Span::ZERO, Span::ZERO, 0);
        late.ready(7);
        late.dispatch(at(0)).expect("an idle core");
        late.run(0, Span::from_millis(20), at(0), 1);
        late.ready(8);
        late.limit_turns(at(5_000), 2);
        assert_eq!(late.next().0.at(), at(5_000), "a turn longer than a slice ends at once");
    }

    #[test]
    fn a_turn_ends_at_the_first_tick_after_its_slice() {
        let ticking = Machine { tick: Span::from_millis(4), ..machine(1, None) };
        // The first tick comes after an eighth of them, 0.5 ms.
        let phase = 1 << 61;
        let turn_of = |from: u64| {
            let mut cpu = Cores::new(&ticking, Span::ZERO, Span::ZERO, phase);
            cpu.ready(7);
            cpu.ready(8);
            cpu.dispatch(at(from)).expect("an idle core");
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
        let mut cpu = Cores::new(&machine(2, None), Span::from_micros(2), Span::ZERO, 0);
        for thread in [1, 2] {
            cpu.ready(thread);
            cpu.dispatch(at(0)).expect("an idle core");
        }
        cpu.vacate(0, at(1));
        cpu.vacate(1, at(1));
        cpu.ready(2);
        assert_eq!(cpu.dispatch(at(2)), Some((1, 2, Span::ZERO)));
    }

    #[test]
    fn a_quota_stops_all_threads_until_the_next_period() {
        let quota = Quota { budget: Span::from_millis(10), period: Span::from_millis(100) };
        let mut cpu = Cores::new(&machine(2, Some(quota)), Span::ZERO, Span::ZERO, 0);
        for thread in [1, 2] {
            cpu.ready(thread);
            let (core, ..) = cpu.dispatch(at(0)).expect("an idle core");
            cpu.run(core, Span::from_millis(50), at(0), 1);
        }
        cpu.run(0, Span::from_millis(50), at(0), 2);
        // Two threads use ten milliseconds in five.
        assert_eq!(cpu.next().0.at(), at(5_000));
        cpu.settle(at(5_000));
        assert!(cpu.throttled());
        let stopped = cpu.throttle(at(5_000));
        assert_eq!(stopped.len(), 2);
        assert!(cpu.dispatch(at(5_000)).is_none());
        cpu.refill(at(100_000));
        assert_eq!(cpu.dispatch(at(100_000)).map(|d| d.1), Some(1));
    }

    #[test]
    fn a_thread_that_leaves_has_used_its_part_of_the_quota() {
        let quota = Quota { budget: Span::from_millis(10), period: Span::from_millis(100) };
        let mut cpu = Cores::new(&machine(2, Some(quota)), Span::ZERO, Span::ZERO, 0);
        cpu.ready(1);
        cpu.dispatch(at(0)).expect("an idle core");
        cpu.run(0, Span::from_millis(50), at(0), 1);
        assert_eq!(cpu.next().0.at(), at(10_000));
        cpu.ready(2);
        cpu.dispatch(at(0)).expect("an idle core");
        cpu.run(1, Span::from_millis(3), at(0), 2);
        // Both use three milliseconds; four are left to the one that stays.
        cpu.vacate(1, at(3_000));
        assert_eq!(cpu.next(), (Due::new(at(7_000), 1), 0));
    }
}
