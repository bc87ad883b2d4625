//! What must be true between any two events, checked from scratch.
//!
//! Slow: it looks at everything. A [`Trace`] asks for it, see [`Trace::AUDITS`].

use model::place;
use model::scenario::{Connections, Spread};
use model::units::Instant;

use super::Engine;
use super::{Arena, NONE, Role, ThreadState, Trace};
use crate::client::CONNECT_ONLY;
use crate::cpu::Host;
use crate::database;
use crate::database::sqlite::Level;
use crate::observe::Gauge;
use crate::slots::Slots;
use crate::standstill::Waits;
use crate::upstream::Kept;

impl<T: Trace> Engine<'_, T> {
    /// Checks every invariant that relates one part of the state to another.
    ///
    /// # Panics
    /// If one does not hold.
    pub(super) fn audit(&self) {
        self.audit_threads();
        self.audit_loops();
        self.audit_slots();
        self.audit_requests();
        self.audit_database();
        self.audit_waits();
    }

    /// Connections, threads and locks that waiting tasks hold are counted correctly.
    fn audit_waits(&self) {
        let mut waits = Waits::of(self.scenario());
        for (task, _) in live(&self.tasks) {
            let Some(for_what) = self.awaits(task) else { continue };
            self.count_wait(&mut waits, task, for_what, true);
        }
        assert!(waits.iter().zip(&self.waits).all(|(found, counted)| found.counts_as(counted)));
    }

    /// No core of a machine that has so many `cores` idles while a thread is ready, and its
    /// processors know of every thread that is ready or runs. Returns how many run.
    fn audit_host(&self, host: Host, cores: u32) -> u32 {
        let cpu = &self.cpu[host];
        let (mut ready, mut running) = (0, 0);
        for (id, thread) in live(&self.threads).filter(|(_, thread)| thread.host == host) {
            match thread.state {
                ThreadState::Ready => ready += 1,
                ThreadState::Running => {
                    running += 1;
                    assert_eq!(cpu.thread(thread.core), id, "a running thread has its core");
                }
                ThreadState::Idle => assert_eq!(thread.task, NONE, "an idle thread has no task"),
                ThreadState::WaitsForLock | ThreadState::Blocked => {}
            }
        }
        assert_eq!(ready, cpu.waiting(), "every ready thread queues for a core, once");
        assert_eq!(running, cpu.running(), "every core in use has its thread");
        assert!(
            ready == 0 || running == cores || cpu.stands_still() || cpu.is_waking(self.now),
            "a core idles while a thread is ready"
        );
        let known = |thread: &u32| live(&self.threads).any(|(id, _)| id == *thread);
        assert!(cpu.queued().iter().all(known), "a thread that has ended is in no queue");
        running
    }

    /// Threads, their processors and the interpreter locks agree.
    fn audit_threads(&self) {
        let of_server = database::postgres::own_cores(self.scenario());
        let at_service = self.audit_host(Host::Service, self.scenario().cpu.cores);
        self.audit_host(Host::Database, of_server);
        assert_eq!(u64::from(at_service), self.seen.cpu.cores.value(), "cores in use are counted");
        for (id, worker) in self.workers.iter().enumerate() {
            let lock = &worker.lock;
            if let Some(holder) = lock.holder() {
                let thread = &self.threads[holder];
                assert_eq!(thread.worker as usize, id, "a lock serves its own process");
                assert!(
                    matches!(thread.state, ThreadState::Running | ThreadState::Ready),
                    "a sleeping thread does not hold the interpreter lock"
                );
            }
            let asleep = live(&self.threads)
                .filter(|(_, t)| t.worker as usize == id && t.state == ThreadState::WaitsForLock)
                .count();
            assert_eq!(asleep, lock.waiting(), "every sleeper at the lock is in its queue");
            let woken = |(_, t): (u32, &super::Thread)| {
                t.worker as usize == id
                    && matches!(t.state, ThreadState::Running | ThreadState::Ready)
            };
            assert!(
                asleep == 0 || lock.holder().is_some() || live(&self.threads).any(woken),
                "a free lock has woken a waiter"
            );
        }
        let held = self.workers.iter().filter(|worker| worker.lock.holder().is_some()).count();
        assert_eq!(held as u64, self.seen.interpreter.held.value(), "held locks are counted");
    }

    /// A loop that sleeps has nothing to do.
    fn audit_loops(&self) {
        let mut awake = 0;
        for (id, worker) in (0..).zip(&self.workers) {
            if self.threads[worker.thread].state != ThreadState::Idle {
                awake += 1;
                continue;
            }
            assert!(worker.callbacks.is_empty(), "a loop sleeps on its callbacks");
            assert!(worker.upstreams.kept.iter().all(Kept::is_unlocked), "a loop sleeps on a lock");
            assert!(
                self.scenario().service.spread == Spread::Lifo
                    || self.takes_none(id)
                    || self.listener.waiting(id) == 0,
                "a loop sleeps on connections that only it can accept"
            );
        }
        assert_eq!(awake, self.seen.event_loop.busy.value(), "busy loops are counted");
        let waiting =
            self.scenario().service.spread == Spread::Lifo && self.listener.waiting(0) > 0;
        let taken = (0..self.workers.len() as u32).any(|id| !self.takes_none(id));
        assert!(!waiting || awake > 0 || !taken, "all loops sleep while a connection waits");
    }

    /// Slots in use are no more than there are, no task waits for a free one, and those in use
    /// are counted.
    fn audit_slots(&self) {
        let workers = || self.workers.iter();
        audit_slots(
            "threads",
            workers().map(|worker| &worker.pool_threads.tokens),
            &self.seen.threads.in_use,
        );
        for upstream in 0..self.scenario().upstreams.len() {
            let semaphores =
                workers().filter_map(|worker| worker.upstreams.semaphores[upstream].as_ref());
            audit_slots("semaphore", semaphores, &self.seen.upstreams[upstream].semaphore);
            let slots: u32 = workers()
                .filter_map(|worker| worker.upstreams.connections[upstream].as_ref())
                .inspect(|slots| assert!(slots.waiting() == 0 || slots.taken() == slots.capacity()))
                .map(Slots::taken)
                .sum();
            let kept = || workers().flat_map(|worker| worker.upstreams.kept_of(upstream));
            assert!(kept().all(Kept::is_served), "a call waits for a free connection");
            let taken = slots + kept().map(Kept::queued_for).sum::<u32>();
            let counted = self.seen.upstreams[upstream].connections.value();
            assert_eq!(u64::from(taken), counted, "client connections are counted");
        }
        for (lock, seen) in (0..).zip(&self.seen.locks) {
            audit_slots("lock", self.locks.all(lock).iter().map(|lock| &lock.slots), &seen.held);
        }
        let clients: u32 = workers().map(|worker| worker.clients).sum();
        let connected = self
            .users
            .iter()
            .filter(|user| user.worker != NONE && user.closed == Instant::NEVER)
            .count();
        assert_eq!(clients as usize, connected, "each open connection has its two ends");
        assert_eq!(u64::from(clients), self.seen.event_loop.connections.value());
        if let Some(limit) = self.scenario().service.limit_concurrency {
            assert!(workers().all(|worker| worker.tasks <= limit), "refused beyond the limit");
        }
    }

    /// Each task is at one place, each request has its tasks, and those that are neither
    /// answered nor given up are in flight.
    fn audit_requests(&self) {
        let mut places = vec![0; self.plan.places.len()];
        let mut tasks = vec![0; self.requests.len()];
        for (_, task) in live(&self.tasks) {
            places[task.place.index()] += 1;
            tasks[task.request as usize] += 1;
        }
        places[model::place::RETRY.index()] = self.pauses();
        for ((place, count), gauge) in places.into_iter().enumerate().zip(&self.seen.places) {
            assert_eq!(count, gauge.value(), "{}", self.plan.places[place]);
        }
        let (mut in_flight, mut admitted) = (0, 0);
        for (id, request) in live(&self.requests) {
            assert_eq!(request.tasks, tasks[id as usize], "a request lives as long as its tasks");
            in_flight += u64::from(!request.settled);
            admitted += u32::from(request.admitted);
        }
        // Connections that are opened ahead are no requests.
        let ahead = live(&self.tasks).filter(|(_, task)| task.pc == CONNECT_ONLY).count() as u64;
        assert_eq!(
            in_flight - ahead + self.pauses(),
            self.seen.in_flight.value(),
            "requests in flight are counted"
        );
        let after = self.tasks.live().filter(|(_, task)| task.after).count() as u64;
        assert_eq!(after, self.seen.after.at_work.value(), "work after replies is counted");
        let counted: u32 = self.workers.iter().map(|worker| worker.tasks).sum();
        assert!(counted <= admitted, "a worker counts requests that are gone");
    }

    /// Connections in use belong to a task each, and the locks are what they hold.
    fn audit_database(&self) {
        let in_use = || self.workers.iter().filter_map(|worker| worker.database.as_ref());
        let total: u32 = in_use().map(|pool| pool.in_use()).sum();
        assert_eq!(
            u64::from(total),
            self.seen.database.connections.value(),
            "connections are counted"
        );
        let carried: u32 = live(&self.tasks).map(|(id, _)| self.connections_of(id)).sum();
        assert_eq!(total, carried, "each connection in use is one task's");
        if let Some(Connections::Pool { size, overflow, .. }) =
            self.scenario().database.as_ref().map(|database| database.connections)
        {
            let most = size.saturating_add(overflow);
            assert!(in_use().all(|pool| pool.in_use() <= most), "a pool has its limit");
        }
        let drivers = live(&self.threads).filter(|(_, t)| t.role == Role::Driver).count();
        let owned = live(&self.database.connections).filter(|(_, c)| c.thread != NONE).count();
        assert_eq!(drivers, owned, "each driver thread is one connection's");
        self.audit_sessions();
        self.audit_rows();
        let Some(locks) = &self.database.locks else { return };
        let level = |wanted: Level| {
            live(&self.database.connections).filter(|(_, c)| c.hold.level >= wanted).count()
        };
        assert_eq!(level(Level::Shared), locks.readers() as usize, "readers are counted");
        assert_eq!(level(Level::Reserved), usize::from(locks.writer().is_some()), "one writer");
        assert_eq!(level(Level::Reserved) as u64, self.seen.sqlite.writer.value());
        if level(Level::Exclusive) > 0 {
            assert_eq!(locks.readers(), 1, "a connection that excludes others is alone");
        }
    }

    /// Each locked row has one holder, and those that wait for it are counted.
    fn audit_rows(&self) {
        let rows = &self.database.server.rows;
        let seen = &self.seen.postgres.rows;
        let (mut held, mut waiting) = (vec![0; seen.len()], vec![0; seen.len()]);
        for (row, connection, count) in rows.locked() {
            let session = &self.database.connections[connection].session;
            assert!(session.rows.contains(&row), "the holder of a row knows of it");
            let task = rows.holder(row).map_or(NONE, |(_, task)| task);
            let at_server = [place::SERVER, place::DISK].contains(&self.tasks[task].place);
            assert!(session.begun || at_server, "a row is held by a transaction");
            held[row.rows as usize] += 1;
            waiting[row.rows as usize] += count as u64;
            for task in rows.waiting(row) {
                let session = &self.database.connections[self.tasks[task].database.connection];
                assert_eq!(session.session.awaits, Some(row), "who waits for a row knows of it");
            }
        }
        let sessions = || live(&self.database.connections).map(|(_, one)| &one.session);
        let known: usize = sessions().map(|session| session.rows.len()).sum();
        assert_eq!(known as u64, held.iter().sum::<u64>(), "each row is held once");
        let awaited = sessions().filter(|session| session.awaits.is_some()).count();
        assert_eq!(awaited as u64, waiting.iter().sum::<u64>(), "a session waits for one row");
        for (index, seen) in seen.iter().enumerate() {
            assert_eq!(held[index], seen.held.value(), "locked rows are counted");
            assert_eq!(waiting[index], seen.waiting.value(), "so are those who wait for one");
        }
    }

    /// The database server's sessions and the processors at work for them are counted.
    fn audit_sessions(&self) {
        let connections = || live(&self.database.connections);
        let sessions = connections().filter(|(_, c)| c.session.counted).count();
        let server = &self.database.server;
        if let Some(pooler) = &server.pooler {
            let linked = connections().filter(|(_, c)| c.session.linked).count();
            assert_eq!(sessions as u32, pooler.clients(), "clients of the pooler are counted");
            assert_eq!(linked as u32, pooler.in_use(), "its connections are a client's or idle");
            assert!(pooler.waiting() == 0 || pooler.in_use() == pooler.open(), "none is idle");
            assert_eq!(pooler.open(), server.sessions, "the server counts what the pooler opens");
            let seen = &self.seen.postgres;
            assert_eq!(u64::from(pooler.in_use()), seen.pooler.value(), "those in use are seen");
            assert_eq!(pooler.waiting() as u64, seen.pooler_queue.value(), "so are those who wait");
        } else {
            assert_eq!(sessions as u32, server.sessions, "sessions are counted");
        }
        assert_eq!(u64::from(server.sessions), self.seen.postgres.sessions.value(), "and seen");
        let is_session = |thread: &super::Thread| matches!(thread.role, Role::Session { .. });
        let processes = || live(&self.threads).filter(|(_, thread)| is_session(thread));
        let used = connections().filter(|(_, c)| c.session.thread.is_some()).count();
        let owned = used + server.pooler.as_ref().map_or(0, |pooler| pooler.idle_processes());
        assert_eq!(processes().count(), owned, "each process is one session's");
        let state = |state| processes().filter(|(_, thread)| thread.state == state).count();
        let seen = &self.seen.postgres;
        let (busy, waiting) = (state(ThreadState::Running), state(ThreadState::Ready));
        assert_eq!(busy as u64, seen.busy.value(), "busy sessions are counted");
        assert_eq!(waiting as u64, seen.queue.value(), "so are those that wait for a processor");
    }
}

/// What an arena holds that is not freed.
fn live<V>(arena: &Arena<V>) -> impl Iterator<Item = (u32, &V)> {
    arena.live()
}

fn audit_slots<'s>(name: &str, all: impl Iterator<Item = &'s Slots>, gauge: &Gauge) {
    let mut taken = 0;
    for slots in all {
        assert!(slots.taken() <= slots.capacity(), "{name}: more than there are");
        assert!(
            slots.waiting() == 0 || slots.taken() == slots.capacity(),
            "{name}: a task waits for a free one"
        );
        taken += u64::from(slots.taken());
    }
    assert_eq!(taken, gauge.value(), "{name}: those in use are counted");
}
