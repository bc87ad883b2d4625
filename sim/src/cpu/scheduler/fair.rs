//! The queue of a scheduler that gives all threads the same share of the processors: what EEVDF and CFS
//! have in common.
//!
//! Sources: Linux 6.18, `kernel/sched/fair.c`; Stoica and Abdel-Wahab, "Earliest eligible virtual
//! deadline first" (1995). Threads of one group, of one weight and of one slice.

use model::units::{Instant, Span};

use super::Ticks;
use super::cfs::Cfs;
use super::eevdf::Eevdf;
use super::entity::{Entity, State};

/// All threads that the scheduler knows.
#[derive(Debug)]
pub(in crate::cpu) struct Fair {
    pub(super) entities: Vec<Entity>,
    /// Threads that are ready, and sleeping ones whose leaving is delayed, in the order in which they
    /// came.
    pub(super) queued: Vec<u32>,
    pub(super) running: Vec<u32>,
    /// Those that are ready.
    ready: usize,
    /// Threads that have woken since the kernel last looked whether they take a core.
    woken: Vec<u32>,
    /// The sum of the virtual times of `queued`.
    sum: i128,
    /// The least virtual time of all, which never falls: where the first one begins.
    pub(super) floor: i64,
    pub(super) ticks: Ticks,
    policy: Policy,
}

#[derive(Clone, Copy, Debug)]
enum Policy {
    Eevdf(Eevdf),
    Cfs(Cfs),
}

impl Fair {
    /// Earliest eligible virtual deadline first, with requests of so long a `slice`.
    pub(super) fn eevdf(slice: Span, ticks: Ticks) -> Fair {
        Fair::new(Policy::Eevdf(Eevdf::new(slice, ticks.interval)), ticks)
    }

    /// The completely fair scheduler, whose turns are at least so long.
    pub(super) fn cfs(least: Span, ticks: Ticks) -> Fair {
        Fair::new(Policy::Cfs(Cfs::new(least)), ticks)
    }

    fn new(policy: Policy, ticks: Ticks) -> Fair {
        Fair {
            entities: Vec::new(),
            queued: Vec::new(),
            running: Vec::new(),
            ready: 0,
            woken: Vec::new(),
            sum: 0,
            floor: 0,
            ticks,
            policy,
        }
    }

    pub(super) fn entity(&self, thread: u32) -> &Entity {
        &self.entities[thread as usize]
    }

    pub(super) fn entity_mut(&mut self, thread: u32) -> &mut Entity {
        &mut self.entities[thread as usize]
    }

    pub(super) fn waiting(&self) -> usize {
        self.ready
    }

    /// Threads in the queue and on cores.
    pub(super) fn count(&self) -> i64 {
        (self.queued.len() + self.running.len()) as i64
    }

    /// The sum of the virtual times of all of them.
    fn total(&self) -> i128 {
        let running =
            self.running.iter().map(|&thread| i128::from(self.entity(thread).virtual_time));
        self.sum + running.sum::<i128>()
    }

    /// The mean of their virtual times: what each would have got under a perfect processor.
    pub(super) fn mean(&self) -> i64 {
        match self.count() {
            0 => self.floor,
            count => self.total().div_euclid(i128::from(count)) as i64,
        }
    }

    /// It has got no more than its part.
    pub(super) fn is_eligible(&self, virtual_time: i64) -> bool {
        i128::from(virtual_time) * i128::from(self.count()) <= self.total()
    }

    /// Brings the accounts of those that run up to `now`, as the ticks before it have done.
    fn settle(&mut self, now: Instant) {
        for index in 0..self.running.len() {
            let thread = self.running[index];
            if let Policy::Eevdf(eevdf) = self.policy {
                self.let_go(eevdf, thread, now);
                let ticks = self.ticks;
                eevdf.renew(self.entity_mut(thread), ticks, now);
            }
            self.advance(thread, now);
        }
    }

    fn advance(&mut self, thread: u32, now: Instant) {
        let entity = self.entity_mut(thread);
        if now > entity.since {
            entity.virtual_time += (now - entity.since).nanos() as i64;
            entity.since = now;
        }
    }

