//! A standstill is noticed when a wait begins that closes the cycle.

use model::place;
use model::scenario::LockScope;
use model::units::Span;

use super::{Awaited, BESIDE_LOCKS, Waits};
use crate::engine::{Engine, NONE, Record, Trace};

impl<T: Trace> Engine<'_, T> {
    /// Connections that `task` holds.
    pub(crate) fn connections_of(&self, task: u32) -> u32 {
        let mut connection = self.tasks[task].database.connection;
        let mut count = 0;
        while connection != NONE {
            count += 1;
            connection = self.database.connections[connection].outer;
        }
        count
    }

    /// `task` begins to wait, and with it those that wait for rows that it has locked.
    pub(crate) fn begin_wait(&mut self, task: u32, awaited: Awaited) {
        let for_what = (self.worker_of(task), awaited);
        let tasks = self.and_behind(task);
        self.count_waits(&tasks, for_what, true);
        self.look_for_standstill(for_what.0, &tasks);
    }

    /// `task` has what it waited for, or has given up. If it was one of those that stood still, they
    /// do so no more.
    pub(crate) fn end_wait(&mut self, task: u32, awaited: Awaited) {
        let tasks = self.and_behind(task);
        self.no_longer(&tasks, (self.worker_of(task), awaited));
    }

    /// `tasks` wait no longer for this.
    pub(super) fn no_longer(&mut self, tasks: &[u32], for_what: (u32, Awaited)) {
        let stood_still = self.count_waits(tasks, for_what, false);
        let worker = for_what.0;
        let group = self.waits_of(worker);
        let group = &mut self.waits[group];
        if let Some(since) = group.since.take_if(|_| stood_still) {
            group.standing.fill(false);
            let lasted = self.now - since;
            self.note_standstill(lasted);
            self.trace.record(self.now, Record::StandstillEnds { worker, lasted });
        }
    }

    /// What `task` waits for, of all that may stand still.
    pub(crate) fn awaited(&self, task: u32) -> Option<Awaited> {
        match self.tasks[task].place {
            place::THREADS => Some(Awaited::Thread),
            place::POOL => Some(Awaited::Connection),
            other => {
                let mut locks = 0..self.scenario().locks.len() as u32;
                let here = |lock: &u32| place::lock(self.scenario(), *lock) == other;
                locks.find(here).map(Awaited::Lock)
            }
        }
    }

    /// The process of these tasks ends: they wait no longer.
    pub(crate) fn end_waits(&mut self, tasks: &[u32]) {
        for &task in tasks {
            // Those that wait for its rows get them, and it is gone.
            self.release_rows_of(task);
            if let Some(awaited) = self.awaited(task) {
                self.count_waits(&[task], (self.worker_of(task), awaited), false);
            }
        }
    }

    /// Counts what `tasks` hold while they wait for this, or no longer. True if one of them stands
    /// still.
    pub(super) fn count_waits(
        &mut self,
        tasks: &[u32],
        for_what: (u32, Awaited),
        begins: bool,
    ) -> bool {
        let mut waits = std::mem::take(&mut self.waits);
        let mut stands_still = false;
        for &task in tasks {
            stands_still |= self.count_wait(&mut waits, task, for_what, begins);
        }
        self.waits = waits;
        stands_still
    }

    /// Those that `worker` can stand still with.
    pub(super) fn waits_of(&self, worker: u32) -> usize {
        if self.waits.len() == 1 { 0 } else { worker as usize }
    }

    /// The row and column of a resource as `worker` sees it.
    pub(super) fn resource(&self, waits: &Waits, worker: u32, resource: Awaited) -> usize {
        let shared = waits.resources > waits.of_worker;
        let first = if shared { worker as usize * waits.of_worker } else { 0 };
        match resource {
            Awaited::Thread => first,
            Awaited::Connection => first + 1,
            Awaited::Lock(lock) => {
                let all = self.scenario().locks[lock as usize].scope == LockScope::Service;
                let first = if all { 0 } else { first };
                first + BESIDE_LOCKS + lock as usize
            }
        }
    }

    /// Counts what `task` holds while it waits for what is awaited of this worker, or no longer. True
    /// if it is one of those that stand still.
    pub(crate) fn count_wait(
        &self,
        waits: &mut [Waits],
        task: u32,
        (awaited_of, awaited): (u32, Awaited),
        begins: bool,
    ) -> bool {
        let mut stands_still = false;
        let worker = self.worker_of(task);
        let waits = &mut waits[if waits.len() == 1 { 0 } else { worker as usize }];
        let column = self.resource(waits, awaited_of, awaited);
        let mut add = |held: Awaited, units: u32| {
            let row = self.resource(waits, worker, held);
            let count = &mut waits.held[row * waits.resources + column];
            *count = if begins { *count + units } else { *count - units };
            stands_still |= units > 0 && waits.standing[row] && waits.standing[column];
        };
        add(Awaited::Thread, u32::from(self.tasks[task].token));
        add(Awaited::Connection, self.connections_of(task));
        if !self.plan.locks_held.is_empty()
            && let Some(locks) = self.plan.locks_held.get(&(self.tasks[task].pc - 1))
        {
            locks.iter().for_each(|&lock| add(Awaited::Lock(lock), 1));
        }
        stands_still
    }

    /// Units of a resource, if none is free.
    fn exhausted(&self, waits: &Waits, resource: usize, group: usize) -> Option<u32> {
        let shared = waits.resources > waits.of_worker;
        let worker = if shared { resource / waits.of_worker } else { group };
        let entry = &self.workers[worker];
        match resource % waits.of_worker {
            0 => Some(entry.pool_threads.tokens.capacity()),
            1 => {
                let pool = entry.database.as_ref().filter(|pool| pool.is_exhausted());
                pool.map(|pool| pool.in_use())
            }
            other => {
                // One of all workers has the place of the first.
                let all = self.locks.all((other - BESIDE_LOCKS) as u32);
                all.get(worker).map(|lock| lock.slots.capacity())
            }
        }
    }

    /// Finds resources that are held entirely by those that wait for one of them: none of these
    /// can go on. `begun` are those that have begun to wait.
    pub(super) fn look_for_standstill(&mut self, worker: u32, begun: &[u32]) {
        let group = self.waits_of(worker);
        if self.waits[group].since.is_some() {
            return;
        }
        let mut waits = std::mem::take(&mut self.waits[group].standing);
        waits.fill(true);
        loop {
            let known = &self.waits[group];
            let stays = |resource: usize| {
                let row = &known.held[resource * known.resources..][..known.resources];
                let held: u32 =
                    row.iter().zip(&waits).filter(|(_, in_it)| **in_it).map(|(n, _)| n).sum();
                held > 0 && Some(held) == self.exhausted(known, resource, group)
            };
            let Some(leaves) = (0..known.resources).find(|&one| waits[one] && !stays(one)) else {
                break;
            };
            waits[leaves] = false;
        }
        if waits.contains(&true) {
            self.stand_still(worker, &waits, begun);
        }
        self.waits[group].standing = waits;
    }

    /// The resources that are `standing` are held by requests that wait for each other.
    fn stand_still(&mut self, worker: u32, standing: &[bool], begun: &[u32]) {
        let group = self.waits_of(worker);
        self.waits[group].since = Some(self.now);
        let waits = &self.waits[group];
        let at = |resource| self.resource(waits, worker, resource);
        let held = |by: Awaited, at_wait_for: Awaited| {
            waits.held[at(by) * waits.resources + at(at_wait_for)]
        };
        let for_thread = held(Awaited::Connection, Awaited::Thread);
        let for_connection = held(Awaited::Connection, Awaited::Connection);
        let threads = held(Awaited::Thread, Awaited::Connection);
        let all = 0..self.scenario().locks.len() as u32;
        let locks: Vec<u32> = all.filter(|&lock| standing[at(Awaited::Lock(lock))]).collect();
        let count = locks.len() as u32;
        let rows = self.rows_waited_for(standing, begun);
        let seen = &mut self.seen.standstill;
        seen.rows.extend(rows);
        seen.rows.sort_unstable();
        seen.rows.dedup();
        seen.count += 1;
        seen.first.get_or_insert(self.now);
        seen.for_thread = seen.for_thread.max(for_thread);
        seen.for_connection = seen.for_connection.max(for_connection);
        seen.threads = seen.threads.max(threads);
        seen.locks.extend(locks);
        seen.locks.sort_unstable();
        seen.locks.dedup();
        let begins =
            Record::StandstillBegins { worker, for_thread, for_connection, threads, locks: count };
        self.trace.record(self.now, begins);
    }

    /// The process of `worker` ends, and with it what stood still.
    pub(crate) fn end_standstill(&mut self, worker: u32) {
        let group = self.waits_of(worker);
        let group = &mut self.waits[group];
        if let Some(since) = group.since.take() {
            group.standing.fill(false);
            let lasted = self.now - since;
            self.note_standstill(lasted);
            self.trace.record(self.now, Record::StandstillEnds { worker, lasted });
        }
    }

    fn note_standstill(&mut self, lasted: Span) {
        let seen = &mut self.seen.standstill;
        seen.total += lasted;
        seen.longest = seen.longest.max(lasted);
    }

    /// The run ends: what stands still now never went on.
    pub(crate) fn close_standstills(&mut self, end: model::units::Instant) {
        for group in 0..self.waits.len() {
            if let Some(since) = self.waits[group].since {
                self.note_standstill(end - since);
                self.seen.standstill.endless += 1;
            }
        }
    }
}