    /// While nothing is ready beside `thread`, the kernel still looks at ticks who is next, and finds
    /// delayed threads that have paid back.
    fn let_go(&mut self, eevdf: Eevdf, thread: u32, now: Instant) {
        while self.ready == 0 && !self.queued.is_empty() {
            let tick = eevdf.looks(self.entity(thread), self.ticks, self.entity(thread).since);
            if tick >= now {
                return;
            }
            self.advance(thread, tick);
            eevdf.is_served(self.entity_mut(thread));
            while let Some(best) = eevdf.beats(self, thread) {
                self.leave(best);
            }
        }
    }

    /// The kernel looks at those that run (`update_curr`): one whose request is served makes a new one,
    /// and loses its core if another is next.
    fn charge(&mut self, now: Instant) {
        self.settle(now);
        let Policy::Eevdf(eevdf) = self.policy else { return };
        let alone = self.count() == 1;
        for &thread in &self.running {
            let entity = &mut self.entities[thread as usize];
            entity.ends |= eevdf.is_served(entity) && !alone;
        }
    }

    /// The least virtual time of all has come so far.
    fn raise_floor(&mut self) {
        let all = self.running.iter().chain(&self.queued);
        let least = all.map(|&thread| self.entity(thread).virtual_time).min();
        self.floor = self.floor.max(least.unwrap_or(self.floor));
    }

    /// `thread` wakes up (`enqueue_entity`, `place_entity`).
    pub(super) fn wake(&mut self, thread: u32, now: Instant) {
        if self.entities.len() <= thread as usize {
            self.entities.resize(thread as usize + 1, Entity::NEW);
        }
        self.charge(now);
        self.woken.push(thread);
        self.ready += 1;
        if self.entity(thread).state == State::Delayed {
            // It is still in the queue, at its place (`requeue_delayed_entity`).
            self.entity_mut(thread).state = State::Ready;
            return;
        }
        self.raise_floor();
        let placed = match self.policy {
            Policy::Eevdf(eevdf) => eevdf.place(self, thread),
            Policy::Cfs(cfs) => cfs.place(self, thread),
        };
        *self.entity_mut(thread) = placed;
        self.push(thread);
    }

    fn push(&mut self, thread: u32) {
        self.sum += i128::from(self.entity(thread).virtual_time);
        self.queued.push(thread);
    }

    fn remove(&mut self, thread: u32) {
        self.queued.retain(|&queued| queued != thread);
        self.sum -= i128::from(self.entity(thread).virtual_time);
    }

    /// A thread that has just left its core is ready all the same (`put_prev_entity`).
    pub(super) fn requeue(&mut self, thread: u32) {
        let was = self.entity(thread).state;
        self.entity_mut(thread).state = State::Ready;
        self.ready += 1;
        if was != State::Delayed {
            self.push(thread);
        }
    }

    /// A thread is gone. Another one that gets its number is new, and is owed nothing.
    pub(super) fn withdraw(&mut self, thread: u32) {
        if self.entities.len() <= thread as usize {
            return;
        }
        if self.entity(thread).state == State::Ready {
            self.ready -= 1;
        }
        if self.entity(thread).is_queued() {
            self.remove(thread);
        }
        *self.entity_mut(thread) = Entity::NEW;
        self.woken.retain(|&woken| woken != thread);
    }

    /// Who is next on a free core. Delayed threads whose turn it would be leave the queue
    /// (`pick_next_entity`).
    pub(super) fn next(&mut self) -> Option<u32> {
        while self.ready > 0 {
            let thread = self.first()?;
            if self.entity(thread).state == State::Ready {
                return Some(thread);
            }
            self.leave(thread);
        }
        None
    }

    /// The first in the queue by the rules, ready or delayed.
    fn first(&self) -> Option<u32> {
        match self.policy {
            Policy::Eevdf(eevdf) => eevdf.first(self),
            Policy::Cfs(cfs) => cfs.first(self),
        }
    }

    /// A delayed thread has paid back.
    fn leave(&mut self, thread: u32) {
        let mean = self.mean();
        self.remove(thread);
        if let Policy::Eevdf(eevdf) = self.policy {
            let entity = self.entity_mut(thread);
            // It owes no more than when it fell asleep, and is owed nothing.
            entity.lag = eevdf.lag(entity, mean).max(entity.lag).min(0);
            entity.state = State::Asleep;
        }
    }

    /// `thread` runs from `from` on (`set_next_entity`).
    pub(super) fn start(&mut self, thread: u32, from: Instant) {
        self.remove(thread);
        self.ready -= 1;
        self.running.push(thread);
        self.woken.retain(|&woken| woken != thread);
        let entity = self.entity_mut(thread);
        entity.state = State::Running;
        entity.protected = entity.deadline;
        (entity.since, entity.began, entity.due) = (from, from, Instant::NEVER);
        entity.ends = false;
    }

    /// `thread` leaves its core and sleeps (`dequeue_entity`).
    pub(super) fn stop(&mut self, thread: u32, now: Instant) {
        self.charge(now);
        self.raise_floor();
        let (mean, eligible) = (self.mean(), self.is_eligible(self.entity(thread).virtual_time));
        self.running.retain(|&running| running != thread);
        let policy = self.policy;
        let entity = self.entity_mut(thread);
        entity.state = State::Asleep;
        if let Policy::Eevdf(eevdf) = policy {
            entity.lag = eevdf.lag(entity, mean);
            if !eligible {
                entity.state = State::Delayed;
                self.push(thread);
            }
        }
        if self.ready == 0 && self.running.is_empty() {
            // An idle core picks a thread, and so takes the delayed ones out of the queue.
            while let Some(thread) = self.first() {
                self.leave(thread);
            }
        }
    }

    /// When the kernel looks next at the turn of `thread`.
    pub(super) fn looks(&mut self, thread: u32, now: Instant) -> Instant {
        self.settle(now);
        let entity = *self.entity(thread);
        let looks = match self.policy {
            _ if entity.ends => now,
            Policy::Eevdf(eevdf) => eevdf.looks(&entity, self.ticks, now),
            Policy::Cfs(cfs) => cfs.looks(&entity, self.ticks, now, self.count()),
        };
        // A look that was due already is not put off.
        let due = if entity.due >= now { looks.min(entity.due) } else { looks };
        self.entity_mut(thread).due = due;
        due
    }

    /// The kernel looks at the turn of `thread` (`entity_tick`, `__schedule`). False if it runs on.
    pub(super) fn is_over(&mut self, thread: u32, now: Instant) -> bool {
        self.charge(now);
        let entity = *self.entity(thread);
        if self.ready == 0 || (!entity.ends && now < entity.due) {
            return false;
        }
        let looked = self.entity_mut(thread);
        (looked.ends, looked.due) = (false, Instant::NEVER);
        self.loses(thread, now, entity.ends)
    }

    /// Another thread is to run in place of `thread` now, whose turn `ends` or may be over.
    fn loses(&mut self, thread: u32, now: Instant, ends: bool) -> bool {
        loop {
            let best = match self.policy {
                Policy::Eevdf(eevdf) => eevdf.beats(self, thread),
                Policy::Cfs(cfs) => cfs.beats(self, thread, now, ends),
            };
            match best {
                Some(best) if self.entity(best).state == State::Delayed => self.leave(best),
                other => return other.is_some(),
            }
        }
    }

    /// Threads have woken and found no core: does one take the place of a running one
    /// (`wakeup_preempt_fair`)? True if one does.
    pub(super) fn preempt(&mut self, now: Instant) -> bool {
        self.charge(now);
        let woken = std::mem::take(&mut self.woken);
        // Of several cores, the one whose thread has got most.
        let most = |&thread: &u32| self.entity(thread).virtual_time;
        let Some(running) = self.running.iter().copied().max_by_key(most) else { return false };
        if woken.is_empty() {
            return false;
        }
        let looks = match self.policy {
            Policy::Eevdf(eevdf) => {
                let is_unprotected = !eevdf.is_protected(self.entity(running));
                is_unprotected || eevdf.beats(self, running).is_some_and(|one| woken.contains(&one))
            }
            Policy::Cfs(cfs) => woken.iter().any(|&one| cfs.takes_over(self, one, running)),
        };
        let looks = looks || self.entity(running).ends;
        let takes = looks && self.loses(running, now, true);
        let entity = self.entity_mut(running);
        entity.ends = takes;
        takes
    }
}
